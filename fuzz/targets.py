"""Every target of the fuzzer by its name, with what it begins from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import orjson

from fuzz import bodies, files, seeds, texts, wires


class Target(NamedTuple):
    """A function of bytes that raises what nobody should see, and inputs to begin with."""

    run: Callable[[bytes], None]
    seeds: Sequence[bytes] = ()


def _texts(*told: str) -> list[bytes]:
    return [one.encode() for one in told]


_FORM = b'x\r\n--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nHi\r\n--x--\r\n'
_BODIES = [bytes((at % 256, at // 256, 0, at % 7)) + b'{"type":"text"}' for at in range(0, 240, 5)]
_SCHEMAS = [orjson.dumps(seeds.SCHEMA), b'{"oneOf":[{"const":1},{"type":"array","prefixItems":[{}],"minItems":2}]}']

TARGETS: dict[str, Target] = {
    "bodies": Target(bodies.at_random, _BODIES),
    "control": Target(
        bodies.control_at_random,
        [bytes((at, 0)) + orjson.dumps(body) for at, body in enumerate(bodies.CONTROL.values())],
    ),
    "match": Target(texts.match, _texts(*seeds.MATCHES)),
    "faults": Target(texts.fault, _texts(*seeds.FAULTS)),
    "overrides": Target(texts.override, [b"\0" + one.encode() for one in seeds.FAULTS]),
    "templates": Target(texts.write, _texts(*seeds.TEMPLATES)),
    "expressions": Target(texts.expression, _texts(*(f"{one}\naaaaaaaaaaaaaaaa!" for one in seeds.PATTERNS))),
    "generators": Target(texts.generator, _texts("lorem", "fixed:Hi", "sequence:a|b", "words:3")),
    "expectations": Target(texts.expectation, [b'{"when":"model:a","times":"2..4","within_s":3}']),
    "shown": Target(texts.shown, _texts("\x1b[2J\x1b]0;owned\x07", "\u202eabc\x9b31m\r\n")),
    "masks": Target(texts.secret, _texts('{"api_key": "abcdefghijkl"}', "Bearer abcdefghijklmnop", "a=b; c=d")),
    "tokens": Target(texts.count, _texts("Hello, wörld 漢字 👩🏽‍🚀")),
    "configuration": Target(
        files.configuration, [b"Y" + seeds.CONFIG.encode(), b'Tport = 8081\n[profiles.a.ttft]\nkind = "fixed"\n']
    ),
    "mocks": Target(files.mocks, [b"Y" + seeds.MOCKS.encode()]),
    "tapes": Target(files.tape, [b"P" + seeds.TAPE, b"Z\n" + seeds.TAPE]),
    "scenarios": Target(files.scenario, [b"Y" + seeds.SCENARIO.encode()]),
    "forms": Target(wires.form, [b"x\n" + _FORM[1:]]),
    "uploads": Target(wires.upload, [bytes((at,)) + _FORM[3:] for at in range(5)]),
    "images": Target(wires.image, [b"\0\0\0\rIHDR\0\0\0\1\0\0\0\1", seeds.PIXEL.encode()]),
    "heads": Target(wires.head, [b"content-length: 2\r\n\r\n{}", b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n"]),
    "schemas": Target(wires.schema, _SCHEMAS),
    "structured": Target(wires.structured, _SCHEMAS),
    "events": Target(wires.events, _texts("Hello\n\ndata: x\r\n", "\u2028\u0085\x1b[2J")),
}
