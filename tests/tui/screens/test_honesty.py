"""The honesty meter: it says whether the times are to be trusted, and what to do where they are not."""

from __future__ import annotations

from dataclasses import replace

from llmsim_tui.trust import Frames, advice, doubtful, rows, verdict
from tui.stage import stage

from llmsim.honesty import Honesty

GOOD = Honesty(100, 0.2, 0.204, 0.009, 45.0, 44.8, 0.012, 0.001, 0.004, 0.011)
LATE = replace(GOOD, off_p95=0.08, late_p95=0.09, lag_p95=0.05, lag_max=0.2)


async def test_doubts_are_on_every_screen_and_explained_on_its_own() -> None:
    async with stage((120, 40)) as console:
        assert "times?" not in console.text()
        console.backend.honest = LATE
        await console.tick()
        assert "times? H" in console.lines()[0]
        await console.press("H")
        assert "Do not trust the times: first tokens come up to 80 ms later than asked" in console.text()
        assert "fewer streams at once" in console.text()
        console.backend.honest = GOOD
        await console.tick(8)
        assert "The times can be trusted: 100 replies" in console.text()


def test_what_to_do_depends_on_what_is_late() -> None:
    assert advice(GOOD, Frames()) == []
    assert "--attach" in advice(LATE, Frames(cost=0.05))[0]
    assert "fewer streams" in advice(LATE, Frames())[0]
    assert "clients that read slowly" in advice(replace(LATE, lag_p95=0.001), Frames())[0]


def test_without_a_reply_nothing_is_claimed_and_one_late_reply_is_no_warning() -> None:
    assert not doubtful(replace(LATE, replies=4))
    assert "too few to tell" in verdict(replace(LATE, replies=4))
    assert verdict(Honesty()).startswith("No reply has come to its end yet")
    assert rows(Honesty(), Frames())[0][1:3] == ("…", "…")
    assert rows(GOOD, Frames(cost=0.012, slow=True))[-1][3] == "2 frames a second"
