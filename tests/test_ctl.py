"""`llmsim ctl` against a real server: each command once, for people and for programs, and what cannot be done."""

from __future__ import annotations

import io
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from replaying import SETTINGS, chat
from taped import recorded

from llmsim import cli
from llmsim.ctl import faults, given, state
from llmsim.ctl.client import Client, ControlError
from llmsim.ctl.follow import Ended
from llmsim.ctl.page import Page, block, lasting, ms, plain, short
from llmsim.tapes import Writer

Ctl = Callable[..., tuple[int, str, str]]

SCENARIO = "phases: [{name: calm, for: 60s}]\nexpect: [{when: 'model:gpt*', times: '>=1'}]\n"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server in a process of its own."""
    code = "import sys; from llmsim.cli import main; sys.exit(main())"
    flags = ["serve", "--port", "0", "--latency-profile", "instant", "--target-tokens", "20"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("LLMSIM_")}
    with subprocess.Popen([sys.executable, "-c", code, *flags], stderr=subprocess.PIPE, text=True, env=env) as server:
        assert server.stderr is not None
        found = next(filter(None, (re.search(r"serving on (\S+)", line) for line in server.stderr)))
        yield found[1]
        server.terminate()
        server.communicate(timeout=30)


@pytest.fixture
def ctl(url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Ctl]:
    """Runs a command; gives its status and what it wrote. The server begins each test anew."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLMSIM_URL", url)

    def run(*words: str) -> tuple[int, str, str]:
        status = cli.main(["ctl", *words])
        return status, *capsys.readouterr()

    yield run
    run("reset")


def done(told: tuple[int, str, str]) -> str:
    """What was written by a command that was done."""
    status, out, err = told
    assert (status, err) == (0, ""), told
    return out


def refused(told: tuple[int, str, str]) -> str:
    """The sentence of a command that could not be done."""
    status, out, err = told
    assert (status, out) == (2, ""), told
    assert err.startswith("llmsim: ")
    return err.removeprefix("llmsim: ").strip()


def ask(url: str, text: str = "I want a refund", model: str = "gpt-4o") -> None:
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": text}]}).encode()
    headers = {"authorization": "Bearer sk-test-key-123456", "user-agent": "tests/1"}
    with urlopen(Request(f"{url}/v1/chat/completions", body, headers)) as answer:
        answer.read()


def rows(out: str) -> list[list[str]]:
    """The cells of a table, without its heads."""
    return [re.split(r"\s{2,}", line.strip()) for line in out.splitlines()[1:]]


# -- the state


def test_status_tells_how_the_server_is(ctl: Ctl, url: str) -> None:
    ask(url)
    told = dict(line.split(maxsplit=1) for line in done(ctl("status")).splitlines())
    assert told["server"].startswith(f"{url}, llmsim ")
    assert told["scenario"] == "none"
    assert json.loads(done(ctl("status", "--json")))["address"] == url
    assert json.loads(done(ctl("--json", "status")))["address"] == url


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        ({"redis": "leads", "replicas": 2}, "replica 1a2b leads 3c4d: 2 replicas"),
        ({"redis": "leads", "replicas": 1}, "replica 1a2b leads alone"),
        ({"redis": "looks for its leader"}, "replica 1a2b looks for its leader"),
        (
            {"redis": "lost", "why": "connection refused"},
            "redis is lost (connection refused): replica 1a2b serves on under its last settings, and counts by itself",
        ),
    ],
)
def test_status_tells_how_the_cluster_is(cluster: dict[str, Any], said: str) -> None:
    workers = [{"index": 0, "requests": 1}, *([{"replica": "3c4d"}] if cluster.get("replicas") == 2 else [])]
    assert state._cluster({"cluster": {"replica": "1a2b", **cluster}, "workers": workers}) == said


def test_status_tells_the_load_of_each_profile(ctl: Ctl, url: str) -> None:
    done(ctl("settings", "profiles={served: {slots: 3, queue: 9}}", "latency_profile=served"))
    ask(url)
    told = done(ctl("status"))
    assert "0 at work of 3 slots, 0 of 9 in the queue, 0 refused, waits ×1" in told
    assert re.search(r"^times +\S", told, re.MULTILINE)


def test_settings_are_shown_changed_guarded_and_taken_back(ctl: Ctl) -> None:
    assert "target_tokens      20" in done(ctl("settings"))
    changed = done(
        ctl("settings", "target_tokens=50", "latency_profile=fast", "model_profiles.gpt-4o=gpt5", "rpm=null")
    )
    assert rows("\n" + changed) == [
        ["target_tokens", "50"],
        ["latency_profile", "fast"],
        ["model_profiles", '{"gpt-4o": "gpt5"}'],
        ["rpm", "none"],
    ]
    assert "undone: target_tokens 50" in done(ctl("undo"))
    assert done(ctl("settings", "target_tokens")) == "target_tokens  20\n"
    now = json.loads(done(ctl("settings", "--json")))["revision"]
    done(ctl("settings", "speed=2", "--if", str(now)))
    assert "the settings have changed since" in refused(ctl("settings", "speed=3", "--if", str(now)))
    assert refused(ctl("settings", "speed=-1")).startswith("speed: -1 is not allowed")
    assert "there is no 'nonsense' here; there are seed" in refused(ctl("settings", "nonsense"))
    assert [row[2:] for row in rows(done(ctl("changes", "--limit", "1")))] == [["ctl", "speed 2.0"]]


def test_parts_are_reset(ctl: Ctl, url: str) -> None:
    ask(url)
    assert done(ctl("reset", "journal", "counts")) == "reset: journal, counts\n"
    assert done(ctl("journal")) == "no such request was seen\n"
    assert done(ctl("reset")) == "reset: all\n"
    assert "there is no" in refused(ctl("reset", "nonsense"))


# -- rules


def test_a_fault_is_armed_listed_and_lifted(ctl: Ctl) -> None:
    told = done(ctl("fault", "429", "count=3", "--for", "20s", "retry_after=2", "--label", "busy", "--id", "x"))
    assert re.fullmatch(r"armed x: 429 .*for 20 s count=3\n", told)
    done(ctl("fault", "cut after_tokens=5 probability=0.5"))
    done(ctl("fault", "503", "scope=model:gpt* key:ci"))
    table = rows(done(ctl("fault")))
    assert table[0][0] == "x"
    assert [row[1] for row in table] == ["busy", "-", "-"]
    assert "50%" in table[1][2]
    assert 'scope="model:gpt* key:ci"' in table[2][2]
    assert table[0][-1].endswith("left")
    assert json.loads(done(ctl("fault", "list", "--json")))[0]["for_s"] == 20.0
    assert done(ctl("fault", "lift", "x")) == "lifted 1 fault\n"
    assert done(ctl("fault", "lift")) == "lifted 2 faults\n"
    assert done(ctl("fault")) == "no fault is armed\n"


def test_a_fault_that_cannot_be_is_told_in_the_servers_sentence(ctl: Ctl) -> None:
    assert refused(ctl("fault", "nonsense")).startswith("kind: there is no fault 'nonsense'; there are ")
    assert refused(ctl("fault", "429", "--for", "soon")).startswith("'soon' is no duration")
    assert refused(ctl("fault", "lift", "x")) == "there is no fault 'x' in force; there are none"
    assert refused(ctl("fault", "list", "x")).startswith("fault list takes nothing more")


def test_a_scope_is_tried_and_kinds_are_listed(ctl: Ctl, url: str) -> None:
    ask(url)
    ask(url, model="gpt-4o-mini")
    assert done(ctl("fault", "preview", "model:*mini")).startswith("it would have met 1 of the last 2 requests\n#")
    assert "\ncut       after_tokens reset\n          Ends the connection after" in done(ctl("fault", "kinds"))


def test_mocks_come_from_files_and_go(ctl: Ctl, url: str, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(
        "mocks:\n- {name: refunds, when: 'text:refund', reply: Five days.}\n- {reply: x}\n"
    )
    (tmp_path / "one.yaml").write_text("{name: one, when: 'model:gpt*', replies: [a, b], times: 2}\n")
    ask(url)
    assert done(ctl("mock", "try", "m.yaml")).startswith("1 of the last 1 requests would have been answered\n")
    assert done(ctl("mock", "add", "m.yaml")).startswith("added refunds, mock-2")
    ask(url)
    assert rows(done(ctl("mock")))[0] == ["refunds", "text:refund", "1", "Five days."]
    assert rows(done(ctl("mock", "put", "one.yaml"))) == [["one", "model:gpt*", "0/2", "2 in turn"]]
    assert done(ctl("mock", "remove", "one")) == "took one away\n"
    assert done(ctl("mock", "reload")) == "there are no mocks\n"
    assert done(ctl("mock", "clear")) == "took 0 mocks away\n"
    assert done(ctl("mock", "states")) == "no machine has left its start\n"


def test_mocks_come_from_the_standard_input_too(ctl: Ctl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("- {name: piped, reply: yes it is}"))
    assert done(ctl("mock", "add", "-")) == "added piped\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO("- ["))
    assert refused(ctl("mock", "add", "-")).startswith("standard input line 1 column")
    monkeypatch.setattr(sys, "stdin", io.StringIO("{nonsense: 1}"))
    assert refused(ctl("mock", "add", "-")).startswith("-: it is no mock")


def test_a_bad_file_of_mocks_is_told_with_its_place_and_nothing_is_added(ctl: Ctl, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("- {name: good, reply: x}\n- name: bad\n  reply: {text: a, boo: 1}\n")
    assert refused(ctl("mock", "add", "bad.yaml")).startswith("bad.yaml line 3 column 20: mock bad: reply.boo")
    assert refused(ctl("mock", "put", "bad.yaml")).startswith("bad.yaml line 3 column 20")
    assert done(ctl("mock")) == "there are no mocks\n"
    assert refused(ctl("mock", "add", "none.yaml")) == "none.yaml: cannot be read: No such file or directory"
    assert refused(ctl("mock", "add")) == "a file is missing"
    assert refused(ctl("mock", "nonsense")).startswith("there is no 'nonsense' here; there are list, add")


def test_limits_are_set_added_drained_and_refilled(ctl: Ctl, url: str, tmp_path: Path) -> None:
    assert rows(done(ctl("limit", "set", "rpm=6", "per=key"))) == [["-", "every request", "key", "rpm=6"]]
    done(ctl("limit", "add", "name=mini", "tpm=10000", "when=model:*mini*", "per="))
    ask(url)
    listed = rows(done(ctl("limit")))
    assert listed[1] == ["mini", "model:*mini*", "all together", "tpm=10000"]
    assert listed[4][2:5] == ["rpm", "5", "6"]  # the next comes in ten seconds
    assert done(ctl("limit", "drain", "--share", "0.5")) == "drained 1 bucket\n"
    assert done(ctl("limit", "refill")) == "refilled 1 bucket\n"
    assert refused(ctl("limit", "drain", "none")) == "name: there is no limit 'none'"
    (tmp_path / "l.yaml").write_text("limits: [{tier: openai-1}]")
    assert "tier" in refused(ctl("limit", "set", "l.yaml"))
    assert "rpm: 'x' is not allowed" in refused(ctl("limit", "set", "rpm=x"))
    assert done(ctl("limit", "clear")).startswith("there are no limits")


# -- traffic


def test_the_journal_is_listed_shown_judged_and_cleared(ctl: Ctl, url: str) -> None:
    ask(url)
    ask(url, model="gpt-4o-mini")
    table = rows(done(ctl("journal")))
    assert [row[3] for row in table] == ["gpt-4o", "gpt-4o-mini"]
    assert table[0][4:6] == ["200", "ok"]
    assert len(rows(done(ctl("journal", "--limit", "1", "model:gpt*")))) == 1
    assert "I want a refund" in done(ctl("journal", "model:*mini", "--bodies"))
    number = table[0][0]
    shown = done(ctl("show", number))
    assert re.search(r"why +made by: generator lorem\n +latency profile: instant", shown)
    assert "I want a refund" in shown
    assert "sk-test-key-123456" not in shown
    assert "2 calls in 2 requests" in done(ctl("verdict", "model:gpt*"))
    assert refused(ctl("journal", "nonsense:1")).startswith("match: column 1 of 'nonsense:1'")
    assert refused(ctl("show", "999999")).startswith("there is no exchange 999999")
    assert done(ctl("journal", "--live")) == "no such request was seen\n"
    assert done(ctl("journal", "--clear")) == "forgot 2 requests\n"


def test_the_journal_is_exported(ctl: Ctl, url: str, tmp_path: Path) -> None:
    ask(url)
    assert done(ctl("journal", "--export", "har", "-o", "t.har")) == ""
    assert len(json.loads((tmp_path / "t.har").read_text())["log"]["entries"]) == 1
    assert stat.S_IMODE((tmp_path / "t.har").stat().st_mode) == 0o600
    assert done(ctl("journal", "--export", "jsonl", "-o", "t.jsonl", "model:none")) == ""
    assert (tmp_path / "t.jsonl").read_text() == ""
    assert refused(ctl("journal", "--export", "jsonl", "-o", "no/t.jsonl")).startswith("no/t.jsonl: cannot be written")


def test_what_has_ended_cannot_be_acted_on(ctl: Ctl, url: str) -> None:
    ask(url)
    number = rows(done(ctl("journal")))[0][0]
    assert refused(ctl("act", number, "pause")) == f"exchange {number} has ended"
    assert refused(ctl("act", number, "speed")).startswith("act N speed takes a value")


def test_a_reply_under_way_is_acted_on(ctl: Ctl, url: str) -> None:
    done(ctl("settings", "profiles={still: {ttft: {mean: 0}, tbt: {mean: 3600000}}}", "latency_profile=still"))
    body = json.dumps({"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": "hi"}]}).encode()
    with urlopen(Request(f"{url}/v1/chat/completions", body, {"authorization": "Bearer sk-test"})) as answer:
        number = rows(done(ctl("journal", "--live")))[0][0]
        assert rows(done(ctl("act", number, "speed", "2")))[0][5] == "live"
        assert json.loads(done(ctl("act", number, "fail", "--json")))["number"] == int(number)
        assert b"error" in answer.read()


def seen(*told: tuple[int, str], last: int = 0) -> dict[str, Any]:
    found = [{"number": number, "outcome": outcome} for number, outcome in told]
    return {"exchanges": found, "last": last or max([number for number, _ in told], default=-1)}


def test_requests_are_told_of_once_as_they_end() -> None:
    ended = Ended(4)
    looks = [
        ([2], seen((4, "ok"), (3, "ok"), last=4), 2),  # 1 is older than was asked for, 2 is under way
        ([2, 5], seen((2, "live"), (3, "ok"), (4, "ok"), (5, "live"), (6, "ok")), 1000),
        ([5], seen((2, "ok"), (3, "ok"), (4, "ok"), (5, "live"), (6, "ok"), (7, "live")), 1000),
        ([7], seen((5, "cut"), (6, "ok"), (7, "live")), 1000),
        ([], seen((7, "ok"), last=7), 1000),
        ([], seen(last=7), 1000),
    ]
    told = [[one["number"] for one in ended.fresh(*look)] for look in looks]
    assert told == [[3, 4], [6], [2], [5], [7], []]
    assert ended.after == 7


def test_the_journal_is_followed(ctl: Ctl, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(url)
    waits = iter([False, False, True])

    class Now:
        def wait(self, seconds: float) -> bool:
            ask(url, model="gpt-4o-mini")
            return next(waits)

    monkeypatch.setattr("llmsim.ctl.follow.Event", Now)
    out = done(ctl("journal", "--follow", "model:gpt*"))
    assert [row[3] for row in rows(out)] == ["gpt-4o", "gpt-4o-mini", "gpt-4o-mini"]
    assert len({line.index("gpt-4o") for line in out.splitlines()[1:]}) == 1
    waits = iter([True])
    assert len(done(ctl("journal", "--follow", "--json", "--limit", "2")).splitlines()) == 2


def test_verify_tells_by_its_status(ctl: Ctl, url: str, tmp_path: Path) -> None:
    ask(url)
    assert done(ctl("verify")).startswith("met    expected at least 1 request, saw 1")
    assert done(ctl("verify", "model:gpt*", "--times", "1", "--within", "10m", "--of-clients", "1"))
    status, out, _ = ctl("verify", "model:claude*", "--times", "2..4")
    assert (status, out[:55]) == (1, "UNMET  expected 2 to 4 requests with model:claude*, saw")
    (tmp_path / "e.yaml").write_text("expect:\n- 'model:gpt*'\n- {when: 'status:429', times: 0}\n")
    assert [line[:5] for line in done(ctl("verify", "-f", "e.yaml")).splitlines()] == ["met  ", "met  "]
    assert json.loads(done(ctl("verify", "--json", "-f", "e.yaml")))["holds"] is True
    assert refused(ctl("verify", "--times", "often")).startswith("times: 'often' is not allowed")
    assert refused(ctl("verify", "x", "-f", "e.yaml")).startswith("-f: a file tells all")


def test_a_scenario_is_begun_watched_stopped_and_recorded(ctl: Ctl, url: str, tmp_path: Path) -> None:
    (tmp_path / "calm.yaml").write_text(SCENARIO)
    assert done(ctl("scenario", "calm.yaml")) == "began calm, which lasts 1 min 00 s\n"
    assert refused(ctl("scenario", "calm.yaml")).startswith("the scenario calm is running")
    assert done(ctl("scenario")).startswith("scenario calm running, phase calm, ")
    status, out, _ = ctl("scenario", "stop")
    assert (status, out.splitlines()[1][:26]) == (1, "UNMET  expected at least 1")
    assert "no scenario is running" in refused(ctl("scenario", "stop"))
    (tmp_path / "short.yaml").write_text("phases: [{name: blink, for: 10ms}]\nexpect: [{times: 0}]")
    lines = done(ctl("scenario", "short.yaml", "--wait")).splitlines()
    assert [line.split("  ", 1)[1] for line in lines[:3]] == ["short began", "short: blink", "short done"]
    assert lines[4] == "met    expected no request, saw none"
    done(ctl("settings", "target_tokens=33"))
    assert done(ctl("scenario", "record", "-o", "mine.yaml", "--name", "mine")) == "wrote mine.yaml\n"
    assert "target_tokens: 33" in (tmp_path / "mine.yaml").read_text()
    assert json.loads(done(ctl("scenario", "record", "--json")))["name"] == "recorded"


def test_a_bad_scenario_is_told_with_its_place(ctl: Ctl, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("phases:\n  - {name: a, for: 1s, arm: {kind: boom}}\n")
    assert refused(ctl("scenario", "bad.yaml")).startswith(
        "bad.yaml line 2 column 5: phases[0]: kind: there is no fault"
    )
    (tmp_path / "bad.yaml").write_text("- 1\n")
    assert refused(ctl("scenario", "bad.yaml")) == "bad.yaml: a scenario is a mapping, not a list"


def test_events_are_told(ctl: Ctl) -> None:
    done(ctl("settings", "target_tokens=44"))
    assert re.search(r"^\d\d:\d\d:\d\d\.\d{3}  change    target_tokens 44  \(ctl\)$", done(ctl("events")), re.MULTILINE)
    told = [json.loads(line) for line in done(ctl("events", "--json")).splitlines()]
    assert any(one["text"] == "target_tokens 44" for one in told)
    assert done(ctl("events", "--after", str(told[-1]["number"]))) == ""


def test_events_are_followed(url: str) -> None:
    happening = Client(url).events()
    assert next(happening) is None
    Client(url).call("PATCH", "/settings", {"target_tokens": 21})
    event = next(happening)
    assert event is not None
    assert (event["text"], event["who"]) == ("target_tokens 21", "ctl")
    Client(url).post("/undo")


# -- what cannot be reached


def test_a_server_that_is_not_there_is_told_with_how_to_start_one(ctl: Ctl) -> None:
    told = refused(ctl("--url", "127.0.0.1:1", "status"))
    assert told.startswith("cannot reach http://127.0.0.1:1: connection refused; start a server with `llmsim serve`")
    assert refused(ctl("status", "--url", "ftp://x")).startswith("--url: 'ftp://x' is no address of a server")
    assert refused(ctl("status", "--url", "http://x:y")).startswith("--url: 'http://x:y' is no address")


def test_what_is_no_llmsim_is_told(ctl: Ctl, url: str) -> None:
    assert "has no control API of llmsim" in refused(ctl("status", "--url", f"{url}/nowhere"))
    assert done(ctl("status", "--url", f"{url}/v1"))


def test_a_refusal_says_how_a_token_is_given() -> None:
    told = json.dumps({"error": {"message": "they need the token"}}).encode()
    assert str(Client()._refused(403, told)) == "they need the token; here: --token TOKEN"


def test_the_token_is_sent(ctl: Ctl, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr("llmsim.ctl.options.Client", lambda *given: made.append(given) or Client(given[0]))
    monkeypatch.setenv("LLMSIM_CONTROL_TOKEN", "from-env")
    done(ctl("status"))
    done(ctl("status", "--token", "from-flag"))
    assert [token for _, token in made] == ["from-env", "from-flag"]
    assert Client(token="x")._headers["authorization"] == "Bearer x"


def test_a_reader_that_has_seen_enough_is_no_error(url: str) -> None:
    code = "import sys; from llmsim.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "ctl", "--url", url, "settings", "--json"]
    read, write = os.pipe()
    os.close(read)
    with subprocess.Popen(command, stdout=write, stderr=subprocess.PIPE) as asked:
        os.close(write)
        _, err = asked.communicate(timeout=30)
    assert (asked.returncode, err) == (141, b"")


# -- the words and the page


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("0.5", 0.5),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("echo:hi", "echo:hi"),
        ("fixed: hi", "fixed: hi"),
        ('"5"', "5"),
        ("[a, b]", ["a", "b"]),
        ("{gpt-4o: fast}", {"gpt-4o": "fast"}),
    ],
)
def test_a_value_is_read_as_yaml_has_it(text: str, value: Any) -> None:
    assert given.value(text) == value


def test_what_is_no_value_no_field_and_no_duration_is_refused() -> None:
    with pytest.raises(ControlError, match="the value line 1 column"):
        given.value("[a")
    with pytest.raises(ControlError, match="'rpm' is not allowed here; it is written as NAME=VALUE"):
        given.fields(["rpm"])
    assert [given.seconds(text) for text in ("20s", "500ms", "2m", "1h", "3")] == [20, 0.5, 120, 3600, 3]


def test_a_word_that_the_shell_unquoted_becomes_a_field() -> None:
    assert faults.armed(["429 count=3"]) == {"fault": "429 count=3"}
    assert faults.armed(["429", "count=3", "scope=a b"]) == {"fault": "429 count=3", "scope": "a b"}


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_columns_stand_below_each_other_whatever_is_in_them() -> None:
    to = io.StringIO()
    Page(to=to).table(("a", "n", "c"), [("日本", 1, "x\n\x1b[31my"), ("b", 1000, None)], "n")
    assert to.getvalue() == "a        n  c\n日本     1  x  [31my\nb     1000  -\n"


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    page = Page(to=Terminal())
    page.verdict(False, "no")
    assert page.to.getvalue() == "\x1b[31mUNMET\x1b[0m  no\n"  # type: ignore[attr-defined]
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Page(to=Terminal()).coloured
    assert not Page(json=True, to=Terminal()).coloured


def test_an_encoding_that_lacks_a_sign_shows_a_question_mark() -> None:
    to = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Page(to=to).line("a…b")
    to.flush()
    assert to.buffer.getvalue() == b"a?b\n"  # type: ignore[attr-defined]


def test_figures_are_short() -> None:
    assert [lasting(value) for value in (2.04, 20.0, 65, 3700, None)] == [
        "2 s",
        "20 s",
        "1 min 05 s",
        "1 h 01 min",
        "-",
    ]
    assert [ms(value) for value in (3.4, 12_345, None)] == ["3 ms", "12.3 s", "-"]
    assert [plain(value) for value in (None, True, 0.5, [1], "")] == ["-", "yes", "0.5", "[1]", "-"]
    assert short("abcdef", 4) == "abc…"
    assert block("a\x07b\nc") == "a b\nc"


def test_replay_puts_a_tape_in_and_takes_it_out(ctl: Ctl, tmp_path: Path) -> None:
    for take in recorded(SETTINGS, chat("Hi")):
        writer = Writer(tmp_path / "run.jsonl")
        writer.write(take)
        writer.close()
    tape = str(tmp_path / "run.jsonl")
    told = done(ctl("replay", tape, "--mode", "none"))
    assert told == f"{tape}: 1 takes, 0 played, 0 answered, 0 not on it, mode none\n"
    assert "run.jsonl line 1" in done(ctl("replay", "takes"))
    assert done(ctl("replay", "misses")) == ""
    assert "0 played" in done(ctl("replay", "rewind"))
    assert json.loads(done(ctl("--json", "replay")))["takes"] == 1
    done(ctl("replay", "stop"))
    assert refused(ctl("replay")) == "no tape is being replayed"
    assert "there is no such tape" in refused(ctl("replay", "nope.jsonl"))


def test_record_passes_requests_on_until_it_is_stopped(ctl: Ctl, tmp_path: Path) -> None:
    tape = str(tmp_path / "recorded.jsonl")
    told = done(ctl("record", "--upstream", "openai", "--upstream", "vllm=http://127.0.0.1:1", "--tape", tape))
    assert told.splitlines() == [
        f"{tape}: 0 exchanges",
        "0 under way, 0 masks, 0 bytes",
        "openai -> https://api.openai.com",
        "vllm -> http://127.0.0.1:1",
    ]
    assert json.loads(done(ctl("--json", "record")))["tape"] == tape
    assert "is under way" in refused(ctl("record", "--upstream", "openai", "--tape", tape))
    done(ctl("record", "stop"))
    assert refused(ctl("record")) == "nothing is being recorded"
    assert "vllm: '' is no address" in refused(ctl("record", "--upstream", "vllm", "--tape", tape))
    assert "there are status, stop" in refused(ctl("record", "pause"))
