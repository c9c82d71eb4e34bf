"""Makes llmsim/data/tones.json: the frames of one round of the murmur that llmsim.sounds strings together.

    python scripts/make_tones.py llmsim/data/tones.json

Needs ffmpeg with LAME and libopus (made with Debian's 5.1.9). The murmur is encoded eight times over; the frames of a
round in the middle are taken, where the encoder has settled and one round is like the next.
"""

import base64
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from llmsim.sounds import RATE, ROUND, murmur

ROUNDS, TAKEN = 8, 4

# The encoder's arguments, the samples of a frame, and those of a round: AAC's frames do not fit the usual one.
ENCODERS = {
    # Without the bit reservoir a frame has all its bits in itself.
    "mp3": (["-b:a", "64k", "-reservoir", "0", "-write_xing", "0", "-id3v2_version", "0"], 576, ROUND),
    "aac": (["-b:a", "48k", "-f", "adts"], 1024, 14 * 1024),
    "flac": (["-frame_size", "1200", "-compression_level", "8"], 1200, ROUND),
    "opus": (["-c:a", "libopus", "-b:a", "24k", "-frame_duration", "20"], 480, ROUND),
}  # fmt: skip


def packets(format: str) -> list[bytes]:
    """All packets of the murmur in that format, as they stand in the file."""
    arguments, _, samples = ENCODERS[format]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"murmur.{format}"
        raw = ["ffmpeg", "-v", "error", "-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", "-"]
        subprocess.run([*raw, *arguments, str(path)], input=murmur(samples) * ROUNDS, check=True)
        data = path.read_bytes()
        if format == "opus":
            return ogg_packets(data)[2:]
        show = ["ffprobe", "-v", "error", "-show_entries", "packet=pos,size", "-of", "csv=p=0", str(path)]
        told = subprocess.run(show, capture_output=True, text=True, check=True).stdout.split()
        sizes = [tuple(map(int, line.strip(",").split(",")[:2])) for line in told]
        return [data[at : at + size] for size, at in sizes]


def ogg_packets(data: bytes) -> list[bytes]:
    """The packets of an Ogg file; none of them may cross a page."""
    found, at = [], 0
    while at < len(data):
        count = data[at + 26]
        lengths, at = data[at + 27 : at + 27 + count], at + 27 + count
        size = 0
        for length in lengths:
            size += length
            if length < 255:
                found.append(data[at : at + size])
                at, size = at + size, 0
    return found


def without_header(frame: bytes) -> bytes:
    """A FLAC frame between its header, which ends with a sum of 8 bits, and its own sum of 16."""
    assert frame[:4] == b"\xff\xf8\x77\x08", frame[:4]
    number = 1 if frame[4] < 0x80 else 8 - (~frame[4] & 0xFF).bit_length()
    return frame[4 + number + 2 + 1 : -2]


def main(target: str) -> None:
    """Writes the file."""
    told: dict[str, object] = {"source": "made by scripts/make_tones.py from llmsim.sounds.murmur"}
    for format, (_, frame, samples) in ENCODERS.items():
        count, all_packets = samples // frame, packets(format)
        taken = all_packets[TAKEN * count : (TAKEN + 1) * count]
        assert len(taken) == count
        if format == "flac":
            taken = [without_header(one) for one in taken]
        told[format] = [base64.b64encode(one).decode() for one in taken]
    Path(target).write_text(json.dumps(told, indent=0) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
