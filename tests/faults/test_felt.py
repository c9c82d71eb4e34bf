"""Faults as the official SDK's user feels them, armed by the fixture of the plugin."""

from __future__ import annotations

import openai
import pytest

from llmsim import Running


def ask(retries: int = 0) -> str:
    with openai.OpenAI(max_retries=retries, timeout=10) as client:
        asked = [{"role": "user", "content": "Hi"}]
        return client.chat.completions.create(model="gpt-4o", messages=asked).choices[0].message.content or ""  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (409, openai.ConflictError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
def test_a_refusal_is_the_sdk_s_own_error(llmsim: Running, status: int, raised: type[openai.APIStatusError]) -> None:
    llmsim.fail(status)
    with pytest.raises(raised) as caught:
        ask()
    assert caught.value.status_code == status
    assert len(llmsim.requests) == 1


def test_a_fault_that_is_counted_lets_the_retry_through(llmsim: Running) -> None:
    llmsim.fail(503, count=2, retry_after=0)
    assert ask(retries=2)
    assert [one.status for one in llmsim.requests] == [503, 503, 200]
