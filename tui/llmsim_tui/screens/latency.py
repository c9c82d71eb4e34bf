"""The latency dialog: the waits observed, a candidate drawn over them, and the sliders that shape it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast, get_args

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Resize
from textual.strip import Strip
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from llmsim.latency import Kind, Profile, Spread
from llmsim_tui.commands import bindings
from llmsim_tui.palette import ink
from llmsim_tui.screens.ticking import Dialog
from llmsim_tui.shaping import EVERY, change, in_force, in_words, load_in_words, same, shaped, spread
from llmsim_tui.text import clip, flag, safe, wait
from llmsim_tui.widgets.heatmap import HeatMap, Warmth
from llmsim_tui.widgets.lines import Line, Lines, told
from llmsim_tui.widgets.slider import Choice, Scale, Slider
from llmsim_tui.widgets.spread import Distribution, Waits
from llmsim_tui.widgets.words import Words

_KINDS: Final = tuple(kind for kind in get_args(Kind) if kind != "empirical")
_SCALES: Final = {
    "ttft-mean": ("TTFT mean", Scale(1, 60_000)),
    "ttft-stddev": ("TTFT stddev", Scale(1, 20_000)),
    "tbt-mean": ("TBT mean", Scale(0.1, 5_000)),
    "tbt-stddev": ("TBT stddev", Scale(0.1, 2_000)),
}


def _count(none: str) -> Callable[[float], str]:
    return lambda value: f"{round(value):,}" if value >= 1 else none


_LOAD: Final[Mapping[str, tuple[str, Scale, Callable[[float], str]]]] = {
    "slots": ("slots", Scale(1, 10_000), _count("any number")),
    "queue": ("queue", Scale(1, 100_000), _count("none waits")),
    "slowing": ("slowing", Scale(0.01, 100), lambda value: f"+{value:.3g}×" if value else "none"),
    "prefill_ms_per_token": ("prefill/token", Scale(0.001, 100), lambda value: wait(value) if value else "none"),
    "cache_tokens": ("cache tokens", Scale(100, 4_000_000), _count("no cache")),
    "cache_s": ("cache unused", Scale(1, 604_800), lambda value: f"{value:.3g} s" if value else "for ever"),
}
"""The load terms: what each slider is called, its track, and its value in words; 0 is what there is none of."""
_BESIDE: Final = 76
"""Columns from which the presets stand beside the sliders."""
_WHOLE: Final = ("slots", "queue", "cache_tokens")


class Verdict(Lines):
    """One line: what is drawn, what it means in words, and whether it is in force."""

    def lines(self, width: int, height: int) -> Iterator[Strip]:
        """The line; a problem stands in place of the words."""
        ink = self.ink
        seen, words, tag, problem = self.state or (0, "", "", "")
        line = Line(ink).add("█", ink.bar)
        if width < 80:
            words, tag = words.replace("-token answer", " tokens"), tag.replace("each model its own", "each its own")
        if width >= 80:
            line.add(f" observed ({seen})  ", ink.dim).add("┅", ink.tone["preview"]).add(" candidate  ", ink.dim)
        else:
            line.add(" seen ", ink.dim).add("┅", ink.tone["preview"]).add(" candidate ", ink.dim)
        tone = ink.tone["limited" if tag in ("live", "not applied") else "ok"]
        room = width - line.width - len(tag) - 1
        if cell_len(words) > room:  # half a figure would be another figure
            words = words.split(" · ")[0]
        line.add(problem or words, ink.tone["failed"] if problem else ink.bold, width=max(1, room))
        yield line.add(" ").add(tag, tone).strip(width)


class Latency(Dialog):
    """Shapes a latency profile; nothing changes before it is applied."""

    BINDINGS = bindings("latency")
    AUTO_FOCUS = "#ttft-mean"
    place = "latency"

    def __init__(self) -> None:
        super().__init__()
        self.base = Profile()
        self.applied = Profile()
        self.candidate: Profile | None = None
        self.problem = ""
        self.live = False
        self.loads = False
        self.choosing = False
        self._resting: Profile | None = None
        self._tried: Profile | None = None

    def compose(self) -> ComposeResult:
        """Words, chart, sliders; presets beside them."""
        with Vertical(id="dialog"):
            yield Verdict(id="verdict")
            with Horizontal(id="halves"):
                with Vertical(id="shape"):
                    chart = Distribution(id="candidate")
                    chart.can_focus = False
                    yield chart
                    for part in ("ttft", "tbt"):
                        for name in (f"{part}-mean", f"{part}-stddev"):
                            yield Slider(*_SCALES[name], id=name)
                        yield Choice(f"{part.upper()} shape", _KINDS, id=f"{part}-kind")
                    for name, (label, scale, words) in _LOAD.items():
                        yield Slider(label, scale, id=f"load-{name}", words=words)
                    yield Words(id="load-words")
                    yield Choice("for", [EVERY], id="scope")
                yield OptionList(id="presets", compact=True, markup=False)
            yield HeatMap(id="heat")
        yield from self.keys()

    def on_mount(self) -> None:
        """Starts from what is in force."""
        backend = self.console.backend
        self.query_one("#scope", Choice).put(EVERY, [EVERY, *dict.fromkeys(backend.models())])
        presets = self.query_one("#presets", OptionList)
        presets.border_title = told(ink(self.app), Text("profile · ttft · tbt")).plain
        for name, profile in backend.profiles().items():
            words = f"{clip(safe(name), 18)} {profile.ttft.middle:5.0f} {profile.tbt.middle:3.0f}"
            presets.add_option(Option(words))
        self.query_one("#heat").display = False
        self.show_keys()
        self.on_resize()
        self._turn()
        self._start()
        names = [name for name, profile in backend.profiles().items() if same(profile, self.applied)]
        presets.highlighted = list(backend.profiles()).index(names[0]) if names else None

    def on_resize(self, event: Resize | None = None) -> None:
        """Sliders and presets beside each other; where there is no room, in turns."""
        tight = self.app.size.width < _BESIDE
        self.query_one("#shape").display = not tight or not self.choosing
        self.query_one("#presets").display = not tight or self.choosing

    def _start(self) -> None:
        """Loads the profile in force for the scope."""
        name, self.applied = in_force(self.console.backend, self._scope)
        self._entitle(name, self._scope)
        self._load(self.applied)

    def _entitle(self, name: str, scope: str) -> None:
        words = told(ink(self.app), Text(f"latency · {safe(name)} · {safe(scope)}")).plain
        self.query_one("#dialog").border_title = Content(words)

    @property
    def _scope(self) -> str:
        return self.query_one("#scope", Choice).value

    def _load(self, profile: Profile) -> None:
        self.base = profile
        for part, there, now in (
            ("ttft", profile.ttft, self.applied.ttft),
            ("tbt", profile.tbt, self.applied.tbt),
        ):
            self._put(part, there, now)
        for name in _LOAD:
            slider = self.query_one(f"#load-{name}", Slider)
            slider.put(float(getattr(profile, name) or 0), float(getattr(self.applied, name) or 0))
        self._shape()

    def _put(self, part: str, wait: Spread, now: Spread) -> None:
        """Sets one spread's sliders; where its values come from samples they say so."""
        kinds = (*_KINDS, "empirical") if wait.samples else _KINDS
        note = f"from {len(wait.samples)} samples" if wait.samples else ""
        self.query_one(f"#{part}-mean", Slider).put(round(wait.middle, 2), round(now.middle, 2), note)
        self.query_one(f"#{part}-stddev", Slider).put(wait.stddev, now.stddev, note)
        self.query_one(f"#{part}-kind", Choice).put(wait.kind, kinds)

    def _shape(self) -> None:
        """Makes the candidate of what the sliders say, and shows it."""
        made = [
            spread(
                self.query_one(f"#{part}-kind", Choice).value,
                self.query_one(f"#{part}-mean", Slider).value,
                self.query_one(f"#{part}-stddev", Slider).value,
                base,
            )
            for part, base in (("ttft", self.base.ttft), ("tbt", self.base.tbt))
        ]
        self.problem = next((one for one in made if isinstance(one, str)), "")
        self.candidate = None
        if not self.problem:
            whole = shaped(self.base, cast(Spread, made[0]), cast(Spread, made[1]), self._loaded())
            self.problem = whole if isinstance(whole, str) else ""
            self.candidate = None if isinstance(whole, str) else whole
        self._show()

    def _loaded(self) -> dict[str, Any]:
        """The load terms that the sliders say."""
        told: dict[str, Any] = {name: self.query_one(f"#load-{name}", Slider).value for name in _LOAD}
        told |= {name: round(told[name]) for name in _WHOLE}
        return told | {name: told[name] or None for name in ("slots", "cache_s")}

    def action_loads(self) -> None:
        """Shows the load terms in the place of the spreads, or the spreads again."""
        if self.query_one("#heat").display:
            self.action_heat()
        self.loads = not self.loads
        self._turn()
        self.query_one(self._first).focus()

    def action_heat(self) -> None:
        """Shows the waits over time in the place of all else, or the sliders again."""
        heat, halves = self.query_one(HeatMap), self.query_one("#halves")
        heat.display, halves.display = not heat.display, heat.display
        self.query_one(Verdict).display = halves.display
        self.set_focus(heat if heat.display else self.query_one(self._first))
        self.call_after_refresh(self._warm)

    def _warm(self) -> None:
        """Shows what has come since."""
        heat, console = self.query_one(HeatMap), self.console
        if not heat.display:
            return
        period, columns = console.heat.columns(heat.wanted)
        told = [one for one in getattr(self.app.screen_stack[0], "log_lines", ()) if one.mark]
        marks = [(console.heat.place(one.wall, heat.wanted, period), safe(flag(one.mark))) for one in told]
        here = tuple(one for one in marks if 0 <= one[0] < heat.wanted)
        heat.show_state(Warmth(tuple(tuple(sorted(one.items())) for one in columns), here, period))

    @property
    def _first(self) -> str:
        return "#load-slots" if self.loads else "#ttft-mean"

    def _turn(self) -> None:
        for row in self.query_one("#shape").query("Slider, Choice, #load-words"):
            if row.id != "scope":
                row.display = (row.id or "").startswith("load-") == self.loads

    def _show(self) -> None:
        seen = tuple(self.console.backend.ttfts())
        there = self.candidate
        tag = self._tag(there)
        words = f" {in_words(there)} " if there else ""
        self.query_one(Verdict).show_state((len(seen), words, tag, f" {self.problem} " * bool(self.problem)))
        if there:
            self.query_one(Distribution).show_state(Waits(seen, there.ttft))
            self.query_one("#load-words", Static).update(told(ink(self.app), Text(load_in_words(there))))

    def _tag(self, there: Profile | None) -> str:
        if there is None or not self._is_applied(there):
            return "live" if self.live else "not applied"
        apart = self._scope == EVERY and self.console.backend.settings().latency_profile is None
        return "each model its own" if apart else "in force"

    def _is_applied(self, profile: Profile) -> bool:
        return same(profile, self.applied)

    def tick(self, beat: int) -> None:
        """Shows newly observed waits; applies by itself what has rested for a tick, where that was asked for."""
        settled = self.candidate is not None and self.candidate == self._resting
        self._resting = self.candidate
        if self.live and settled and self.candidate != self._tried:
            self.action_apply()
        if beat % 2 == 0:
            self._show()
            self._warm()

    def on_slider_changed(self) -> None:
        """Shapes anew."""
        self._shape()

    def on_choice_changed(self, message: Choice.Changed) -> None:
        """Takes another shape, or another scope and what is in force there."""
        if message.choice.id == "scope":
            self._start()
            return
        for part in ("ttft", "tbt"):
            kind = self.query_one(f"#{part}-kind", Choice).value
            for name in (f"{part}-mean", f"{part}-stddev"):
                slider = self.query_one(f"#{name}", Slider)
                slider.note = slider.note if kind == "empirical" else ""
                slider.redraw()
        self._shape()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Loads a named profile as the candidate."""
        if self.app.size.width < _BESIDE:
            self.action_side()
        self._load(list(self.console.backend.profiles().values())[event.option_index])

    def action_apply(self) -> None:
        """Puts the candidate in force."""
        profile, scope = self.candidate, self._scope
        if profile is None:
            self.console.say(f"Not applied: {self.problem}", "error")
            return

        def told(_: None) -> None:
            self.applied = profile
            name, _profile = in_force(self.console.backend, scope)
            self._entitle(name, scope)
            self._mark()

        self._tried = profile
        wanted = change(self.console.backend, scope, profile)
        pace = f"{wait(profile.ttft.middle)} to the first token, {wait(profile.tbt.middle)} a token"
        text = f"latency of {safe(scope)}: {pace}"
        self.console.attempt(lambda: self.console.backend.change(text=text, mark="latency", **wanted), told)

    def _mark(self) -> None:
        """Moves the marks of the values in force, leaves the knobs."""
        for part, now in (("ttft", self.applied.ttft), ("tbt", self.applied.tbt)):
            for name, value in ((f"{part}-mean", round(now.middle, 2)), (f"{part}-stddev", now.stddev)):
                slider = self.query_one(f"#{name}", Slider)
                slider.mark = value
                slider.redraw()
        for name in _LOAD:
            slider = self.query_one(f"#load-{name}", Slider)
            slider.mark = float(getattr(self.applied, name) or 0)
            slider.redraw()
        self._show()

    def action_live(self) -> None:
        """Applies by itself from now on, or no longer."""
        if not self.console.may_change():
            return
        self.live, self._tried = not self.live, self.applied
        self._show()
        self.query_one("#dialog").border_subtitle = "live-apply is on" if self.live else ""

    def action_undo(self) -> None:
        """Takes the last change back and loads what is then in force."""
        self.live = False
        self.console.undo(self._start)

    def action_redo(self) -> None:
        """Makes it again."""
        self.live = False
        self.console.redo(self._start)

    def action_rows(self, by: int) -> None:
        """Goes to another slider."""
        rows = ("Slider", "Choice")
        if self.focused is not None and self.focused.id != "presets":
            self.focus_next(", ".join(rows)) if by > 0 else self.focus_previous(", ".join(rows))

    def action_side(self) -> None:
        """Goes between sliders and presets."""
        if self.query_one("#heat").display:
            self.action_heat()
        there = self.focused is not None and self.focused.id == "presets"
        self.choosing = not there
        self.on_resize()
        self.query_one(self._first if there else "#presets").focus()
