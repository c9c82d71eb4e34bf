"""Runs every attack on one server and tells, as a table, what came of it; 1 where the server did not stand."""

from __future__ import annotations

import argparse
import asyncio
import gzip
import sys
import zlib
from collections.abc import Awaitable, Callable

import orjson

from fuzz.attacks import changes, wire
from fuzz.attacks.victim import Look, Victim, victim
from fuzz.attacks.wire import CHAT, post

Attack = Callable[[Victim], Awaitable[str]]
GB = 1 << 30


def _form(name: bytes, data: bytes, kind: bytes) -> bytes:
    head = b'--x\r\ncontent-disposition: form-data; name="%b"; filename="a"\r\ncontent-type: %b\r\n\r\n' % (name, kind)
    purpose = b'--x\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
    return purpose + head + data + b"\r\n--x--\r\n"


def _asks(**fields: object) -> bytes:
    return orjson.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}], **fields})


def _schema(told: object) -> bytes:
    return post(
        _asks(response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": told}}),
        b"connection: close",
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def _image_bomb() -> bytes:
    header = (200_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    packed = zlib.compress(bytes(60 << 20), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _odd_bodies() -> list[tuple[str, bytes]]:
    close = b"connection: close"
    return [
        ("deep", post(b"[" * 1_000_000, close)),
        ("deep and closed", post(b'{"a":' * 900 + b"1" + b"}" * 900, close)),
        ("a number of 1 MB", post(b'{"model":' + b"9" * 1_000_000 + b"}", close)),
        ("1e999", post(b'{"model":"gpt-4o","messages":[],"temperature":1e999}', close)),
        ("keys twice", post(b'{"model":"gpt-4o","model":"gpt-4o","messages":[{"role":"user","content":"a"}]}', close)),
        ("a lone surrogate", post(b'{"model":"gpt-4o","messages":[{"role":"user","content":"\\ud800"}]}', close)),
        ("no UTF-8", post(b'{"model":"\xff\xfe","messages":[]}', close)),
        ("UTF-16", post('{"model":"gpt-4o"}'.encode("utf-16"), close)),
        ("300,000 messages", post(_asks(messages=[{"role": "user", "content": ""}] * 300_000), close)),
        ("1,000,000 keys", post(orjson.dumps({f"k{at}": 1 for at in range(1_000_000)}), close)),
        ("a text of 30 MB", post(_asks(messages=[{"role": "user", "content": "a" * (30 << 20)}]), close)),
        (
            "a text of 8 MB without a blank",
            post(_asks(messages=[{"role": "user", "content": "aB1é漢" * (1 << 20)}]), close),
        ),
    ]


def _bombs() -> list[tuple[str, bytes]]:
    close, form = b"connection: close", b"content-type: multipart/form-data; boundary=x"
    zipped = gzip.compress(bytes(200 << 20), 9)
    return [
        ("a body in gzip", post(gzip.compress(CHAT), b"content-encoding: gzip", close)),
        ("200 MB in gzip", post(zipped, b"content-encoding: gzip", close)),
        ("200 MB in gzip as a file", post(_form(b"file", zipped, b"application/gzip"), form, close, path=b"/v1/files")),
        (
            "an image of 200,000 px",
            post(_form(b"image", _image_bomb(), b"image/png"), form, close, path=b"/v1/images/edits"),
        ),
        ("a million parts", post(b"--x\r\n\r\na\r\n" * 1_000_000 + b"--x--", form, close, path=b"/v1/files")),
        (
            "a million marks",
            post(
                b"--a" * 8_000_000,
                b"x-goog-api-key: k",
                b"content-type: multipart/related; boundary=a",
                close,
                path=b"/upload/v1beta/files",
            ),
        ),
    ]


def _schema_bombs() -> list[tuple[str, bytes]]:
    pair = [{"type": "string", "minLength": 1}, {"type": "string", "maxLength": 9}]
    return [
        ("(a+)+$", _schema({"type": "string", "pattern": "^(a+)+$", "minLength": 3000})),
        ("2,000 letters", _schema({"type": "string", "pattern": "x" * 2000})),
        ("look-around", _schema({"type": "string", "pattern": "^(?=(a|aa)+$)(?=.*b)" + "(a|b)*" * 20 + "c$"})),
        ("contradictions", _schema({"allOf": [*([{"anyOf": pair}] * 30), {"type": ["number"]}]})),
        ("oneOf of 20,000", _schema({"oneOf": [{"type": "integer", "minimum": at} for at in range(20_000)]})),
        ("enum of 100,000", _schema({"enum": [{"a": at} for at in range(100_000)]})),
        ("10^9 items", _schema({"type": "array", "minItems": 10**9})),
        ("$ref to itself", _schema({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}})),
    ]


def attacks(quick: bool) -> dict[str, Attack]:
    """Every attack by its name."""
    size, many = (64 << 20, 1_000) if quick else (GB, 10_000)
    return {
        "idle connections": lambda one: wire.idle(one, many),
        "no descriptors left": lambda one: wire.no_descriptors(one, 200, 8),
        "slowloris": lambda one: wire.drip(one, 200, 8 if quick else 75),
        "clients that vanish": lambda one: wire.half_open(one, 300),
        f"a body of {size >> 20} MB, announced": lambda one: wire.large(one, size, False),
        f"a body of {size >> 20} MB, in chunks": lambda one: wire.large(one, size, True),
        "a flood of headers": lambda one: wire.flood_of_headers(one, size // 4),
        "malformed requests": wire.malformed,
        "smuggled requests": wire.smuggled,
        "pipelined requests": lambda one: wire.pipelined(one, 2_000),
        "web sockets": wire.sockets,
        "odd bodies": lambda one: wire.asked(one, *_odd_bodies()),
        "bombs in uploads": lambda one: wire.asked(one, *_bombs()),
        "bombs in schemas": lambda one: wire.asked(one, *_schema_bombs()),
        "large changes": changes.large,
    }


def told(before: Look, after: Look) -> str:
    return (
        f"memory {before.rss:.0f} → {after.rss:.0f} MB, descriptors {before.descriptors} → {after.descriptors}, "
        f"{after.active} under way, /health in {after.health * 1000:.0f} ms"
    )


async def run(only: list[str], quick: bool, times: int = 1) -> int:
    """Runs the attacks on one server, all of them so many times; what it keeps of them levels off then, or leaks."""
    stood = True
    async with victim() as one:
        await asyncio.sleep(4)
        for name, attack in list(attacks(quick).items()) * times:
            if only and not any(part in name for part in only):
                continue
            before, said = await one.look(), len(one.log)
            try:
                outcome = await attack(one)
                await asyncio.sleep(1)
                after = told(before, await one.look())
            except Exception as error:
                outcome, after, stood = f"{type(error).__name__}: {error}", "DID NOT STAND", False
            logged = one.log[said:]
            print(f"| {name} | {outcome} | {after} |", flush=True)
            if "Traceback" in logged or not one.alive:
                stood = False
                print(f"*** {'' if one.alive else 'it ended; '}the log says:\n{logged[:3000]}", flush=True)
    print("it stood" if stood else "IT DID NOT STAND: see above", flush=True)
    return 0 if stood else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz.attacks", description=__doc__)
    parser.add_argument("only", nargs="*", metavar="PART", help="attacks with this in their name")
    parser.add_argument("--quick", action="store_true", help="smaller ones, in two or three minutes")
    parser.add_argument("--times", type=int, default=1, metavar="N", help="all of them N times on one server")
    chosen = parser.parse_args()
    return asyncio.run(run(chosen.only, chosen.quick, chosen.times))


if __name__ == "__main__":
    sys.exit(main())
