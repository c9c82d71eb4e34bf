"""What is done to a simulator elsewhere: every change and every question is one call of its control API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import yaml
from pydantic import BaseModel

from llmsim.ctl.client import Client, ControlError
from llmsim.errors import SettingsError
from llmsim.match import Match
from llmsim.mocks import Mock
from llmsim.mocks.index import Near
from llmsim.views import Tried
from llmsim_tui.backend import Action
from llmsim_tui.link import apart
from llmsim_tui.picture import Picture
from llmsim_tui.remote_sift import RemoteSift
from llmsim_tui.rules import Sift

_MERGED: Final = ("profiles", "model_profiles")
"""Settings whose entries are changed one by one: what is gone is to be named."""


class RemoteRules(Picture):
    """The acting side of the remote backend."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self._client = client
        self._sift: RemoteSift | None = None

    async def pull(self) -> None:
        """Brings the picture up to date."""

    async def _call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        return await apart(lambda: self._client.call(method, path, body, query=query))

    async def _do(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """A change; the picture shows it when this returns."""
        told = await self._call(method, path, body, **query)
        await self.pull()
        return told

    # -- settings and faults

    async def change(self, who: str = "console", *, text: str = "", mark: str = "", **changes: Any) -> None:
        """Changes settings."""
        told = {name: _plain(value) for name, value in changes.items()}
        said = {"text": text or None, "mark": mark or None}
        if told.keys() == {"mocks"}:
            await self._do("PUT", "/mocks", told["mocks"], **said)
            return
        for name in _MERGED:
            if name in told:
                told[name] = {**dict.fromkeys(getattr(self.in_force, name)), **told[name]}
        await self._do("PATCH", "/settings", told, **said)

    async def arm(self, fault: Mapping[str, Any], *, label: str, seconds: float | None, id: str = "") -> str:
        """Arms a fault."""
        fields = {**fault, "label": label, "for_s": seconds}
        where = ("PUT", f"/faults/{quote(id, safe='')}") if id else ("POST", "/faults")
        return str((await self._do(*where, fields))["id"])

    async def lift(self, id: str | None = None) -> int:
        """Lifts one fault or all."""
        try:
            told = await self._do("DELETE", f"/faults/{quote(id, safe='')}" if id else "/faults")
        except ControlError as error:
            return 0 if _gone(error) else _raise(error)
        return int(told["lifted"])

    async def undo(self) -> str | None:
        """Takes the last change back."""
        try:
            return str((await self._do("POST", "/undo", {}))["undone"])
        except ControlError as error:
            return None if error.status == 409 else _raise(error)

    async def redo(self) -> str | None:
        """Makes it again."""
        try:
            return str((await self._do("POST", "/redo", {}))["redone"])
        except ControlError as error:
            return None if error.status == 409 else _raise(error)

    async def tries(self, number: int) -> Sequence[int]:
        """The tries of one call."""
        try:
            told = await self._call("GET", f"/exchanges/{number}/tries")
        except ControlError as error:
            return [number] if _gone(error) else _raise(error)
        return [int(one) for one in told["tries"]]

    async def resend(self, number: int) -> int:
        """Asks the same once more."""
        return int((await self._do("POST", f"/exchanges/{number}/resend", {}))["number"])

    async def act(
        self, number: int, action: Action, value: float = 1.0, error: Mapping[str, Any] | None = None
    ) -> bool:
        """Acts on one reply under way."""
        try:
            await self._do("POST", f"/exchanges/{number}/{action}", dict(error) if error else {"value": value})
        except ControlError as error:
            return False if _gone(error) else _raise(error)
        return True

    # -- mocks and matches

    async def draft(self, number: int) -> Mapping[str, Any] | None:
        """A mock's fields from one exchange."""
        try:
            told: Mapping[str, Any] = await self._call("GET", f"/exchanges/{number}/mock")
        except ControlError as error:
            return None if _gone(error) else _raise(error)
        return told

    async def try_mocks(self, mocks: Sequence[Mock], last: int = 100) -> Sequence[Tried]:
        """Which mock each of the last requests would have got."""
        told = await self._call("POST", "/mocks/try", {"mocks": _plain(mocks), "last": last})
        return [
            Tried(
                int(one["number"]), one["mock"] or "", Near(near["mock"], tuple(near["failing"])).told() if near else ""
            )
            for one in told["requests"]
            for near in (one["near"],)
        ]

    async def preview(self, scope: Match, last: int = 100) -> tuple[int, int]:
        """How many of the last requests a scope would have met."""
        told = await self._call("POST", "/faults/preview", {"scope": str(scope), "last": last})
        return int(told["matched"]), int(told["looked_at"])

    def sift(self, match: Match) -> Sift:
        """The match, asked of the journal over there."""
        self._sift = RemoteSift(self, match)
        return self._sift

    async def sifted(self) -> None:
        """Asks what the filter does not know yet."""
        sift = self._sift
        numbers = sift.asked() if sift is not None else []
        if sift is None or not numbers:
            return
        try:
            told = await self._call("POST", "/journal/sift", {"match": str(sift.match), "numbers": numbers})
        except ControlError:
            return  # the frames tell of it
        sift.learn(told)

    # -- scenarios

    async def begin_scenario(self, path: str) -> None:
        """Begins the scenario in a file of this machine."""
        from llmsim.server import scenario_files  # late: few consoles play one

        scenario = await apart(lambda: scenario_files.read(Path(path).expanduser()))
        await self.stop_scenario()
        told = scenario.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        await self._do("POST", "/scenario", {"name": scenario.name, **told})

    async def stop_scenario(self) -> bool:
        """Stops the scenario."""
        try:
            await self._do("DELETE", "/scenario")
        except ControlError as error:
            return False if error.status == 404 else _raise(error)
        return True

    async def recorded(self) -> Mapping[str, Any]:
        """What was changed by hand."""
        told = yaml.safe_load(await self._call("GET", "/scenario/recorded"))
        return told if isinstance(told, dict) else {}

    async def calls(self, event: int) -> Sequence[Mapping[str, Any]]:
        """The calls behind an event; none where it is no longer known, or the server is older than such calls."""
        try:
            told: Sequence[Mapping[str, Any]] = await self._call("GET", f"/events/{event}/calls")
        except ControlError as error:
            return [] if _gone(error) else _raise(error)
        return told

    # -- limits and clients

    async def drain(self, name: str | None = None, share: float = 1.0) -> int:
        """Takes a share out of buckets."""
        named = {} if name is None else {"name": name}
        return int((await self._do("POST", "/limits/drain", {**named, "share": share}))["drained"])

    async def refill(self, name: str | None = None) -> int:
        """Fills buckets."""
        return int((await self._do("POST", "/limits/refill", {} if name is None else {"name": name}))["refilled"])

    async def verdict(self) -> Sequence[str]:
        """The verdict on all clients that the journal over there knows."""
        told = await self._call("GET", "/journal/verdict")
        return [str(line) for line in told["lines"]]

    # -- real APIs

    async def begin_tape(self, options: Mapping[str, Any]) -> None:
        """Begins to record, over there."""
        try:
            await self._do("POST", "/record", dict(options))
        except ControlError as error:
            await self.pull()
            raise SettingsError(str(error).replace("; DELETE ends it", "; it has to be stopped first")) from None

    async def end_tape(self) -> Mapping[str, Any] | None:
        """Ends it."""
        try:
            told: Mapping[str, Any] = await self._do("DELETE", "/record")
        except ControlError as error:
            return None if error.status == 404 else _raise(error)
        return told


def _plain(value: Any) -> Any:
    """Rules and profiles as JSON has them."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _gone(error: ControlError) -> bool:
    return error.status in (404, 409)


def _raise(error: ControlError) -> Any:
    raise error
