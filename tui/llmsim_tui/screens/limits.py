"""The rate limits: what is left in each bucket and when it is full again, drained, refilled and edited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isinf
from typing import Final

from textual.app import ComposeResult
from textual.containers import Vertical

from llmsim.limits import Limit
from llmsim_tui.commands import bindings
from llmsim_tui.drafts import written
from llmsim_tui.rules import Gauge
from llmsim_tui.screens.editor import Editor
from llmsim_tui.screens.ticking import Dialog
from llmsim_tui.text import amount, countdown
from llmsim_tui.widgets.rows import Head, Item, Rows

_HEADS: Final = (
    Head("limit", 14),
    Head("whose", 0),
    Head("figure", 12),
    Head("left", 11, right=True),
    Head("gauge", 12, since=70),
    Head("full in", 7, right=True, since=70),
    Head("busy", 4, right=True, since=90),
)
_CELLS: Final = 12
NEW: Final = """\
# rpm tpm input_tpm output_tpm rpd tpd concurrency
# quota_requests quota_tokens, or a tier
name: free
when:
  model: gpt-4o*
per: [key]
rpm: 20
"""


class Limits(Dialog):
    """Every bucket as a gauge; limits that nobody has met yet below them."""

    BINDINGS = bindings("limits")
    AUTO_FOCUS = "#list"
    place = "limits"

    def compose(self) -> ComposeResult:
        """The gauges."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = "rate limits"
            yield Rows(_HEADS, "no limit yet · a adds one", id="list")
        yield from self.keys()

    def on_mount(self) -> None:
        """Shows them."""
        self.show_keys()
        self.tick(0)

    def tick(self, beat: int) -> None:
        """Shows them as they stand."""
        backend = self.console.backend
        self.query_one(Rows).show(gauges(backend.gauges(), backend.settings().limits))

    def _chosen(self) -> tuple[str, int | None] | None:
        """The name of the selected limit and its place among the rules; None while there is none."""
        item = self.query_one(Rows).item
        if item is None:
            self.console.say("There is no limit yet: a adds one.")
            return None
        place, _, _ = item.name.partition(" ")
        return item.cells[0], int(place) if place != "-" else None

    def _rule(self) -> tuple[int, Limit] | None:
        """The selected rule and its place."""
        chosen, limits = self._chosen(), self.console.backend.settings().limits
        if chosen is None:
            return None
        place = chosen[1]
        if place is None or place >= len(limits):
            self.console.say("This limit is no rule: it is the settings rpm and tpm, or has just been taken away.")
            return None
        return place, limits[place]

    def action_drain(self) -> None:
        """Empties the selected limit's buckets."""
        chosen = self._chosen()
        if chosen is not None:
            self.console.attempt(lambda: self.console.backend.drain(chosen[0]), self._told("drained"))

    def action_refill(self) -> None:
        """Fills the selected limit's buckets."""
        chosen = self._chosen()
        if chosen is not None:
            self.console.attempt(lambda: self.console.backend.refill(chosen[0]), self._told("filled"))

    def action_drain_all(self) -> None:
        """Empties every bucket."""
        self.console.attempt(self.console.backend.drain, self._told("drained"))

    def action_refill_all(self) -> None:
        """Fills every bucket."""
        self.console.attempt(self.console.backend.refill, self._told("filled"))

    def _told(self, what: str) -> Callable[[int], None]:
        return lambda count: self.console.say(f"{count} bucket{'s' * (count != 1)} {what}.")

    def action_add(self) -> None:
        """Opens the editor over a new one."""
        self._edit("a new limit", NEW, None)

    def action_edit(self) -> None:
        """Opens the editor over the selected rule."""
        rule = self._rule()
        if rule is not None:
            self._edit(f"limit {rule[1]}", _text(rule[1]), rule[0])

    def on_rows_opened(self) -> None:
        """Enter edits."""
        self.action_edit()

    def _edit(self, title: str, text: str, place: int | None) -> None:
        async def apply(limit: Limit) -> None:
            await self._put([limit], place, f"limit {limit} {'added' if place is None else 'changed'}")

        if self.console.may_change():
            self.app.push_screen(Editor(title, text, Limit, apply))

    def action_drop(self) -> None:
        """Takes the selected rule away."""
        rule = self._rule()
        if rule is not None:
            place, limit = rule
            self.console.attempt(lambda: self._put([], place, f"limit {limit} taken away"))

    async def _put(self, instead: Sequence[Limit], place: int | None, text: str) -> None:
        kept = list(self.console.backend.settings().limits)
        at = len(kept) if place is None else place
        kept[at : at + 1] = instead
        await self.console.backend.change(limits=tuple(kept), text=text, mark="limits")

    def action_undo(self) -> None:
        """Takes the last change back."""
        self.console.undo()

    def action_redo(self) -> None:
        """Makes it again."""
        self.console.redo()


def gauges(found: Sequence[Gauge], limits: Sequence[Limit]) -> list[Item]:
    """A row for each bucket, the rules in their order, then one for each rule that has none yet."""
    kept = [one for one in found if one.place is not None or one.name.startswith(("rpm=", "tpm="))]
    kept.sort(key=lambda one: -1 if one.place is None else one.place)
    items = [_item(one) for one in kept]
    met = {one.place for one in found}
    for place, limit in enumerate(limits):
        if place not in met:
            figures = " ".join(f"{name}={amount(figure)}" for name, figure in limit.own.items())
            cells = (str(limit), "not met yet", limit.tier or figures, "", "", "", "")
            items.append(Item(f"{place} rule", cells, "dim"))
    return items


def _item(one: Gauge) -> Item:
    share = min(1.0, max(0.0, one.level / one.limit))
    done = round(_CELLS * share)
    full = "never" if isinf(one.reset) else countdown(one.reset) if one.reset > 0 else "now"
    cells = (
        one.name,
        one.whose,
        one.kind,
        f"{amount(max(0, int(one.level)))}/{amount(one.limit)}",
        "━" * done + "─" * (_CELLS - done),
        full,
        str(one.busy),
    )
    tone = "failed" if one.level < 1 else "limited" if share < 0.25 else ""
    return Item(f"{'-' if one.place is None else one.place} {one.kind} {one.whose}", cells, tone)


def _text(limit: Limit) -> str:
    """A limit as YAML, its match a condition a line."""
    fields = limit.model_dump(mode="json", exclude_defaults=True)
    if "when" in fields:
        fields["when"] = limit.when.mapping()
    return written(fields)
