"""The settings screen: every setting with its meaning, changed at once, refused in words, taken back."""

from __future__ import annotations

import pytest
from llmsim_tui.preferences import _schema, preferences
from llmsim_tui.screens.mocks import Mocks
from llmsim_tui.screens.settings import Preferences
from llmsim_tui.widgets.rows import Rows
from tui.fake import FakeBackend, Told
from tui.stage import Stage, stage

from llmsim.settings import Settings


async def go(console: Stage, name: str) -> None:
    """Selects a setting."""
    rows = console.app.screen.query_one(Rows)
    rows.select([one.name for one in rows.state].index(name))
    await console.tick()


async def test_every_setting_of_the_model_is_there_with_its_meaning() -> None:
    found = {one.name: one for one in preferences(FakeBackend(Told()))}
    assert list(found) == list(Settings.model_fields)
    assert all(one.meaning for one in found.values())
    assert found["strict"].kind == "switch"
    assert found["target_tokens"].allowed == "a whole number from 1 to 200,000"
    assert found["rpm"].allowed.endswith("or nothing for none")
    assert "echo" in found["generator"].allowed


async def test_values_are_switched_typed_turned_and_taken_back() -> None:
    async with stage((100, 30)) as console:
        await console.press("comma")
        await go(console, "strict")
        await console.press("space")
        assert console.backend.settings().strict
        await go(console, "target_tokens")
        await console.press("enter", "ctrl+u", "4", "2", "enter")
        assert console.backend.settings().target_tokens == 42
        await go(console, "latency_profile")
        await console.press("right")
        assert console.backend.settings().latency_profile == next(iter(console.backend.profiles()))
        await console.press("d")
        assert console.backend.settings().latency_profile is None
        await console.press("u", "u", "u", "u")
        assert console.backend.settings() == Settings()
        await console.press("escape")
        assert not isinstance(console.app.screen, Preferences)


@pytest.mark.parametrize(
    ("typed", "words"),
    [("0", "target_tokens: '0' is not allowed"), ("many", "target_tokens: 'many' is not allowed")],
)
async def test_a_value_that_cannot_be_is_refused_in_words_and_stays_to_be_mended(typed: str, words: str) -> None:
    async with stage((100, 30)) as console:
        await console.press("comma")
        await go(console, "target_tokens")
        await console.press("enter", "ctrl+u", *typed, "enter")
        assert words in console.text()
        assert console.backend.settings() == Settings()
        assert typed in console.text()
        await console.press("escape")
        assert isinstance(console.app.screen, Preferences)


async def test_nothing_typed_is_none_and_rules_open_their_own_screen() -> None:
    async with stage((100, 30)) as console:
        await console.backend.change(rpm=5)
        await console.press("comma")
        await go(console, "rpm")
        await console.press("enter", "ctrl+u", "enter")
        assert console.backend.settings().rpm is None
        await go(console, "mocks")
        await console.press("enter")
        assert isinstance(console.app.screen, Mocks)


async def test_who_only_watches_changes_nothing() -> None:
    async with stage((100, 30), read_only=True) as console:
        await console.press("comma")
        await go(console, "strict")
        await console.press("enter")
        assert not console.backend.settings().strict
        assert "only watches" in console.toasts()[-1]


async def test_what_the_fields_mean_is_worked_out_once_and_not_at_every_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    schema = Settings.model_json_schema
    monkeypatch.setattr(Settings, "model_json_schema", lambda: made.append(1) or schema())
    _schema.cache_clear()
    async with stage((80, 24)) as console:
        await console.press("comma", "down")
        await console.tick(8)
    assert len(made) == 1
