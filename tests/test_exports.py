"""What leaves the journal for other programs is whole, valid by the formats' own rules, and without a secret."""

import json
from datetime import datetime
from pathlib import Path

import orjson
import pytest
from histories import WALL, History
from jsonschema import Draft6Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT6
from support import ask_for

from llmsim.clock import ToldClock
from llmsim.dialects import Request
from llmsim.exports import entry, har, har_chunks, jsonl
from llmsim.plan import Usage
from llmsim.settings import Settings
from llmsim.simulator import Simulator

KEY = "sk-test1234567890abcd"
SCHEMAS = json.loads((Path(__file__).parent / "har_schema.json").read_text())["schemas"]
REGISTRY = Registry().with_resources((name, Resource(schema, DRAFT6)) for name, schema in SCHEMAS.items())
HAR = Draft6Validator(SCHEMAS["har.json"], registry=REGISTRY, format_checker=Draft6Validator.FORMAT_CHECKER)


def mixed() -> History:
    history = History()
    history.refused(0.0, told=1.5, headers={b"authorization": f"Bearer {KEY}".encode(), b"cookie": b"a=secret-cookie"})
    history.ok(2.0, attempt=1, faults=("slow",), usage=Usage(10, 3))
    history.cut(3.0, model="claude-opus-4-5", body=b'{"api_key": "%b"}' % KEY.encode())
    history.left(4.0, sent=0)
    history.live(5.0)
    history.ok(6.0, said=f"your key is {KEY}", endpoint=f"/v1beta/models/x y:generateContent?key={KEY}", stream=False)
    return history


# -- entries


def test_an_entry_says_all_there_is():
    history = mixed()
    assert entry(history.exchanges[1], earlier=1) == {
        "number": 2,
        "time": "2023-11-14T22:13:22.000Z",
        "client": "app",
        "key": "sk-…abcd",
        "provider": "openai",
        "api": "openai_chat",
        "endpoint": "/v1/chat/completions",
        "model": "gpt-4o",
        "stream": True,
        "attempt": 1,
        "retry_of": 1,
        "follows": None,
        "status": 200,
        "outcome": "ok",
        "ttft_ms": {"asked": 0.0, "achieved": 0.0},
        "duration_ms": 100.0,
        "late_ms": 0.0,
        "tbt_ms": {"asked": 50.0, "achieved": 50.0},
        "hindered": False,
        "paced_by_hand": False,
        "load": None,
        "tokens": {"sent": 3, "planned": 3},
        "usage": {"prompt": 10, "completion": 3, "thinking": 0, "cached": 0},
        "cost": 5.5e-05,
        "profile": "",
        "origin": "",
        "mock": None,
        "faults": ["slow"],
        "why": ["made by: ", "the client's try number 2", "dice: 0000000000000000"],
        "request": '{"messages":[{"role":"user","content":"Tell me a story."}]}',
        "request_cut": False,
        "reply": "one two three",
        "reply_cut": False,
    }


def test_the_time_is_rfc_3339():
    told = entry(History().ok(0.5))["time"]
    assert datetime.fromisoformat(told).timestamp() == WALL + 0.5


def test_what_is_not_there_is_none():
    told = entry(mixed().exchanges[4])
    assert (told["outcome"], told["duration_ms"], told["retry_of"]) == ("live", None, None)
    told = entry(mixed().exchanges[3])
    assert (told["status"], told["ttft_ms"]["achieved"]) == (None, None)


def test_a_wait_that_was_told_is_among_the_reasons():
    assert "told to wait 1.5 s" in entry(mixed().exchanges[0])["why"]


def test_texts_are_bounded_and_can_be_left_out():
    exchange = History().ok(0.0, said="word " * 5000, text="x" * 50_000)
    told = entry(exchange, limit=100)
    assert (len(told["request"]), told["request_cut"], len(told["reply"]), told["reply_cut"]) == (100, True, 100, True)
    assert "request" not in entry(exchange, bodies=False)


def test_a_model_without_a_price_has_no_cost():
    assert entry(History().ok(0.0, model="mine"))["cost"] is None


# -- lines


def test_each_line_is_an_entry_and_retries_name_the_try_before():
    lines = b"".join(jsonl(mixed().exchanges)).splitlines()
    told = [orjson.loads(line) for line in lines]
    assert [one["number"] for one in told] == [1, 2, 3, 4, 5, 6]
    assert [one["retry_of"] for one in told] == [None, 1, None, None, 4, None]
    assert KEY not in b"".join(lines).decode()


# -- archives


def test_an_archive_is_valid_by_the_schemas_of_har():
    HAR.validate(har(mixed().exchanges))
    HAR.validate(har([]))
    with_replies = har(mixed().exchanges, replay=lambda _: (b"data: x\n\n", [(b"content-type", b"text/event-stream")]))
    HAR.validate(with_replies)


def test_the_schemas_refuse_what_is_none():
    broken = har(mixed().exchanges)
    del broken["log"]["entries"][0]["request"]["url"]
    assert not HAR.is_valid(broken)


def test_an_archive_in_parts_is_the_same_archive():
    exchanges = mixed().exchanges
    assert orjson.loads(b"".join(har_chunks(exchanges))) == har(exchanges)
    assert orjson.loads(b"".join(har_chunks([]))) == har([])


def entries(**more):
    return har(mixed().exchanges, **more)["log"]["entries"]


def test_what_is_under_way_is_left_out():
    assert [one["comment"].split()[0] for one in entries()] == ["#1", "#2", "#3", "#4", "#6"]


def test_times_add_up_to_the_whole():
    for one in entries():
        timings = one["timings"]
        assert one["time"] == pytest.approx(timings["send"] + timings["wait"] + timings["receive"])


def test_headers_queries_cookies_and_bodies_are_masked():
    first, *_, last = entries(base="http://127.0.0.1:8000/")
    assert {"name": "authorization", "value": "Bearer sk-…abcd"} in first["request"]["headers"]
    assert first["request"]["cookies"] == [{"name": "a", "value": "…"}]
    assert last["request"]["url"] == ("http://127.0.0.1:8000/v1beta/models/x%20y:generateContent?key=sk-%E2%80%A6abcd")
    assert last["request"]["queryString"] == [{"name": "key", "value": "sk-…abcd"}]
    assert last["response"]["content"]["text"] == "your key is sk-…abcd"
    assert KEY not in json.dumps(entries(), ensure_ascii=False)
    assert "secret-cookie" not in json.dumps(entries())


def test_without_a_replay_the_text_of_the_reply_is_told_and_said_to_be_that():
    content = entries()[1]["response"]["content"]
    assert (content["text"], content["size"]) == ("one two three", 13)
    assert content["comment"].startswith("The bytes of a reply are not kept; this is its text")


def test_with_a_replay_the_wording_of_the_api_is_told():
    body = b'data: {"x": "%b"}\n\n' % KEY.encode()
    response = entries(replay=lambda _: (body, [(b"content-type", b"text/event-stream"), (b"x-request-id", b"r1")]))[1][
        "response"
    ]
    assert response["content"]["text"] == 'data: {"x": "sk-…abcd"}\n\n'
    assert response["content"]["mimeType"] == "text/event-stream"
    assert {"name": "x-request-id", "value": "r1"} in response["headers"]
    assert response["bodySize"] == len(body)
    assert entries(replay=lambda _: b"{}")[1]["response"]["content"]["text"] == "{}"
    assert entries(replay=lambda _: None)[1]["response"]["content"]["text"] == "one two three"


def test_a_body_that_is_no_text_is_told_in_base64():
    content = entries(replay=lambda _: b"\x89PNG\xff\xfe\x00 and so on")[0]["response"]["content"]
    assert (content["encoding"], content["text"][:6]) == ("base64", "iVBOR/")


def test_a_response_that_ended_early_says_so():
    ends = [one["response"]["comment"] for one in entries()]
    assert ends[2] == "The connection was cut before the end."
    assert ends[3] == "No response was sent: the client had left."
    assert entries()[3]["response"]["status"] == 0


def test_the_request_line_is_told_as_it_came_where_it_is_known():
    exchange = History().ok(0.0, endpoint="/v1/files/{file_id}")
    exchange.asked = (None, None, Request("DELETE", "/v1/files/file-1", "x=1"))
    request = har([exchange])["log"]["entries"][0]["request"]
    assert (request["method"], request["url"]) == ("DELETE", "http://localhost/v1/files/file-1?x=1")


def test_long_bodies_are_cut_and_said_to_be():
    history = History()
    history.ok(0.0, text="x" * 500, said="y" * 500)
    (one,) = har(history.exchanges, limit=100)["log"]["entries"]
    assert len(one["request"]["postData"]["text"]) == 100
    assert one["request"]["postData"]["comment"] == "The body was longer; this is its beginning."
    assert one["request"]["bodySize"] > 500


async def test_an_entry_says_what_the_load_did():
    settings = Settings(profiles={"served": {"slots": 1, "slowing": 2}}, latency_profile="served")
    simulator = Simulator(settings, clock=ToldClock())
    held, other = (simulator.begin(ask_for(text)) for text in ("a", "b"))
    assert entry(held)["load"] == {"queued_ms": 0.0, "others": 0, "slowing": 1.0}
    assert entry(other)["load"] == {"queued_ms": None, "others": None, "slowing": 1.0}
    assert "load: waits for a slot" in entry(other)["why"]
    await simulator.clock.advance(1)
    simulator.end(held, "abandoned")
    assert entry(other)["load"]["queued_ms"] == 1000.0
    assert "load: waited 1000 ms for a slot, 0 others at work, waits 1.00 times as long at last" in entry(other)["why"]


def test_an_archive_tells_what_was_asked_of_the_times_and_what_was_achieved_in_a_field_of_its_own():
    first = har(mixed().exchanges[1:2])["log"]["entries"][0]["_llmsim"]
    told = entry(mixed().exchanges[1])
    assert first["number"] == 2
    for name in ("ttft_ms", "tbt_ms", "late_ms", "hindered", "load", "profile", "outcome"):
        assert first[name] == told[name]
