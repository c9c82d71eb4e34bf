"""The inspector: all of one exchange, its neighbours a key away, and nothing a client wrote is obeyed."""

from __future__ import annotations

from llmsim_tui.widgets.flows import Flows
from tui.fake import FakeBackend, Told
from tui.stage import stage


async def test_j_and_k_go_to_the_neighbours_without_closing() -> None:
    async with stage((100, 28)) as console:
        console.one(Flows).select(100)
        await console.press("enter")
        assert "#100 POST /v1/chat/completions" in console.text()
        await console.press("j", "j", "k")
        assert "#101 " in console.text()
        assert console.one(Flows).cursor == 101
        assert "profile gpt4o: TTFT" in console.text()
        await console.press("escape")
        assert console.one(Flows).has_focus


async def test_at_the_end_of_the_list_it_stays() -> None:
    async with stage((100, 28), seconds=3) as console:
        await console.press("home", "enter", "k")
        assert "#0 " in console.text()


async def test_a_reply_under_way_grows_while_it_is_looked_at() -> None:
    async with stage((100, 28)) as console:
        await console.press("enter")
        assert "under way" in console.text()
        before = console.text()
        await console.wait(1.2)
        assert console.text() != before
        await console.wait(9)
        assert "200 ok" in console.text()


async def test_pages_turn_where_there_is_no_room_for_all() -> None:
    async with stage((80, 24)) as console:
        await console.press("home", "enter")
        assert "why" in console.text()
        await console.press("tab")
        assert '"content": "Tell me in' in console.text()
        assert "why" not in console.text()
        await console.press("tab", "tab", "shift+tab")
        assert "reply" in console.lines()[2]
        await console.resize(120, 40)
        while console.app.screen.has_class("-pages"):
            await console.pilot.pause(0.01)
        await console.tick()
        assert "why" in console.text()


async def test_an_exchange_that_is_no_longer_kept_says_so() -> None:
    async with stage((100, 28)) as console:
        await console.press("home", "enter")
        console.backend.kept = 5
        await console.tick()
        assert "This exchange is no longer kept" in console.text()


async def test_hostile_text_is_shown_and_never_obeyed() -> None:
    backend = FakeBackend(Told())
    async with stage((100, 28), backend=backend) as console:
        hostile = "[red]\x1b]0;gone\x07\x1b[2J\u202e[/nonsense] @click=app.quit"
        for one in backend.exchanges:
            one.client = one.model = one.prompt = one.text = hostile
            one.faults = (hostile,)
        backend.say(hostile, hostile, hostile, "▼" + hostile)
        await console.wait(1)
        for keys in ((), ("home", "enter"), ("escape", "l")):
            await console.press(*keys)
            text = console.text()
            assert not {char for char in text if ord(char) < 32 and char != "\n"}
            assert "\u202e" not in text
            assert "[red]␛]0;" in text


async def test_a_huge_reply_is_cut_off_and_says_by_how_much() -> None:
    backend = FakeBackend(Told())
    async with stage((100, 28), backend=backend) as console:
        backend.exchanges[0].prompt = "x" * 70_000
        await console.press("home", "enter")
        request = console.app.screen.query_one("#request")
        while not request.max_scroll_y:
            await console.pilot.pause(0.01)
        request.scroll_end(animate=False, immediate=True)
        await console.tick()
        assert "characters more" in console.text()


async def test_a_body_that_is_no_json_is_shown_as_it_came() -> None:
    backend = FakeBackend(Told())
    async with stage((100, 28), backend=backend) as console:
        kept = dict(backend.detail(0) or {})
        kept |= {"request": {**kept["request"], "body": "{broken\x1b"}, "reply": ""}
        backend.detail = lambda number: kept  # type: ignore[method-assign]
        await console.press("home", "enter")
        assert "{broken␛" in console.text()
        assert "nothing" in console.text()
