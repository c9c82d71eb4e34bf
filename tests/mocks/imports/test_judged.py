"""Other tools' files give the same answers here as there: texts, calls, ends, errors and the order they are asked in.

`outcomes/` holds what the tools themselves answered (aimock 1.43.0, mock-llm 0.1.29, mockllm 0.0.8, llmock 0.2.2).
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import openai
import pytest
from imports_asked import ASKED, FILES, outcome
from running import running

OUTCOMES = Path(__file__).parent / "outcomes"
NOBODY = "no_fixture_match"


@pytest.mark.parametrize("name", ASKED)
async def test_a_file_answers_as_its_own_tool_does(name: str) -> None:
    there = json.loads((OUTCOMES / f"{name.partition('.')[0]}.json").read_text())
    async with running(mock_files=(str(FILES / name),)) as runner:
        with openai.OpenAI(base_url=f"http://{runner.address}/v1", api_key="sk-test", max_retries=0) as client:
            # Where a fixture names no type of its error there is the provider's own for the status.
            own = {"type": ""} if name == "llmock.json" else {}
            for request, expected in zip(ASKED[name], there, strict=True):
                told = await asyncio.to_thread(outcome, client, request)
                mock = [*runner.simulator.journal][-1].plan.mock
                if expected.get("code") == NOBODY:
                    assert not mock, request
                else:
                    assert mock, request
                    assert {**told, **own} == {**expected, **own}, request
