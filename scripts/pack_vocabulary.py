"""Turns an official .tiktoken rank table into the file that llmsim.tokens searches in.

    python scripts/pack_vocabulary.py o200k_base.tiktoken.xz llmsim/data/o200k_base.bin

An official table has a line for every token, "base64 rank", with ranks that count up from 0. llmsim/bytepairs.py says
what is in the file: such that tokens can be searched as soon as it is read.
"""

import base64
import hashlib
import lzma
import struct
import sys
from collections import Counter
from pathlib import Path

from llmsim.bytepairs import LONGEST

# The sums tiktoken itself checks (tiktoken_ext/openai_public.py).
SUMS = {
    "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d": "o200k_base",
    "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7": "cl100k_base",
}


def pack(table: bytes) -> bytes:
    """What the file holds of an official table; raises ValueError where its ranks are not 0, 1, 2, ..."""
    lines = [line.split() for line in table.splitlines() if line]
    if [int(rank) for _, rank in lines] != list(range(len(lines))):
        raise ValueError("the ranks do not count up from 0")
    tokens = [base64.b64decode(token) for token, _ in lines]
    order = sorted(range(len(tokens)), key=lambda rank: (len(tokens[rank]), tokens[rank]))
    lengths = Counter(map(len, tokens))
    numbers = [*(lengths[length] for length in range(1, LONGEST + 1)), *order]
    return struct.pack(f"<{len(numbers)}I", *numbers) + b"".join(tokens[rank] for rank in order)


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
