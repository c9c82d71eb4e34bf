"""The live screen: what the clients do, what they get, and the pads that spoil it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from textual.app import ComposeResult
from textual.events import Key, Resize
from textual.geometry import Region
from textual.widget import Widget
from textual.widgets import Input

from llmsim.errors import SettingsError
from llmsim_tui.backend import Happening, Pulse
from llmsim_tui.commands import bar, bindings
from llmsim_tui.folding import PANELS, TABS, fold, tabbed
from llmsim_tui.screens.acting import Acting
from llmsim_tui.screens.event import Event
from llmsim_tui.screens.honesty import Trust
from llmsim_tui.screens.latency import Latency
from llmsim_tui.screens.limits import Limits
from llmsim_tui.screens.mocks import Mocks
from llmsim_tui.screens.pad_edit import PadEdit
from llmsim_tui.screens.rates import Rates
from llmsim_tui.screens.scenario import ScenarioRun
from llmsim_tui.screens.settings import Preferences
from llmsim_tui.screens.tape import tape_dialog
from llmsim_tui.screens.ticking import Dialog
from llmsim_tui.screens.verdicts import Verdicts
from llmsim_tui.sieve import HINT, Sieve
from llmsim_tui.widgets.bars import Bars, Traffic
from llmsim_tui.widgets.buckets import Buckets
from llmsim_tui.widgets.dossier import Dossier
from llmsim_tui.widgets.events import Log
from llmsim_tui.widgets.flows import Flows
from llmsim_tui.widgets.keybar import KeyBar
from llmsim_tui.widgets.lines import Opens, Panel
from llmsim_tui.widgets.pads import Pads
from llmsim_tui.widgets.retried import Retried
from llmsim_tui.widgets.safety import SafetyLine
from llmsim_tui.widgets.spread import Distribution, Waits
from llmsim_tui.widgets.streams import Streams
from llmsim_tui.widgets.words import hints_as_drawn

_EVENTS: Final = 500
_DIALOGS: Final[dict[str, type[Dialog]]] = {
    "honesty": Trust,
    "latency": Latency,
    "limits": Limits,
    "mocks": Mocks,
    "rates": Rates,
    "scenario": ScenarioRun,
    "settings": Preferences,
    "verdict": Verdicts,
}
_PROMPT: Final = "edit which pad?  1-8 · esc"


class Live(Acting):
    """Safety line, pads, charts, requests, streams and events, folded by the size of the terminal."""

    BINDINGS = bindings("live")
    AUTO_FOCUS = "#requests"
    own_places: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self.frozen = False
        self.zoomed = ""
        self.tab = "requests"
        self.choosing = False
        self.limited = False
        self._pulse: Pulse | None = None
        self.log_lines: deque[Happening] = deque(maxlen=_EVENTS)

    def compose(self) -> ComposeResult:
        """All panels; which are seen and where is for `fold` to say."""
        yield SafetyLine(id="safety")
        yield Pads(id="pads")
        yield Bars(id="chart")
        yield Distribution(id="latency")
        yield Flows(id="requests")
        yield Streams(id="streams")
        yield Retried(id="retries")
        yield Buckets(id="limits")
        yield Log(id="events")
        yield Dossier(id="inspector")
        yield KeyBar(id="keys")
        yield Input(id="filter", compact=True, placeholder=HINT)

    def on_mount(self) -> None:
        """Hides the filter line until it is wanted."""
        self.query_one("#filter").display = False
        self._fold()

    def on_resize(self, event: Resize | None = None) -> None:
        """Folds anew."""
        self._fold()
        self.call_after_refresh(self.console.refresh_views)

    def _fold(self) -> None:
        width, height = self.app.size
        places = self.placed(fold(width, height, self.tab, self.zoomed, self.inspecting, self.limited))
        for widget in self.children:
            name = "keys" if widget.id == "filter" else widget.id or ""
            if name in places:
                region = places[name]
                widget.styles.offset = region.offset
                widget.styles.width, widget.styles.height = region.size
            if widget.id != "filter":
                widget.display = name in places
        tabs = TABS if tabbed(width, height) and not self.zoomed else ()
        for panel in self.query(Panel):
            panel.tabs = tuple((name, name == panel.id) for name in tabs) if panel.id in tabs else ()
        if self.in_dossier and "inspector" in places:
            return
        if not isinstance(self.focused, Input) and (self.focused is None or self.focused.id not in places):
            self.query_one(f"#{self._front(set(places))}").focus()

    def placed(self, places: Mapping[str, Region]) -> Mapping[str, Region]:
        """Where everything stands; for screens that have something else in the place of it."""
        return places

    def _front(self, shown: set[str]) -> str:
        return next(name for name in (self.tab, *PANELS) if name in shown)

    def tick(self, beat: int) -> None:
        """Pulls from the backend; frozen views keep their picture, the safety line and the pads never do."""
        for draw in self.parts(beat):
            draw()

    def parts(self, beat: int) -> Sequence[Callable[[], None]]:
        """The lines that never freeze, the requests, the streams, the events and charts, the clients."""
        figures, clients = partial(self._figures, beat), partial(self._clients, beat)
        return [self._never_frozen, self._requests, self._streams, figures, clients, self._inspected]

    def _never_frozen(self) -> None:
        backend = self.console.backend
        self._pulse = pulse = backend.pulse()
        self.console.heat.see(pulse.wall, backend.ttfts())
        self.query_one(SafetyLine).show_state(self.safety(pulse))
        met = {one.id: one.fault.probability for one in backend.settings().faults if one.id} if pulse.armed else {}
        self.query_one(Pads).show(self.console.deck, list(pulse.armed), met)
        self._show_keys()
        self.query_one(Flows).hint = self.console.hint()
        self.log_lines.extend(backend.happenings(self.log_lines[-1].number if self.log_lines else -1))

    def _requests(self) -> None:
        backend = self.console.backend
        if not self.frozen:
            self.query_one(Flows).show(*backend.numbers(), backend.row)

    def _streams(self) -> None:
        backend, streams = self.console.backend, self.query_one(Streams)
        if streams.display and not self.frozen:
            streams.show(backend.streams(streams.wanted), (self._pulse or backend.pulse()).live)

    def _figures(self, beat: int) -> None:
        if self.frozen:
            return
        self.query_one(Log).show(tuple(self.log_lines))
        if beat % 2 == 0:
            self._charts(self._pulse or self.console.backend.pulse())

    def _clients(self, beat: int) -> None:
        """What the clients do about errors, and what is left of their limits; nothing that is hidden is asked for."""
        if self.frozen:
            return
        backend, retried, buckets = self.console.backend, self.query_one(Retried), self.query_one(Buckets)
        if retried.display:
            retried.show(backend.retries())
        settings = backend.settings()
        rules = len(settings.limits) + sum(figure is not None for figure in (settings.rpm, settings.tpm))
        if bool(rules) != self.limited:
            self.limited = bool(rules)
            self._fold()
        if buckets.display and beat % 2 == 0:
            buckets.show(backend.gauges(), rules)

    def _charts(self, pulse: Pulse) -> None:
        backend, bars, waits = self.console.backend, self.query_one(Bars), self.query_one(Distribution)
        if bars.display:
            bars.legend()
            bars.show_state(Traffic.of(backend.buckets(bars.wanted), self.log_lines))
        if waits.display:
            seen = tuple(backend.ttfts())
            honest = [
                f"{word} {value * 1000:.0f}"
                for word, value in (("asked", pulse.asked_ttft), ("achieved", pulse.achieved_ttft))
                if value is not None
            ]
            waits.entitle(f"  n={len(seen)}", " · ".join(honest) + " ms" * bool(honest))
            waits.show_state(Waits(seen))

    def _show_keys(self) -> None:
        focused = self.focused.id if self.focused is not None else None
        near = ("panels",)
        own = {"requests": ("list",), "streams": ("streams",), "events": ("events",), "retries": near, "limits": near}
        places = own.get(focused or "", ())
        if self.in_dossier:
            places = ("inspector",)
        commands = bar((*self.own_places, *places, "live", "app"), self.console.backend.read_only, self._holds)
        self.query_one(KeyBar).show(commands, _PROMPT if self.choosing else "")

    @property
    def _holds(self) -> bool:
        return self._pulse is not None and self._pulse.held > 0

    def action_pad(self, digit: int) -> None:
        """Arms or lifts a pad; opens it for editing where that was asked for."""
        if self.choosing:
            self._choose(False)
            self.app.push_screen(PadEdit(digit))
            return
        self.console.attempt(lambda: self.console.deck.press(self.console.backend, digit))

    def on_pads_pressed(self, message: Pads.Pressed) -> None:
        """A click on a pad is its digit."""
        self.action_pad(message.digit)

    def action_lift_all(self) -> None:
        """Lifts every fault, whoever armed it."""
        self.console.attempt(self.console.backend.lift)

    def action_extend(self) -> None:
        """Adds five seconds to the pad armed last."""

        def told(words: str | None) -> None:
            if words:
                self.console.say(words)

        self.console.attempt(lambda: self.console.deck.extend(self.console.backend), told)

    def action_repeat_pad(self) -> None:
        """Arms the last pad for its whole time."""
        deck = self.console.deck
        last = deck.last
        if last is None:
            self.console.say("No pad has been armed yet: press 1-8.")
        else:
            self.console.attempt(lambda: deck.arm(self.console.backend, last))

    def action_edit_pad(self) -> None:
        """Waits for the digit of the pad to edit."""
        if self.console.may_change():
            self._choose(True)

    def _choose(self, choosing: bool) -> None:
        self.choosing = choosing
        self._show_keys()

    def on_key(self, event: Key) -> None:
        """Any key but a pad's digit ends the wait for one."""
        if self.choosing and event.key not in set("12345678"):
            self._choose(False)
            event.stop()
            event.prevent_default()

    def action_open(self, name: str) -> None:
        """Opens a dialog."""
        self.app.push_screen(_DIALOGS[name]())

    def action_tape(self) -> None:
        """Opens what records real APIs, or shows how that goes."""
        if (dialog := tape_dialog(self.console)) is not None:
            self.app.push_screen(dialog)

    def action_freeze(self) -> None:
        """Freezes the picture, or lets it go on."""
        self.frozen = not self.frozen
        self.console.refresh_views()

    async def action_quit(self) -> None:
        """Leaves at once."""
        self.app.exit()

    def action_zoom(self) -> None:
        """Gives the focused panel all the room, or takes it back."""
        focused = self.focused.id if self.focused else None
        self.zoomed = "" if self.zoomed or focused not in PANELS else focused or ""
        self._fold()
        self.call_after_refresh(self.console.refresh_views)

    def action_panel(self, by: int) -> None:
        """Turns the tabs where there are tabs, else moves the focus."""
        if not tabbed(*self.app.size) or self.zoomed:
            if by > 0:
                self.focus_next(Panel)
            else:
                self.focus_previous(Panel)
            return
        self._turn(TABS[(TABS.index(self.tab) + by) % len(TABS)])

    def on_panel_turned(self, message: Panel.Turned) -> None:
        """A click on a tab in the frame turns to it."""
        self._turn(message.name)

    def on_opens_opened(self, message: Opens.Opened) -> None:
        """A panel's dialog is wanted."""
        self.action_open(message.name)

    def on_log_opened(self, message: Log.Opened) -> None:
        """An event is to be told in full, with what makes its change again."""
        self.app.push_screen(Event(message.happening))

    def _turn(self, tab: str) -> None:
        self.tab = tab
        self._fold()
        self.set_focus(self.query_one(f"#{self.tab}"))
        self.call_after_refresh(self.console.refresh_views)

    def action_back(self) -> None:
        """Leaves the zoom; else clears the filter."""
        if self.query_one("#filter").display:
            self._close_filter()
            self._strain(None)
        elif self.zoomed:
            self.action_zoom()
        elif self.inspecting:
            self.on_dossier_closed()
        else:
            self._strain(None)

    def action_filter(self) -> None:
        """Opens the filter line."""
        line = self.query_one("#filter", Input)
        hints_as_drawn(self)
        line.display = True
        self.set_focus(line)  # at once: what is typed next is for it

    def _sieve(self, text: str) -> Sieve | None:
        return Sieve.of(text, self.console.backend.sift) if text else None

    def _strain(self, sieve: Sieve | None) -> None:
        self.query_one(Flows).strain(sieve)
        self.query_one("#filter", Input).value = sieve.text if sieve else ""
        self.console.refresh_views()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filters as it is typed, as far as it can be read."""
        flows = self.query_one(Flows)
        if event.input.display and (flows.sieve.text if flows.sieve else "") != event.value.strip():
            try:
                flows.strain(self._sieve(event.value.strip()))
            except SettingsError as error:
                flows.complain(str(error))
                return
            self.console.refresh_views()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keeps the filter; what cannot be read is told, and stays to be mended."""
        text = event.value.strip()
        try:
            self._strain(self._sieve(text))
        except SettingsError as error:
            self.console.say(f"Filter: {error}", "error")
            return
        self._close_filter()

    def _close_filter(self) -> None:
        line: Widget = self.query_one("#filter")
        line.display = False
        self.set_focus(self.query_one(Flows))
