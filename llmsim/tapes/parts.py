"""The files that a tape is made of: parts that were rotated away, and the one that is written to."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import zlib
from pathlib import Path

_ENDINGS = (".jsonl.gz", ".jsonl")
_CHUNK = 1 << 20


def base(path: Path) -> Path:
    """The tape's name without its endings."""
    ending = next((ending for ending in _ENDINGS if path.name.endswith(ending)), "")
    return path.with_name(path.name.removesuffix(ending)) if ending else path


def plain(path: Path) -> Path:
    """The file that a tape of that name is written to; a name without an ending of ours stands for itself."""
    return path.with_name(path.name.removesuffix(".gz")) if path.name.endswith(_ENDINGS[0]) else path


def zipped(path: Path) -> Path:
    """The same file as it is called once it is compressed."""
    return path if path.name.endswith(".gz") else path.with_name(f"{path.name}.gz")


def rotated(path: Path) -> dict[int, Path]:
    """The parts by number, oldest first; of one that is there twice the file that was not yet compressed."""
    form = re.compile(re.escape(base(path).name) + r"\.(\d{4,})\.jsonl(\.gz)?")
    found: dict[int, Path] = {}
    names = sorted(os.listdir(path.parent)) if path.parent.is_dir() else []
    for name in names:  # in this order the plain one comes before the other
        match = form.fullmatch(name)
        if match:
            found.setdefault(int(match[1]), path.with_name(name))
    return dict(sorted(found.items()))


def part(path: Path, number: int) -> Path:
    """What a part is called."""
    return path.with_name(f"{base(path).name}.{number:04}.jsonl")


def files(path: Path) -> list[Path]:
    """All files of a tape in the order in which they were written."""
    last = [one for one in (plain(path), zipped(plain(path))) if one.is_file()][:1]
    return [*rotated(path).values(), *last]


def compress(source: Path) -> Path:
    """Compresses a file in its place; whenever it is interrupted, one whole file is there."""
    target = zipped(source)
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        with source.open("rb") as read, open(private(unfinished), "wb") as raw:
            with gzip.GzipFile(source.name, "wb", 6, raw, mtime=0) as write:
                shutil.copyfileobj(read, write, _CHUNK)
            raw.flush()
            os.fsync(raw.fileno())
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    unfinished.replace(target)
    source.unlink()
    return target


def same(plain: Path, compressed: Path) -> bool:
    """Whether a compressed file holds the very same."""
    try:
        with plain.open("rb") as one, gzip.open(compressed, "rb") as other:
            while (chunk := one.read(_CHUNK)) == other.read(_CHUNK):
                if not chunk:
                    return True
    except (OSError, EOFError, zlib.error):
        return False
    return False


def private(path: Path) -> int:
    """Opens a file, emptied, that only its owner may read; gives its descriptor."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
