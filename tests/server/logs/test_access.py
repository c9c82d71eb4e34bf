"""Each request has one line with the id that its client got, and a flood of them has so many a second."""

import logging

import httpx
import pytest
from running import application
from support import ask_for, played

from llmsim.server.logs.access import Access, told
from llmsim.server.logs.forms import fields

CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.INFO, "llmsim.requests")
    return caplog


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("/v1/chat/completions", "x-request-id"),
        ("/v1/messages", "request-id"),
        ("/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21", "x-request-id"),
        ("/model/anthropic.claude-3-haiku-20240307-v1:0/converse", "x-amzn-requestid"),
    ],
)
@pytest.mark.parametrize("body", [{}, CHAT], ids=["refused", "asked"])
async def test_the_id_of_the_line_is_the_one_that_the_client_got(log, path, header, body):
    app = application()
    Access(app.simulator, 10)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as asking:
        answer = await asking.post(path, json=body, headers={"authorization": "Bearer sk-aaaabbbbccccdddd"})
    (line,) = log.records
    said = fields(line)
    assert said["request_id"] == answer.headers[header]
    assert str(said["exchange"]) == answer.headers["x-llmsim-exchange"]
    assert said["status"] == answer.status_code
    assert said["key"] == "sk-…dddd"


def test_a_line_tells_how_it_went_and_no_secret(simulator):
    ask = ask_for(model="gpt-4o", stream=True, key="sk-aaaabbbbccccdddd", endpoint="/v1/chat?key=sk-aaaabbbbccccdddd")
    ask.headers = {b"traceparent": b"00-%b-b7ad6b7169203331-01" % TRACE.encode()}
    exchange = simulator.begin(ask)
    said = told(exchange)
    assert (said["path"], said["key"], said["trace_id"]) == ("/v1/chat?key=sk-…dddd", "sk-…dddd", TRACE)


@pytest.mark.parametrize("parent", [b"", b"00-" + b"0" * 32 + b"-x-01", b"\xff" * 40, b"00-zz-1-1"])
def test_a_trace_that_is_none_is_left_out(simulator, parent):
    ask = ask_for()
    ask.headers = {b"traceparent": parent}
    assert "trace_id" not in told(simulator.begin(ask))


async def test_a_flood_has_so_many_lines_a_second_then_a_sum(simulator, clock, log):
    Access(simulator, 2)
    for _ in range(5):
        simulator.end(simulator.begin(ask_for()), "abandoned")
    assert len(log.records) == 2
    await clock.advance(1.0)
    assert log.messages[2:] == ["3 more requests are not shown"]
    simulator.end(simulator.begin(ask_for()), "abandoned")
    assert len(log.records) == 4


async def test_times_are_told_in_milliseconds(simulator, log):
    Access(simulator, 2)
    await played(simulator, simulator.begin(ask_for(stream=True)))
    said = fields(log.records[0])
    assert (said["ttft_ms"], said["duration_ms"], said["tokens_out"]) == (100.0, 140.0, 5)
