"""Gemini's cached contents: what a client says once and then names in each request.

Source: Google's API reference, "Caching". Contents of any length are taken, where the API wants some thousand tokens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import orjson

from llmsim.conversation import Ask
from llmsim.dialects import Answer, Dialect, Encoder, Request, Route
from llmsim.dialects import _gemini_proto as proto
from llmsim.dialects import _gemini_wire as wire
from llmsim.dialects._gemini_checks import check, invalid
from llmsim.dialects._gemini_errors import error_answer
from llmsim.dialects._gemini_kept import CACHE, Cached, file_finder, find_cached
from llmsim.dialects._gemini_made import Made, MadeEncoder, ask_for
from llmsim.dialects._gemini_models import ability
from llmsim.dialects._gemini_prompt_cost import prompt_cost
from llmsim.dialects._gemini_request import choice_of, messages_of, tools_of
from llmsim.errors import Failure
from llmsim.exchange import Exchange

USUAL_TTL = 3600.0
MOST_NAME = 128


class GeminiCaches(Dialect):
    """`/{version}/cachedContents`: create, list, get, change the time they live, delete."""

    kind: ClassVar[str] = "gemini_caches"
    provider: ClassVar[str] = "gemini"

    def routes(self) -> Sequence[Route]:
        """All methods, in every version."""
        routes: list[Route] = []
        for version in wire.VERSIONS:
            every, one = f"{version}/cachedContents", f"{version}/cachedContents/{{name}}"
            routes += [
                Route("POST", every, read=self._read),
                Route("GET", every, answer=self._list),
                Route("GET", one, answer=self._get),
                Route("PATCH", one, answer=self._change),
                Route("DELETE", one, answer=self._delete),
            ]
        return routes

    def claims(self, request: Request) -> bool:
        """What comes with Google's key, or below its paths."""
        return wire.claims(request)

    def _read(self, request: Request) -> Ask:
        """What is to be cached; raises Refused where it makes no sense."""
        told = proto.read("CachedContent", request.body)
        model = str(told.get("model", "")).removeprefix("models/")
        if not model:
            raise invalid("* CreateCachedContentRequest.cached_content.model: model is required\n")
        if len(told.get("displayName", "")) > MOST_NAME:
            raise invalid(
                f"* CreateCachedContentRequest.cached_content.display_name: at most {MOST_NAME} characters.\n"
            )
        if not told.get("contents") and not told.get("systemInstruction") and not told.get("tools"):
            raise invalid("Cached content is too small. total_token_count=0, min_total_token_count=1")
        try:
            if told.get("contents"):
                check(told, ability(model), "CreateCachedContentRequest.cached_content")
            spent = prompt_cost(told, model, file_finder(self.desk.store))
        except (orjson.JSONEncodeError, RecursionError):
            raise invalid("Invalid JSON payload received. Message too deep.") from None
        seconds = _lifetime(told, self.desk.clock.wall())

        def make(exchange: Exchange) -> Made:
            return Made(self._create(exchange, told, model, spent, seconds))

        return ask_for(make, self.kind, "/v1beta/cachedContents", model=model)

    def _create(
        self, exchange: Exchange, told: Mapping[str, Any], model: str, spent: Counter[str], seconds: float
    ) -> Any:
        id, now = wire.resource_id(exchange, 24), self.desk.clock.wall()
        shown = {
            "name": f"cachedContents/{id}",
            "model": f"models/{model}",
            "createTime": wire.timestamp(now),
            "updateTime": wire.timestamp(now),
            "expireTime": wire.timestamp(now + seconds),
            "displayName": told.get("displayName", ""),
            "usageMetadata": {"totalTokenCount": sum(spent.values())},
        }
        cached = Cached(shown, model, messages_of(told), tools_of(told), choice_of(told), spent, now + seconds)
        self.desk.store.put(CACHE, id, cached, 2 * len(exchange.request))
        return shown

    def _list(self, request: Request, exchange: Exchange) -> Answer:
        now = self.desk.clock.wall()
        kept: list[Cached] = [one for one in self.desk.store.values(CACHE) if one.until > now]
        shown, token = wire.page([one.told for one in kept], request, usual=50, most=1000)
        told: dict[str, Any] = {"cachedContents": shown} if shown else {}
        return wire.answer({**told, "nextPageToken": token} if token else told, exchange)

    def _get(self, request: Request, exchange: Exchange) -> Answer:
        return wire.answer(self._find(request).told, exchange)

    def _change(self, request: Request, exchange: Exchange) -> Answer:
        """A new time to live; nothing else of it can change."""
        cached, now = self._find(request), self.desk.clock.wall()
        told = proto.read("CachedContent", request.body)
        if "ttl" not in told and "expireTime" not in told:
            raise invalid("Only ttl and expire_time of a CachedContent can be updated.")
        cached.until = now + _lifetime(told, now)
        cached.told = {
            **cached.told,
            "updateTime": wire.timestamp(now),
            "expireTime": wire.timestamp(cached.until),
        }
        return wire.answer(cached.told, exchange)

    def _delete(self, request: Request, exchange: Exchange) -> Answer:
        self._find(request)
        self.desk.store.pop(CACHE, request.params["name"])
        return wire.answer({}, exchange)

    def _find(self, request: Request) -> Cached:
        return find_cached(self.desk.store, request.params["name"], self.desk.clock.wall())

    def encoder(self, exchange: Exchange) -> Encoder:
        """Words what has been created."""
        return MadeEncoder(exchange)

    def failure(self, failure: Failure, exchange: Exchange | None = None) -> Answer:
        """Google's error object."""
        return error_answer(failure, exchange)


def _lifetime(told: Mapping[str, Any], now: float) -> float:
    """How many seconds a content is to be kept; raises Refused where that is told twice, or is no time at all."""
    if "ttl" in told and "expireTime" in told:
        raise invalid("Only one of ttl and expire_time can be set.")
    seconds: float = told["expireTime"] - now if "expireTime" in told else told.get("ttl", USUAL_TTL)
    if seconds <= 0:
        raise invalid("The expiration time of a CachedContent must be in the future.")
    return seconds
