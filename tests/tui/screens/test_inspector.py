"""The inspector: all of one exchange, its neighbours a key away, and nothing a client wrote is obeyed."""

from __future__ import annotations

from typing import Any

from llmsim_tui.screens.live import Live
from llmsim_tui.widgets.dossier import Dossier
from llmsim_tui.widgets.flows import Flows
from llmsim_tui.widgets.tabs import Tabs
from llmsim_tui.widgets.timeline import Tokens
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


async def test_pages_turn_by_key_and_by_click() -> None:
    async with stage((80, 24)) as console:
        await console.press("home", "enter")
        assert "why" in console.text()
        await console.press("tab")
        assert '"content": "Tell me in' in console.text()
        assert "why" not in console.text()
        await console.press("w")
        assert 'data: {"choices"' in console.text()
        await console.press("tab")
        assert "pieces sent · first after" in console.text()
        await console.pilot.click(Tabs, offset=(2, 0))
        await console.tick()
        assert "why" in console.text()
        await console.pilot.click("#keys", offset=(2, 0))
        assert isinstance(console.app.screen, Live)
        await console.press("enter", "shift+tab")
        assert "There is no earlier try" in console.text() or "and #0 +" in console.text()


async def test_where_there_is_room_it_is_docked_and_goes_along_with_the_list() -> None:
    async with stage((160, 40)) as console:
        console.one(Flows).select(200)
        await console.press("enter")
        dossier = console.one(Dossier)
        assert isinstance(console.app.screen, Live)
        assert dossier.region.right == 160
        assert "#200 POST" in console.text()
        await console.press("j")
        assert (dossier.number, console.one(Flows).cursor) == (201, 201)
        console.one(Flows).focus()
        await console.press("up", "up")
        assert dossier.number == 199
        await console.press("1")
        assert console.backend.settings().faults
        await console.press("enter", "escape")
        assert not dossier.display
        assert console.one(Flows).has_focus


async def test_the_tries_of_a_call_are_linked_and_told_apart() -> None:
    async with stage((120, 40)) as console:
        console.one(Flows).select(240)
        await console.press("enter")
        dossier = console.app.screen.query_one(Dossier)
        await console.tick()
        assert "tries of this call" in console.text()
        place = list(dossier.tries).index(240)
        await console.press("h")
        assert dossier.number == dossier.tries[place - 1] if place else dossier.number == 240
        await console.press("l", "d")
        assert "request" in console.text()
        assert [line for line in console.lines() if "+Tell" in line or '+      "content"' in line] or not place


async def test_a_request_is_copied_asked_again_and_made_a_mock() -> None:
    async with stage((100, 30)) as console:
        await console.press("home", "enter", "y")
        assert "curl -N -X POST 'http://127.0.0.1:8080/v1/chat/completions'" in console.app.clipboard
        assert "$OPENAI_API_KEY" in console.text()
        for word in ("httpx.stream(", "client.chat.completions.create(", '"asked"'):
            await console.press("y")
            assert word in console.app.clipboard
        assert "sk-" not in console.app.clipboard.replace("sk-…", "")
        await console.press("r")
        assert console.backend.acted == [(0, "resend")]
        assert "was asked again: it is #" in console.toasts()[-1]


async def test_a_stall_stands_out_on_the_timeline() -> None:
    async with stage((100, 30)) as console:
        console.backend.exchanges[0].stall = (4, 2.0)
        await console.press("home", "enter", "tab", "tab")
        assert "1 stall" in console.text()
        assert "+20" in console.text()
        await console.press("end")
        assert console.app.screen.query_one(Tokens).top > 0


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
        await console.press("home", "enter", "tab")
        request = console.app.screen.query_one("#request")
        request.scroll_end(animate=False, immediate=True)
        await console.tick()
        assert "characters more" in console.text()


async def test_a_body_that_is_no_json_is_shown_as_it_came() -> None:
    backend = FakeBackend(Told())
    async with stage((100, 28), backend=backend) as console:
        kept = dict(backend.detail(0) or {})
        kept |= {"request": {**kept["request"], "body": "{broken\x1b"}, "reply": ""}
        backend.detail = lambda number: kept  # type: ignore[method-assign]
        await console.press("home", "enter", "tab")
        assert "{broken␛" in console.text()
        assert "nothing" in console.text()


async def test_the_timeline_shows_when_pieces_went_out_and_how_late() -> None:
    async with stage((120, 40)) as console:
        detail = console.backend.detail

        def late(number: int) -> dict[str, Any]:
            told = dict(detail(number))
            went = [at + 80.0 * (place == 3) for place, (at, _, _) in enumerate(told["pieces"])]
            return {**told, "went": [None, *went[1:]]}

        console.backend.detail = late
        console.one(Flows).select(10)
        await console.press("enter", "tab", "tab")
        assert "times as they went out" in console.text()
        assert "late p50 0 ms, worst 80 ms" in console.text()
        assert "80.0 ms late" in console.text()
        console.backend.detail = lambda number: {**late(number), "steady": False}
        await console.tick()
        assert "its pace was changed by hand: nothing to compare" in console.text()
        console.backend.detail = lambda number: {**detail(number), "went": []}
        await console.tick()
        assert "times as asked for: nobody looked" in console.text()


async def test_what_the_stream_page_says_is_shortened_by_whole_figures() -> None:
    async with stage((60, 16)) as console:
        await console.press("enter", "tab", "tab")
        line = next(one for one in console.lines() if "pieces sent" in one)
        assert "…" not in line
        assert "first after" in line
