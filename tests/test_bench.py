"""The bench: its arithmetic, its floor's bytes, and its verdicts, without a clock or a server."""

import json
import struct
from array import array
from pathlib import Path

import pytest

from bench import floor, pyload
from bench.apis import WORDINGS, Api, chat_request, request
from bench.dialects import dearest
from bench.findings import Finding, against, of_values, unknown
from bench.goals import GOALS, PARTS, Better, Goal, Verdict
from bench.load import Sample
from bench.long import latenesses, prompt, ticking, worst_within
from bench.machine import Reading
from bench.paced import RUNGS, Ladder
from bench.pacing import Stream, pacing, percentile, read_moments, slope
from bench.report import as_json, goals_table, number, rows, samples_table, summary
from bench.servers import LONG_TOKENS, Kind, llmsim_words, rules
from llmsim import tokens
from tests.inprocess import ask
from tests.running import application

TBT = 0.02
dear: dict[Api, int] = {"chat": 400, "responses": 300, "anthropic": 200, "gemini": 100}


def sample(server: str = "llmsim", **figures: float) -> Sample:
    usual = {"seconds": 2.0, "replies": 0, "tokens": 1000, "failures": 0, "server_cpu": 0.5, "memory": 0}
    return Sample(server=server, **(usual | {"load_share": 0.4, "others": 0.02} | figures))  # type: ignore[arg-type]


def due(tokens: int, *, first: float = 1.0, late: float = 0.0) -> Stream:
    """A stream whose tokens come at their moments, each `late` seconds later than the one before it should lead to."""
    return Stream(first - 0.1, [first + k * (TBT + late) for k in range(tokens)])


def figures(*streams: Stream, opened: float = 0.0, closed: float = 100.0, asked: int | None = None):
    return pacing(streams, opened=opened, closed=closed, tbt=TBT, asked=asked or len(streams))


def unchunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        whole, body = whole + body[:length], body[length + 2 :]
    return whole


def chunks_of(reply: bytes) -> list[dict]:
    """The JSON of each event of a streamed reply, which must end with [DONE]."""
    head, _, body = reply.partition(b"\r\n\r\n")
    assert b"text/event-stream" in head
    events = unchunked(body).decode().split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    return [json.loads(event.removeprefix("data: ")) for event in events[:-2]]


def test_the_floors_stream_is_one_chunk_a_token():
    contents = [chunk["choices"][0]["delta"].get("content") for chunk in chunks_of(floor.stream(100))]
    assert contents == ["", *["lorem "] * 100, None]


def test_the_floors_paced_pieces_add_up_to_its_stream():
    paced = floor.STREAM_HEAD + floor.FRAMED_OPENING + 100 * floor.FRAMED_EVENT + floor.FRAMED_END
    assert chunks_of(paced) == chunks_of(floor.stream(100))


def test_the_floors_whole_reply_is_as_long_as_it_says():
    head, _, body = floor.WHOLE.partition(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head
    assert json.loads(body)["choices"][0]["message"]["content"].count("lorem") == floor.TOKENS


class Wire:
    """A transport that remembers what was written."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data


@pytest.mark.parametrize("cut", [1, 60, 150])
def test_the_floor_answers_requests_however_they_are_cut(cut: int):
    server, wire = floor.Floor(None), Wire()
    server.connection_made(wire)  # type: ignore[arg-type]
    asked = chat_request() + chat_request(stream=True, max_tokens=3)
    for at in range(0, len(asked), cut):
        server.data_received(asked[at : at + cut])
    assert wire.written == floor.WHOLE + floor.stream(3)


def test_tokens_at_their_moments_have_no_jitter_and_no_drift():
    found = figures(due(100), due(100, first=7.0))
    assert found.jitter_p99 == pytest.approx(0, abs=1e-6)
    assert found.drift == pytest.approx(0, abs=1e-6)
    assert found.ttft_p50 == pytest.approx(100)


def test_drift_is_what_each_token_adds():
    assert figures(due(200, late=0.001), due(200, late=0.001)).drift == pytest.approx(1.0)


def test_a_late_first_token_is_not_charged_to_the_others():
    moments = [1.0 + k * TBT for k in range(200)]
    moments[0] += 0.015
    found = figures(Stream(0.9, moments))
    assert found.jitter_p50 == pytest.approx(0, abs=1e-6)
    assert found.jitter_p99 == pytest.approx(0, abs=1e-6)


def test_jitter_is_the_distance_from_the_streams_own_median():
    early_and_late = [1.0 + k * TBT + (0.004 if k % 2 else -0.004) for k in range(101)]
    found = figures(Stream(0.9, early_and_late))
    assert found.jitter_p99 == pytest.approx(8.0)
    assert found.jitter_p50 == pytest.approx(0, abs=1e-6)


def test_the_share_counts_the_tokens_of_the_window_against_all_that_were_asked_for():
    half = figures(due(1000), asked=2, opened=2.0, closed=12.0)
    assert half.tokens == pytest.approx(500, abs=1)
    assert half.share == pytest.approx(0.5, abs=0.002)


def test_streams_are_held_only_at_the_full_rate_and_without_jitter():
    assert figures(due(1000), opened=2.0, closed=12.0).held()
    assert not figures(due(1000), opened=2.0, closed=12.0, asked=2).held()
    assert not figures(due(1000, late=0.0002), opened=2.0, closed=12.0).held()


def test_no_token_at_all_is_a_share_of_nothing():
    found = figures(Stream(0.0, []), asked=1)
    assert (found.tokens, found.share, found.held()) == (0, 0.0, False)


def test_percentiles_take_the_nearest_value():
    assert [percentile([1, 2, 3, 4, 5], share) for share in (0, 0.5, 0.99, 1)] == [1, 3, 5, 5]
    assert percentile([], 0.5) != percentile([], 0.5)


def test_a_slope_is_the_rise_from_one_to_the_next():
    assert slope([3.0, 5.0, 7.0, 9.0]) == pytest.approx(2.0)


def test_moments_are_read_as_the_load_client_writes_them(tmp_path: Path):
    file = tmp_path / "moments"
    file.write_bytes(b"".join(struct.pack("=qd", 2, asked) + array("d", [5.0, 6.0]).tobytes() for asked in (1.0, 2.0)))
    streams = read_moments(file)
    assert [(stream.asked, list(stream.moments)) for stream in streams] == [(1.0, [5.0, 6.0]), (2.0, [5.0, 6.0])]


class Counted:
    """Stands for the client behind one connection of the load client in Python."""

    def __init__(self) -> None:
        self.tokens = self.replies = self.refused = 0
        self.counting, self.moments = True, None
        self.token = pyload.token_pattern("content")

    def count(self, tokens: int) -> None:
        self.tokens += tokens


@pytest.mark.parametrize("cut", [7, 100, 100_000])
def test_the_load_client_in_python_counts_tokens_and_replies_however_they_are_cut(
    cut: int, monkeypatch: pytest.MonkeyPatch
):
    connection, client = object.__new__(pyload.Connection), Counted()

    def ask(self: pyload.Connection) -> None:
        self.unread, self.in_head, self.left, self.moments = b"", True, 0, []

    monkeypatch.setattr(pyload.Connection, "ask", ask)
    connection.client = client  # type: ignore[assignment]
    connection.ask()
    for reply in (floor.stream(20), floor.WHOLE, floor.stream(30)):
        for at in range(0, len(reply), cut):
            connection.read(reply[at : at + cut], 1.0)
    assert (client.tokens, client.replies, client.refused) == (50, 3, 0)


@pytest.mark.parametrize("api", WORDINGS)
async def test_each_apis_request_is_answered_with_a_token_an_event(api: Api):
    head, _, body = request(api, stream=True, max_tokens=30).partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    told = await ask(application(), WORDINGS[api].streamed_path, body, **fields)
    assert told.status == 200
    assert len(pyload.token_pattern(WORDINGS[api].token).findall(told.body)) == 20


@pytest.mark.parametrize("api", WORDINGS)
def test_a_request_is_as_long_as_it_says(api: Api):
    head, _, body = request(api).partition(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head
    assert head.startswith(f"POST {WORDINGS[api].path} HTTP/1.1\r\n".encode())


def test_the_dearest_api_is_the_one_judged():
    samples = {api: [sample(api, tokens=0, replies=replies)] for api, replies in dear.items()}
    found = dearest(samples)
    assert (found.value, found.note) == (4.0, "gemini")
    assert dearest(samples | {"anthropic": []}).value is None


def test_a_long_prompt_is_one_of_a_hundred_thousand_tokens_and_never_the_same():
    body = json.loads(prompt(1).partition(b"\r\n\r\n")[2])
    assert tokens.count(body["messages"][0]["content"]) == pytest.approx(100_000, rel=0.01)
    assert prompt(1) != prompt(2)


def test_the_wait_of_others_is_that_of_the_latest_token_due_meanwhile():
    moments = [1.0 + k * TBT for k in range(100)]
    moments[50] += 0.018
    told = latenesses([Stream(0.9, moments)], TBT)
    assert worst_within(told, [(1.5, 1.9), (1.9, 2.1), (9.0, 9.5)]) == pytest.approx([0, 18], abs=1e-6)


def test_only_prompts_during_which_all_streams_tick_are_judged():
    streams = [due(100), due(100, first=2.0)]
    assert ticking(streams, [(1.5, 1.6), (2.1, 2.2), (2.5, 2.8), (2.9, 3.1)]) == [(2.5, 2.8)]
    assert ticking([], [(1.0, 2.0)]) == []


def test_a_ladder_finds_the_highest_rung_that_holds():
    for limit in (50, 100, 1000, 1250, 9999):
        ladder = Ladder()
        while rung := ladder.next:
            ladder.tell(rung, held=rung <= limit)
        assert ladder.held == max((rung for rung in RUNGS if rung <= limit), default=0)


def test_others_are_all_that_was_busy_and_not_our_own():
    before, after = Reading(1.0, 1.0, 10.0, 0.0), Reading(2.0, 1.5, 13.0, 0.5)
    assert after.others_since(before, load_cpu=1.0, seconds=2.0) == pytest.approx((3.0 + 0.5 - 1.0 - 0.5 - 1.0) / 2)
    assert before.others_since(before, load_cpu=1.0, seconds=2.0) == 0


def test_a_ratio_is_the_median_of_the_rounds_ratios():
    ours, theirs = [sample(tokens=n) for n in (200, 400, 600)], [sample("floor", tokens=n) for n in (100, 100, 400)]
    found = against("K2.floor", ours, theirs, lambda run: run.tokens_per_second)
    assert (found.value, found.lowest, found.highest) == (2.0, 1.5, 4.0)
    assert (found.ours, found.theirs) == (200, 50)


def test_nothing_to_compare_with_is_no_figure():
    assert against("K1.aimock", [sample()], [], lambda run: run.tokens_per_second).value is None
    assert against("K1.aimock", [sample()], [sample(tokens=0)], lambda run: run.tokens_per_second).value is None
    assert of_values("K5.stream", []).value is None


def test_a_disturbed_run_and_a_tired_load_client_are_told():
    found = of_values("K3.drift", [0.01], [sample(others=0.3, load_share=0.99)])
    assert found.remarks == "disturbed; the load client was at its limit"
    assert of_values("K3.drift", [0.01], [sample()]).remarks == ""


@pytest.mark.parametrize(
    ("better", "value", "verdict"),
    [
        (Better.MORE, 1.2, Verdict.AIM),
        (Better.MORE, 0.9997, Verdict.AIM),
        (Better.MORE, 0.95, Verdict.REACH),
        (Better.MORE, 0.89, Verdict.MISSED),
        (Better.LESS, 0.8, Verdict.AIM),
        (Better.LESS, 1.0, Verdict.REACH),
        (Better.LESS, 1.3, Verdict.MISSED),
        (Better.LESS, None, Verdict.UNKNOWN),
        (Better.MORE, float("nan"), Verdict.UNKNOWN),
    ],
)
def test_a_value_is_judged_by_what_is_to_be_reached(better: Better, value: float | None, verdict: Verdict):
    reach, aim = (0.9, 1.0) if better is Better.MORE else (1.2, 1.0)
    assert Goal("K1.x", "a figure", "×", better, reach, aim).judge(value) is verdict


def test_every_aim_is_harder_than_what_is_to_be_reached():
    for goal in GOALS:
        assert goal.judge(goal.aim if goal.better is Better.MORE else goal.aim - 0.002) is Verdict.AIM
        assert goal.judge(goal.reach if goal.better is Better.MORE else goal.reach - 0.002) is not Verdict.MISSED
    assert PARTS == ("K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8", "K9", "K10")


def test_the_report_keeps_the_goals_order_and_tells_what_is_missing():
    findings = [unknown("K7.start", "it does not start"), Finding("K1.aimock", 1.25, 100, 80)]
    assert [(goal.key, verdict) for goal, _, verdict in rows(findings)] == [
        ("K1.aimock", Verdict.REACH),
        ("K7.start", Verdict.UNKNOWN),
    ]
    assert goals_table(findings, "llmsim").row_count == 2
    told = json.loads(as_json(findings, [("K1", sample())], ["a note"], "llmsim"))
    assert told["goals"][1]["remarks"] == "it does not start"
    assert told["samples"][0]["part"] == "K1"


def test_the_servers_are_summed_up_by_their_medians():
    runs = [("K1", sample("floor", tokens=0, replies=n)) for n in (100, 300, 200)]
    assert samples_table(runs).row_count == 1
    assert summary([run for _, run in runs])["replies"] == 100
    assert summary([run for _, run in runs])["cpu"] == pytest.approx(2500)


def test_numbers_are_short():
    assert [number(value) for value in (1234.5, 0.12345, 12.0, None, float("nan"))] == [
        "1,234",
        "0.123",
        "12",
        "–",
        "–",
    ]


def test_llmsim_is_armed_as_people_run_it(tmp_path: Path):
    words = llmsim_words(Kind.PACED, 9000, tmp_path)
    config = Path(words[words.index("--config") + 1]).read_text()
    assert "probability: 0" in config
    assert "profiles" in config
    assert len(rules(10)["faults"]) == 2
    assert len(rules(2000)["mocks"]) == 2000
    assert "instant" in llmsim_words(Kind.INSTANT, 9000, tmp_path)
    long = llmsim_words(Kind.LONG, 9000, tmp_path)
    assert "speed: 10" in Path(long[long.index("--config") + 1]).read_text()
    assert str(LONG_TOKENS) in long
