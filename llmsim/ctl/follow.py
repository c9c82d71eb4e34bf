"""Tells of each request as it ends."""

from __future__ import annotations

from threading import Event
from typing import Any

from llmsim.ctl.client import Client
from llmsim.ctl.entries import HEADS, LEAST, RIGHT, row
from llmsim.ctl.page import Page

_PAUSE = 1.0
"""Seconds between two looks."""
_PAGE = 1000


class Ended:
    """Which requests have ended since the last look, also those that began before others that were told of.

    `last` is the newest number when the looking begins. Behind a thousand newer ones a request that is still under way
    is lost sight of.
    """

    def __init__(self, last: int) -> None:
        self.after = 0
        self._last = last
        self._since: int | None = None
        self._live: set[int] = set()
        self._told: set[int] = set()

    def fresh(self, live: list[int], page: dict[str, Any], limit: int = _PAGE) -> list[dict[str, Any]]:
        """The requests to tell of, oldest first; `live` were under way before the page of the journal was asked for."""
        found = sorted(page["exchanges"], key=lambda one: int(one["number"]))
        full = len(found) >= limit
        if self._since is None:
            self._since, self._live = found[0]["number"] if full else 0, set(live)
        ended = [one for one in found if one["outcome"] != "live" and self._new(one["number"])]
        self._told.update(one["number"] for one in ended)
        # What the look before this one knew of has been told, unless it was still under way.
        self.after = max(self.after, min([self._last, *(number - 1 for number in live)]))
        if full and limit == _PAGE:
            self.after = max(self.after, found[-1]["number"])
        self._last = max(0, page["last"])
        self._told = {number for number in self._told if number > self.after}
        return ended

    def _new(self, number: int) -> bool:
        """Whether it has not been told, and is none of those from before that were left out."""
        return number not in self._told and (number >= (self._since or 0) or number in self._live)


def follow(client: Client, page: Page, match: str | None, limit: int) -> int:
    """The newest requests, at most `limit`, then each that ends, until the server is gone."""
    limit, wait = max(1, min(limit, _PAGE - 1)), Event()
    ended = Ended(client.get("/journal", limit=1)["last"])
    live = _live(client)
    _tell(page, ended.fresh(live, client.get("/journal", match=match, limit=limit), limit), headed=True)
    while not wait.wait(_PAUSE):
        live = _live(client)
        told = client.get("/journal", match=match, after=ended.after, order="asc", limit=_PAGE)
        _tell(page, ended.fresh(live, told), headed=False)
    return 0


def _live(client: Client) -> list[int]:
    return [one["number"] for one in client.get("/exchanges", limit=_PAGE)]


def _tell(page: Page, found: list[dict[str, Any]], headed: bool) -> None:
    if page.json:
        for one in found:
            page.row(one)
    elif found or headed:
        page.table(HEADS, [row(one) for one in found], RIGHT, least=LEAST, headed=headed)
    page.to.flush()
