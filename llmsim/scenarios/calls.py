"""The calls of the control API that make a change again, on this server or on another one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

from llmsim.history import Change
from llmsim.scenarios.record import step
from llmsim.settings import Settings

_MERGED: Final = ("profiles", "model_profiles")
"""Settings whose entries a PATCH changes one by one: what is gone is named, with null."""


def of_event(changes: Iterable[Change], event: int) -> list[dict[str, Any]]:
    """The calls behind the event of that number, each with `method`, `path` and `body`; none where it was no change.

    Fuses of faults begin anew. Changes that are no longer remembered have none.
    """
    return next((calls(one.before, one.after) for one in changes if one.event == event), [])


def calls(before: Settings, after: Settings) -> list[dict[str, Any]]:
    """What makes the one of the other, in the order in which it is to be called."""
    told = step(before, after)
    made = [_call("DELETE", f"/faults/{quote(id, safe='')}") for id in told.get("lift", ())]
    if told.get("lift") and not after.faults:
        made = [_call("DELETE", "/faults")]
    change = dict(told.get("change", {}))
    for name in _MERGED:
        if name in change:
            change[name] = {**dict.fromkeys(getattr(before, name)), **change[name]}
    if change.keys() == {"mocks"}:
        made.append(_call("PUT", "/mocks", change["mocks"]))
    elif change:
        made.append(_call("PATCH", "/settings", change))
    for fault in told.get("arm", ()):
        fields = {name: value for name, value in fault.items() if name != "id"}
        made.append(_call("PUT", f"/faults/{quote(fault['id'], safe='')}", fields))
    return made


def _call(method: str, path: str, body: Any = None) -> dict[str, Any]:
    return {"method": method, "path": f"/llmsim{path}", "body": body}
