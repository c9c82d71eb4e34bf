"""Every key of the console in one table; key bars, help, command palette and bindings are made from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from textual.binding import Binding, BindingType
from textual.keys import format_key

_SIGNS: Final = re.compile(r"[^\w]+")

_own: dict[str, str] = {}
"""Keys that the user's file gives in the place of the table's, by the commands' ids."""


@dataclass(frozen=True)
class Command:
    """One thing that a key does.

    `keys` are Textual's names, comma between them; `{key}` in `action` is the key pressed. `short` is its word on the
    key bar (empty: not there), `rank` how long it keeps its place there when room is short (1 longest). One of what is
    `held` is on the bar only while something is.
    """

    where: str
    keys: str
    shows: str
    action: str
    short: str
    help: str
    rank: int = 9
    changes: bool = False
    held: bool = False

    @property
    def id(self) -> str:
        """Its name in a file of keys: live.freeze, live.open-latency, list.move-1."""
        return f"{self.where}.{_SIGNS.sub('-', self.action.replace('(-', '-back-')).strip('-')}"

    @property
    def on_palette(self) -> bool:
        """Whether it makes sense without its key and without a selection of its own."""
        return self.where in {"live", "app"} and "{key}" not in self.action


PLACES: Final = {
    "live": "Live screen",
    "list": "Request list",
    "streams": "Live streams",
    "panels": "Retries, rate limits",
    "events": "Events",
    "event": "One event",
    "inspector": "Inspector",
    "mocks": "Mocks",
    "limits": "Rate limits",
    "verdict": "Verdict",
    "rows": "Tables",
    "editor": "Rule editor",
    "scenario": "Scenario",
    "latency": "Latency",
    "rates": "Error rates",
    "tape": "Real APIs, to be recorded",
    "taping": "Real APIs that are recorded",
    "edit": "Fault pad",
    "intercept": "Intercept",
    "failing": "An error to fail with",
    "settings": "Settings",
    "honesty": "Honesty meter",
    "dialogs": "Every dialog",
    "help": "This help",
    "replay": "Recording that is shown",
    "app": "Everywhere",
}
"""Where keys work, with the heading in the help."""


def _reply(where: str) -> tuple[Command, ...]:
    """What is done to the selected reply, while it is under way."""
    rank = 2 if where == "streams" else 8  # of a list that is mostly of ended requests other keys matter more
    return (
        _release(where),
        Command(where, "p", "p", "act('pause')", "pause", "pause the selected reply, or let it go on", rank, True),
        Command(where, "n", "n", "act('step')", "step", "send its next token, then wait", rank, True),
        Command(where, "c", "c", "act('cut')", "cut", "cut the selected reply off", rank + 1, True),
        Command(where, "F", "F", "act('fail')", "fail", "fail the selected reply with the usual error", rank + 1, True),
        _fail_with(where, rank + 1),
    )


def _release(where: str) -> Command:
    return Command(
        where, "a", "a", "act('release')", "release", "let the selected reply go that is held", 1, True, True
    )


def _fail_with(where: str, rank: int) -> Command:
    words = "fail it with an error of one's own: status, retry-after, message"
    return Command(where, "x", "x", "act('fail with')", "fail with", words, rank, True)


TABLE: Final = (
    Command("list", "enter", "⏎", "inspect", "inspect", "look into the selected exchange", 2),
    Command("live", "1,2,3,4,5,6,7,8", "1-8", "pad({key})", "faults", "arm the fault pad, or lift it", 1, changes=True),
    Command("live", "0", "0", "lift_all", "lift all", "lift every fault", 2, changes=True),
    Command("live", "plus", "+", "extend", "", "add 5 s to the pad armed last", changes=True),
    Command("live", "full_stop", ".", "repeat_pad", "", "arm the last pad again, for its whole time", changes=True),
    Command("live", "e", "e", "edit_pad", "edit pad", "edit a fault pad: e, then its digit", 6, changes=True),
    Command("live", "A", "A", "release_all", "release all", "let all replies go that are held", 1, True, True),
    Command(
        "live",
        "i",
        "i",
        "intercept",
        "intercept",
        "intercept: hold back what a filter means, to be let go by hand",
        6,
        True,
    ),
    Command(
        "live", "I", "I", "switch_intercept", "", "intercept off, and what it holds let go; or on again", changes=True
    ),
    Command("live", "l", "l", "open('latency')", "latency", "latency profiles: see, shape and apply them", 3),
    Command("live", "m", "m", "open('mocks')", "mocks", "mocks: what is answered to which requests", 4),
    Command("live", "r", "r", "open('rates')", "rates", "error rates and timeouts", 4),
    Command(
        "live",
        "slash",
        "/",
        "filter",
        "filter",
        "filter the requests: words, model:gpt* status:4xx text:/re/ !key:ci",
        4,
    ),
    Command(
        "live", "s", "s", "open('scenario')", "scenario", "run scenario…: play a file of timed changes", 6, changes=True
    ),
    Command(
        "live", "L", "L", "open('limits')", "limits", "rate limits: what is left in each bucket, drain, refill, edit", 7
    ),
    Command(
        "live", "v", "v", "open('verdict')", "verdict", "the verdict on the clients: retries, waits, storms, cost", 6
    ),
    Command("live", "comma", ",", "open('settings')", "settings", "every setting: what it means, changed at once", 7),
    Command("live", "H", "H", "open('honesty')", "", "asked against achieved: whether to trust the times, what to do"),
    Command("live", "t", "t", "tape", "", "tape…: record real APIs, see how it goes, stop it", changes=True),
    Command("live", "X", "X", "stop_scenario", "", "stop the scenario, and lift what it has armed", changes=True),
    Command("live", "S", "S", "save_scenario", "", "save what was changed by hand as a scenario"),
    Command("live", "W", "W", "report", "", "write a report of the session so far, with a picture"),
    Command(
        "replay", "space", "space", "freeze", "play/still", "play, or stand still; at the end from the beginning", 1
    ),
    Command("replay", "left", "←", "seek(-5)", "5 s back", "5 seconds back", 2),
    Command("replay", "right", "→", "seek(5)", "5 s on", "5 seconds on", 2),
    Command("replay", "shift+left", "⇧←", "seek(-30)", "", "30 seconds back"),
    Command("replay", "shift+right", "⇧→", "seek(30)", "", "30 seconds on"),
    Command("replay", "comma", ",", "mark(-1)", "earlier change", "to the change before", 3),
    Command("replay", "full_stop", ".", "mark(1)", "next change", "to the next change", 3),
    Command("replay", "B", "B", "begin", "", "to the beginning"),
    Command("live", "space", "space", "freeze", "freeze", "freeze the picture; collecting goes on", 3),
    Command("live", "z", "z", "zoom", "zoom", "zoom the focused panel, and back", 7),
    Command("live", "left_square_bracket", "[", "panel(-1)", "", "previous panel: its tab, or the focus"),
    Command("live", "right_square_bracket", "]", "panel(1)", "", "next panel: its tab, or the focus"),
    Command("live", "less_than_sign", "<", "speed(-1)", "", "slower, replies under way too", 8, changes=True),
    Command("live", "greater_than_sign", ">", "speed(1)", "", "faster, replies under way too", 8, changes=True),
    Command("live", "u", "u", "undo", "undo", "take the last change back", 5, changes=True),
    Command("live", "U", "U", "redo", "", "make the change taken back last again", changes=True),
    Command("live", "escape", "esc", "back", "", "leave zoom, or clear the filter"),
    Command("live", "q", "q", "quit", "", "quit"),
    Command("list", "up,k", "↑ k", "move(-1)", "", "one up; the list holds still"),
    Command("list", "down,j", "↓ j", "move(1)", "", "one down"),
    Command("list", "pageup", "pgup", "page(-1)", "", "a page up"),
    Command("list", "pagedown", "pgdn", "page(1)", "", "a page down"),
    Command("list", "home", "home", "oldest", "", "to the oldest exchange kept"),
    Command("list", "end,f", "f", "follow", "follow", "to the newest, and follow", 8),
    Command(
        "list",
        "o",
        "o",
        "sort",
        "sort",
        "sort: longest first token, longest, most tokens, most tries, the marked ones",
        6,
    ),
    Command("list", "asterisk", "*", "mark", "mark", "mark the selected exchange, or take its mark away", 7),
    Command(
        "list", "M", "M", "mock", "mock this", "answer such requests with a mock, made from the selected one", 8, True
    ),
    *_reply("list"),
    Command("streams", "enter", "⏎", "inspect", "inspect", "look into the selected reply", 4),
    Command("streams", "up,k", "↑ k", "move(-1)", "", "one up"),
    Command("streams", "down,j", "↓ j", "move(1)", "", "one down"),
    *_reply("streams"),
    Command(
        "streams", "left,comma", "←", "act('slower')", "slower", "the selected reply alone at half its pace", 4, True
    ),
    Command("streams", "right", "→", "act('faster')", "faster", "the selected reply alone at twice its pace", 4, True),
    Command(
        "panels", "enter", "⏎", "open", "look closer", "look closer: the verdict, the limits to drain, refill, edit", 2
    ),
    Command(
        "events",
        "enter,y",
        "⏎ y",
        "open",
        "copy as curl",
        "the whole line, and as curl what makes this change again",
        2,
    ),
    Command("events", "up,k", "↑ k", "move(-1)", "", "one newer"),
    Command("events", "down,j", "↓ j", "move(1)", "", "one older"),
    Command("event", "escape,q,enter", "esc", "close", "back", "close", 1),
    Command("event", "y", "y", "copy", "copy", "copy it once more", 2),
    Command("event", "up,k", "↑ k", "scroll(-1)", "", "one line up"),
    Command("event", "down,j", "↓ j", "scroll(1)", "scroll", "one line down", 3),
    Command("inspector", "escape,q", "esc", "close", "back", "back to the list", 1),
    Command("inspector", "j", "j", "step(1)", "next", "the next exchange in the list", 3),
    Command("inspector", "k", "k", "step(-1)", "previous", "the one before", 4),
    Command("inspector", "tab,right_square_bracket", "tab", "page(1)", "page", "turn the page", 2),
    Command("inspector", "shift+tab,left_square_bracket", "⇧tab", "page(-1)", "", "turn the page back"),
    Command("inspector", "y", "y", "copy", "copy", "copy as curl; again: httpx, SDK, JSON", 3),
    Command("inspector", "w", "w", "raw", "raw/decoded", "the response's bytes, or what they say", 5),
    Command("inspector", "r", "r", "resend", "resend", "ask the same once more, as the client “resent”", 4, True),
    Command("inspector", "h", "h", "try(-1)", "try before", "the try before, of the same call", 6),
    Command("inspector", "l", "l", "try(1)", "try after", "the try after, of the same call", 6),
    Command("inspector", "d", "d", "difference", "difference", "what differs from the try before", 5),
    _release("inspector"),
    _fail_with("inspector", 7),
    Command(
        "inspector", "m", "m", "mock", "mock this", "answer such requests with a mock, made from this one", 4, True
    ),
    Command("mocks", "escape,q", "esc", "close", "back", "close", 1),
    Command("mocks", "a", "a", "add", "add", "write a new mock", 2, changes=True),
    Command("mocks", "e", "⏎ e", "edit", "edit", "edit the selected mock", 2, changes=True),
    Command("mocks", "space", "space", "switch", "on/off", "switch the selected mock on or off", 3, changes=True),
    Command("mocks", "d,delete", "d", "drop", "delete", "take the selected mock away", 4, changes=True),
    Command("mocks", "t", "t", "try", "dry run", "try the mocks on the last 100 requests", 4),
    Command("mocks", "u", "u", "undo", "undo", "take the last change back", 3, changes=True),
    Command("mocks", "U", "U", "redo", "redo", "make the change taken back last again", 6, changes=True),
    Command("limits", "escape,q", "esc", "close", "back", "close", 1),
    Command("limits", "d", "d", "drain", "drain", "empty the buckets of the selected limit", 2, changes=True),
    Command("limits", "f", "f", "refill", "refill", "fill the buckets of the selected limit", 2, changes=True),
    Command("limits", "D", "D", "drain_all", "drain all", "empty every bucket", 5, changes=True),
    Command("limits", "F", "F", "refill_all", "refill all", "fill every bucket", 5, changes=True),
    Command("limits", "a", "a", "add", "add", "write a new limit", 3, changes=True),
    Command("limits", "e", "⏎ e", "edit", "edit", "edit the selected limit", 3, changes=True),
    Command("limits", "x,delete", "x", "drop", "delete", "take the selected limit away", 4, changes=True),
    Command("limits", "u", "u", "undo", "undo", "take the last change back", 3, changes=True),
    Command("limits", "U", "U", "redo", "redo", "make the change taken back last again", 6, changes=True),
    Command("verdict", "escape,q", "esc", "close", "back", "close", 1),
    Command("verdict", "r", "r", "again", "look again", "judge once more, with what has come since", 2),
    Command("verdict", "up,k", "↑ k", "scroll(-1)", "", "one line up"),
    Command("verdict", "down,j", "↓ j", "scroll(1)", "scroll", "one line down", 3),
    Command("rows", "enter", "⏎", "open", "", "look into the selected row"),
    Command("rows", "up,k", "↑ k", "move(-1)", "", "one up"),
    Command("rows", "down,j", "↓ j", "move(1)", "", "one down"),
    Command("rows", "pageup", "pgup", "page(-1)", "", "a page up"),
    Command("rows", "pagedown", "pgdn", "page(1)", "", "a page down"),
    Command("scenario", "escape", "esc", "close", "back", "close; nothing is begun", 1),
    Command("scenario", "enter", "⏎", "begin", "run", "begin the scenario in this file", 1, changes=True),
    Command("editor", "escape", "esc", "close", "discard", "close; nothing is changed", 1),
    Command("editor", "ctrl+s", "^s", "apply", "apply", "put it in force, as a whole", 1, changes=True),
    Command("editor", "f8", "F8", "problem", "next problem", "go to the next problem", 2),
    Command("latency", "escape", "esc", "close", "discard", "close; what is not applied is discarded", 1),
    Command("latency", "a", "a", "apply", "apply", "apply to all requests from now on", 1, changes=True),
    Command("latency", "t", "t", "live", "live-apply", "apply by itself when a slider rests", 3, changes=True),
    Command("latency", "u", "u", "undo", "undo", "take the last change back", 2, changes=True),
    Command("latency", "U", "U", "redo", "redo", "make the change taken back last again", 6, changes=True),
    Command("latency", "o", "o", "loads", "load terms", "slots, queue, slowing, prefill and cache, or the spreads", 3),
    Command("latency", "h", "h", "heat", "over time", "the waits over time, as a map, or the sliders again", 3),
    Command("latency", "up,k", "↑", "rows(-1)", "", "the row above"),
    Command("latency", "down,j", "↓", "rows(1)", "", "the row below"),
    Command("latency", "tab,shift+tab", "tab", "side", "presets", "between sliders and presets", 4),
    Command("rates", "escape", "esc", "close", "discard", "close; what is not applied is discarded", 1),
    Command("rates", "a,enter", "a", "apply", "apply", "apply to all requests from now on", 1, changes=True),
    Command("rates", "u", "u", "undo", "undo", "take the last change back", 2, changes=True),
    Command("rates", "U", "U", "redo", "redo", "make the change taken back last again", 6, changes=True),
    Command("rates", "up,k", "↑", "rows(-1)", "", "the row above"),
    Command("rates", "down,j", "↓", "rows(1)", "", "the row below"),
    Command("tape", "escape", "esc", "close", "discard", "close; nothing is recorded", 1),
    Command(
        "tape", "ctrl+s", "^s", "begin", "record", "pass requests on from now on, and record them", 1, changes=True
    ),
    Command("tape", "up", "↑", "rows(-1)", "", "the field above"),
    Command("tape", "down", "↓", "rows(1)", "", "the field below"),
    Command("taping", "escape,q", "esc", "close", "back", "close; the recording goes on", 1),
    Command("taping", "x", "x", "end", "stop recording", "stop: the simulator answers again", 1, changes=True),
    Command("edit", "escape", "esc", "close", "discard", "close; nothing is kept", 1),
    Command("edit", "enter", "⏎", "save", "keep", "keep the pad; an armed one is armed anew", 1, changes=True),
    Command("edit", "up", "↑", "rows(-1)", "", "the field above"),
    Command("edit", "down", "↓", "rows(1)", "", "the field below"),
    Command("intercept", "escape", "esc", "close", "discard", "close; nothing is changed", 1),
    Command("intercept", "enter", "⏎", "hold", "hold", "hold back what the filter means from now on", 1, changes=True),
    Command("intercept", "ctrl+t", "^t", "off", "turn off", "hold no more, and let all go", 2, changes=True),
    Command("failing", "escape", "esc", "close", "discard", "close; nothing is done", 1),
    Command("failing", "enter", "⏎", "fail", "fail", "fail the reply with this error", 1, changes=True),
    Command("failing", "up", "↑", "rows(-1)", "", "the field above"),
    Command("failing", "down", "↓", "rows(1)", "", "the field below"),
    Command("settings", "escape,q", "esc", "close", "back", "leave the line, or close", 1),
    Command("settings", "e,space", "⏎ e", "edit", "change", "switch it, or type another value", 2, changes=True),
    Command("settings", "left", "←", "turn(-1)", "turn back", "the value before, of a choice", 5, changes=True),
    Command("settings", "right", "→", "turn(1)", "turn", "the next value, of a choice", 5, changes=True),
    Command("settings", "d,delete", "d", "default", "default", "back to what it is by itself", 3, changes=True),
    Command("settings", "u", "u", "undo", "undo", "take the last change back", 3, changes=True),
    Command("settings", "U", "U", "redo", "redo", "make the change taken back last again", 4, changes=True),
    Command("honesty", "escape,q", "esc", "close", "back", "close", 1),
    Command("honesty", "up,k", "↑ k", "scroll(-1)", "", "one line up"),
    Command("honesty", "down,j", "↓ j", "scroll(1)", "scroll", "one line down", 3),
    Command("dialogs", "g", "g", "app.jump", "", "jump: a letter for each row and page that can be gone to"),
    Command("dialogs", "question_mark", "?", "app.help", "", "all keys"),
    Command("help", "escape,question_mark,q,enter", "esc", "close", "close", "close the help", 1),
    Command("help", "up,k", "↑ k", "scroll(-1)", "", "one line up"),
    Command("help", "down,j", "↓ j", "scroll(1)", "scroll", "one line down", 2),
    Command("app", "R", "R", "record", "", "record the session into a file for llmsim-tui replay, or stop recording"),
    Command("app", "T", "T", "next_theme", "", "the next theme"),
    Command("app", "g", "g", "jump", "", "jump: a letter for each place that can be gone to"),
    Command("app", "question_mark", "?", "help", "keys", "this help", 1),
    Command("app", "ctrl+p", "^p", "command_palette", "commands", "find a command or a theme by name", 5),
    Command("app", "ctrl+c", "^c", "quit", "", "quit"),
)


def bindings(where: str) -> list[BindingType]:
    """Textual's bindings for one place."""
    return [
        Binding(
            key,
            one.action.format(key=key),
            one.help,
            show=False,
            priority=key == "ctrl+c" or where == "editor",
            id=one.id if "{key}" not in one.action else None,
        )
        for one in TABLE
        if one.where == where
        for key in one.keys.split(",")
        if key != "ctrl+p"
    ]


def listed(where: str, read_only: bool) -> list[Command]:
    """The commands of one place; without those that change something where nothing may be changed."""
    return [_dressed(one) for one in TABLE if one.where == where and not (read_only and one.changes)]


def use(keys: Mapping[str, str]) -> None:
    """Shows these keys from now on, in bars, help and palette."""
    _own.clear()
    _own.update(keys)


def _dressed(one: Command) -> Command:
    """The command with the user's own keys."""
    keys = _own.get(one.id)
    return one if keys is None else replace(one, keys=keys, shows=" ".join(format_key(key) for key in keys.split(",")))


def table() -> list[Command]:
    """All commands, with the user's own keys."""
    return [_dressed(one) for one in TABLE]


def bar(places: tuple[str, ...], read_only: bool, held: bool = False) -> list[Command]:
    """The commands that a key bar may show, in the table's order within each place; a key means its first place's.

    `held` says whether a reply is: what lets it go is then among them.
    """
    shown: dict[str, Command] = {}
    for place in places:
        for one in listed(place, read_only):
            shown.setdefault(one.keys, one)
    return [one for one in shown.values() if one.short and (held or not one.held)]
