"""A fault, a generator and a dialect are each one new file, in the folder or in another wheel, and no edit anywhere."""

import importlib
import sys
from textwrap import dedent

import httpx
import pytest
from support import ask_for, played

from llmsim import dialects, faults, gather, generators, tokens
from llmsim.clock import ToldClock
from llmsim.errors import SettingsError
from llmsim.server.handlers import Application
from llmsim.settings import Settings
from llmsim.simulator import Simulator

HICCUP = '''
    """Hiccup: the first token twice."""

    from dataclasses import replace
    from typing import ClassVar

    from llmsim.faults import Fault


    class Hiccup(Fault):
        """Says the first token `times` times."""

        kind: ClassVar[str] = "hiccup"
        times: int = 2

        def spoil(self, plan, dice):
            pieces, times = list(plan.pieces), list(plan.times)
            return replace(plan, pieces=pieces[:1] * self.times + pieces[1:], times=times[:1] * self.times + times[1:])
'''

SHOUT = '''
    """Shout: the user's words in capitals."""

    from typing import ClassVar

    from llmsim.conversation import Reply
    from llmsim.generators import Generator


    class Shout(Generator):
        kind: ClassVar[str] = "shout"

        def reply(self, ask, dice, target_tokens):
            return Reply((ask.last_user_text.upper() + (self.argument or "!"),), origin="generator shout")
'''

TELEX = '''
    """Telex: an invented API that words a reply as lines."""

    import json
    from typing import ClassVar

    from llmsim.conversation import Ask, Message
    from llmsim.dialects import Answer, Dialect, Encoder, Route
    from llmsim.errors import Failure, Refused
    from llmsim.plan import End, Say


    class TelexEncoder(Encoder):
        media_type = b"text/plain"

        def frame(self, piece):
            if isinstance(piece, End):
                return b"STOP " + piece.stop.value.encode() + b"\\n"
            return b"WORD " + piece.text.encode() + b"\\n" if isinstance(piece, Say) else b""

        def fail(self, failure):
            return b"FAIL " + failure.kind.encode() + b"\\n"

        def whole(self, pieces):
            said = "".join(piece.text for piece in pieces if isinstance(piece, Say))
            return json.dumps({"telex": said, "tokens": self.exchange.plan.usage.completion}).encode()


    class Telex(Dialect):
        kind: ClassVar[str] = "telex"
        provider: ClassVar[str] = "post"

        def routes(self):
            return [Route("POST", "/telex", read=self.read)]

        def read(self, request):
            body = json.loads(request.body)
            if "say" not in body:
                raise Refused(Failure("invalid", "say what?", param="say"))
            return Ask("gpt-4o", (Message("user", body["say"]),), stream=body.get("stream", False), digest=request.body)

        def encoder(self, exchange):
            return TelexEncoder(exchange)

        def failure(self, failure, exchange=None):
            return Answer.json({"bad": failure.kind, "why": failure.message}, failure.status)
'''


def forget():
    for found in (faults.kinds, generators.kinds, generators.make, dialects.kinds, gather.elsewhere, gather._installed):
        found.cache_clear()


@pytest.fixture(params=["a file in the folder", "a wheel with an entry point of its class", "a wheel of its module"])
def install(request, tmp_path, monkeypatch):
    """Adds a file's source to a package of llmsim's, in one of the ways there are."""
    added = []

    def add(package, name, source, class_name):
        text = dedent(source).lstrip()
        if request.param == "a file in the folder":
            (tmp_path / f"{name}.py").write_text(text)
            monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
            added.append(f"{package.__name__}.{name}")
        else:
            (tmp_path / f"acme_{name}.py").write_text(text)
            target = f"acme_{name}:{class_name}" if "class" in request.param else f"acme_{name}"
            dist = tmp_path / f"acme_{name}-1.0.dist-info"
            dist.mkdir()
            (dist / "METADATA").write_text(f"Metadata-Version: 2.1\nName: acme-{name}\nVersion: 1.0\n")
            (dist / "entry_points.txt").write_text(f"[{package.__name__}]\n{name} = {target}\n")
            monkeypatch.syspath_prepend(tmp_path)
            added.append(f"acme_{name}")
        importlib.invalidate_caches()
        forget()

    forget()
    yield add
    monkeypatch.undo()
    for name in added:
        sys.modules.pop(name, None)
    forget()


async def test_a_new_fault_is_one_new_file(install):
    install(faults, "hiccup", HICCUP, "Hiccup")
    settings = Settings(
        generator="fixed:Hello you",
        latency_profile="instant",
        faults=[{"kind": "hiccup", "times": 3, "probability": 1}],
    )
    simulator = Simulator(settings, clock=ToldClock())
    assert (await played(simulator, simulator.begin(ask_for()))).text == "HelloHelloHello you"
    assert settings.faults[0].flat() == {"kind": "hiccup", "times": 3}
    with pytest.raises(SettingsError, match=r"faults\[0\]\.times: 'x' is not allowed"):
        settings.changed(faults=[{"kind": "hiccup", "times": "x"}])
    with pytest.raises(SettingsError, match="there are cut, disorder, drip, empty, garble, hiccup, hold, miscall"):
        simulator.arm({"kind": "hickup"})


async def test_a_new_generator_is_one_new_file(install):
    install(generators, "shout", SHOUT, "Shout")
    simulator = Simulator(Settings(generator="shout: NOW", latency_profile="instant"), clock=ToldClock())
    exchange = simulator.begin(ask_for("come here"))
    assert (await played(simulator, exchange)).text == "COME HERE NOW"
    assert exchange.plan.usage.completion == tokens.count("COME HERE NOW")
    with pytest.raises(SettingsError, match="there are echo, fixed, lorem, sequence, shout, words"):
        simulator.change(generator="shuot")


async def test_a_new_dialect_is_one_new_file(install):
    install(dialects, "telex", TELEX, "Telex")
    tokens.preload()
    simulator = Simulator(Settings(generator="fixed:Hello you", latency_profile="instant"))
    transport = httpx.ASGITransport(app=Application(simulator))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        whole = await client.post("/telex", json={"say": "hi"})
        assert (whole.status_code, whole.json()) == (200, {"telex": "Hello you", "tokens": 2})
        streamed = await client.post("/post/telex", json={"say": "hi", "stream": True})
        assert streamed.text == "WORD Hello\nWORD  you\nSTOP end\n"
        assert streamed.headers["content-type"] == "text/plain"
        refused = await client.post("/telex", json={})
        assert (refused.status_code, refused.json()) == (400, {"bad": "invalid", "why": "say what?"})
        simulator.arm({"kind": "refuse", "status": 503, "after_tokens": 1})
        failed = await client.post("/telex", json={"say": "hi", "stream": True})
        assert failed.text == "WORD Hello\nFAIL unavailable\n"
        assert (await client.get("/telex")).status_code == 405
    assert [one.ask.dialect or "telex" for one in simulator.journal] == ["telex"] * 4
    assert [one.state for one in simulator.journal] == ["done", "done", "failed", "failed"]
    assert simulator.meter.live == {}


def test_what_is_gone_again_is_forgotten():
    forget()
    assert "hiccup" not in faults.kinds()
    assert "shout" not in generators.kinds()
    assert "telex" not in dialects.kinds()


def test_two_classes_of_one_kind_are_an_error_that_names_both(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(dedent(SHOUT).replace('"shout"', '"echo"'))
    monkeypatch.setattr(generators, "__path__", [*generators.__path__, str(tmp_path)])
    try:
        with pytest.raises(ValueError, match=r"both .*(Echo|Shout).* and .*(Shout|Echo).* claim the kind 'echo'"):
            gather.gather("llmsim.generators", "llmsim.generators", generators.Generator)
    finally:
        sys.modules.pop("llmsim.generators.mine", None)


def test_files_with_a_leading_underscore_are_left_out(tmp_path, monkeypatch):
    (tmp_path / "_private.py").write_text("raise RuntimeError('imported')")
    monkeypatch.setattr(generators, "__path__", [*generators.__path__, str(tmp_path)])
    found = gather.gather("llmsim.generators", "llmsim.generators", generators.Generator)
    assert list(found) == ["echo", "fixed", "lorem", "sequence", "words"]


def test_abstract_classes_and_those_without_a_kind_are_left_out(tmp_path, monkeypatch):
    source = (
        dedent(SHOUT)
        + '\n\nclass Nameless(Shout):\n    kind = ""\n\nclass Unfinished(Generator):\n    kind = "unfinished"\n'
    )
    (tmp_path / "several.py").write_text(source)
    monkeypatch.setattr(generators, "__path__", [*generators.__path__, str(tmp_path)])
    found = gather.gather("llmsim.generators", "llmsim.generators", generators.Generator)
    sys.modules.pop("llmsim.generators.several", None)
    assert list(found) == ["echo", "fixed", "lorem", "sequence", "shout", "words"]


def test_a_kind_is_found_by_the_name_of_its_file_and_by_no_other_name_of_a_module():
    forget()
    echo = gather.find("llmsim.generators", "llmsim.generators", generators.Generator, "echo")
    assert echo is generators.kinds()["echo"]
    for name in ("calls", "_objects", "os.path", "", "nothing", "Echo"):
        assert gather.find("llmsim.generators", "llmsim.generators", generators.Generator, name) is None
        with pytest.raises(SettingsError, match="there are echo, fixed"):
            generators.make(name)


def test_where_another_package_claims_a_kind_that_is_here_it_is_told(tmp_path, monkeypatch):
    (tmp_path / "acme_loud.py").write_text(dedent(SHOUT).replace('"shout"', '"echo"'))
    (tmp_path / "acme_loud-1.0.dist-info").mkdir()
    (tmp_path / "acme_loud-1.0.dist-info" / "entry_points.txt").write_text("[llmsim.generators]\nloud = acme_loud\n")
    monkeypatch.syspath_prepend(tmp_path)
    forget()
    try:
        with pytest.raises(ValueError, match="claim the kind 'echo'"):
            generators.make("echo")
    finally:
        monkeypatch.undo()
        sys.modules.pop("acme_loud", None)
        forget()
