"""Changes of the set of mocks: one added, replaced, taken away, switched; the whole set in force or none of it."""

from __future__ import annotations

from collections.abc import Sequence

from llmsim.mocks import Mock
from llmsim_tui.backend import Backend


async def put(backend: Backend, mock: Mock, instead: str = "") -> None:
    """Puts a mock in the place of the one of the name `instead`, or behind all others."""
    kept = list(backend.settings().mocks)
    at = next((place for place, one in enumerate(kept) if instead and one.name == instead), len(kept))
    kept[at : at + 1] = [mock]
    what = "changed" if instead else "added"
    await _change(backend, kept, f"mock {mock.name or 'without a name'} {what}")


async def drop(backend: Backend, name: str) -> None:
    """Takes a mock away."""
    await _change(backend, [one for one in backend.settings().mocks if one.name != name], f"mock {name} taken away")


async def switch(backend: Backend, name: str) -> None:
    """Switches a mock on or off."""
    kept = [
        one.model_copy(update={"enabled": not one.enabled}) if one.name == name else one
        for one in backend.settings().mocks
    ]
    on = any(one.enabled for one in kept if one.name == name)
    await _change(backend, kept, f"mock {name} {'on' if on else 'off'}")


async def _change(backend: Backend, mocks: Sequence[Mock], text: str) -> None:
    await backend.change(mocks=tuple(mocks), text=text, mark="mocks")


def taken(backend: Backend, mock: Mock, instead: str = "") -> str:
    """A sentence where the mock's name is another's already."""
    there = any(one.name == mock.name != instead for one in backend.settings().mocks) if mock.name else False
    return f"name: there is a mock {mock.name!r} already" if there else ""
