"""The files that clients have uploaded to Anthropic's Files API, as messages refer to them."""

from __future__ import annotations

from llmsim.dialects import Desk
from llmsim.dialects._anthropic_media import File, Files

KIND = "anthropic.file"


def find_file(desk: Desk) -> Files:
    """Finds files by their ids; those whose time is over are no more."""

    def find(id: str) -> File | None:
        file = desk.store.get(KIND, id)
        if not isinstance(file, File) or (file.expires is not None and file.expires <= desk.wall()):
            return None
        return file

    return find
