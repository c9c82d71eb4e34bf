"""Packs an official .tiktoken rank table into the small binary file that llmsim.tokens loads.

    python scripts/pack_vocabulary.py o200k_base.tiktoken.xz llmsim/data/o200k_base.bin

An official table has a line for every token, "base64 rank", with ranks that count up from 0. llmsim/bytepairs.py says
what the packed file is: such that tokens can be searched as soon as it is unpacked. zlib and not lzma: more bytes, but
10 ms instead of 80 ms to unpack, and every Python has it.
"""

import base64
import hashlib
import lzma
import struct
import sys
import zlib
from pathlib import Path

from llmsim.bytepairs import LONGEST

# The sums tiktoken itself checks (tiktoken_ext/openai_public.py).
SUMS = {
    "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d": "o200k_base",
    "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7": "cl100k_base",
}


def pack(table: bytes) -> bytes:
    """The packed form of an official table; raises ValueError where its ranks are not 0, 1, 2, ..."""
    lines = [line.split() for line in table.splitlines() if line]
    if [int(rank) for _, rank in lines] != list(range(len(lines))):
        raise ValueError("the ranks do not count up from 0")
    tokens = [base64.b64decode(token) for token, _ in lines]
    order = sorted(range(len(tokens)), key=lambda rank: (len(tokens[rank]), tokens[rank]))
    same = [[tokens[rank] for rank in order if len(tokens[rank]) == length] for length in range(1, LONGEST + 1)]
    counts = struct.pack(f"<{LONGEST}I", *map(len, same))
    strings = [columns(b"".join(group), length) for length, group in enumerate(same, 1)]
    ranks = b"".join(rank.to_bytes(3, "little") for rank in order)
    return zlib.compress(b"".join((counts, *strings, columns(ranks, 3))), 9)


def columns(rows: bytes, width: int) -> bytes:
    """Rows of so many bytes, column by column."""
    return b"".join(rows[place::width] for place in range(width))


def main(source: str, target: str) -> None:
    """Packs the table at `source` (.tiktoken or .tiktoken.xz) into `target`, once its sum is known to be right."""
    raw = Path(source).read_bytes()
    table = lzma.decompress(raw) if source.endswith(".xz") else raw
    name = SUMS.get(hashlib.sha256(table).hexdigest())
    if name is None:
        sys.exit(f"{source}: not one of the official tables ({', '.join(SUMS.values())})")
    packed = pack(table)
    Path(target).write_bytes(packed)
    print(f"{name}: {len(packed):,} bytes -> {target}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: pack_vocabulary.py SOURCE TARGET")
    main(sys.argv[1], sys.argv[2])
