"""Tells the tokens of a prompt one by one, as Google Cloud's computeTokens does.

Source: Google Cloud's API reference, publishers.models.computeTokens; numbers of 64 bits are text in Google's JSON.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from llmsim import tokens
from llmsim.conversation import Ask
from llmsim.dialects import _gemini_proto as proto
from llmsim.dialects._gemini_checks import check_contents
from llmsim.dialects._gemini_logprobs import token_id
from llmsim.dialects._gemini_made import Made, ask_for
from llmsim.dialects._gemini_request import Target


def read_compute(target: Target, body: bytes) -> Ask:
    """The ask whose answer lists the tokens of each content; raises Refused where the API refuses."""
    request = proto.read("ComputeTokensRequest", body)
    check_contents(request, "ComputeTokensRequest")
    told = {"tokensInfo": [_info(content, target.model) for content in request["contents"]]}
    return ask_for(lambda exchange: Made(told), target.dialect, target.endpoint, target.model)


def _info(content: Mapping[str, Any], model: str) -> dict[str, Any]:
    found = list(_tokens(content, model))
    return {
        "tokens": [b64encode(token).decode() for token in found],
        "tokenIds": [str(token_id(token.decode("utf-8", "replace"))) for token in found],
        "role": content.get("role", "user"),
    }


def _tokens(content: Mapping[str, Any], model: str) -> Iterator[bytes]:
    encoding = tokens.encoding_for(model)
    for part in content["parts"]:
        yield from tokens.token_bytes(part.get("text", ""), encoding)
