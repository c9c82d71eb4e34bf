"""Where a path of JMESPath leads in a request: into its body, to a header, to the path or the method."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from llmsim.mocks.imports.parts import When, together

_STEP = re.compile(
    r"\.?(?P<name>[A-Za-z_]\w*)|\.?\"(?P<quoted>[^\"]*)\"|\[(?P<at>-?\d+|\*|)\]|\[\?(?P<filter>[^\[\]]*)\]"
)
_FILTER = re.compile(r"\s*(\w+)\s*==\s*(?:'([^'\\]*)'|`\"?([^`\"\\]*)\"?`)\s*")


class Unread(ValueError):
    """An expression that has no counterpart; the message says what of it."""


class Target(NamedTuple):
    """What a path leads to: a value in the body, a header, the path or the method; of several values a projection."""

    kind: str
    path: str = ""
    several: bool = False

    def holds(self, values: list[str]) -> When:
        """Conditions on it that hold together."""
        if self.kind == "json":
            return together({"json": {self.path: one}} for one in values)
        if self.kind == "header":
            return together({"header": {self.path: one}} for one in values)
        raise Unread(f"{self.kind} cannot be asked for like this")


def target(told: str) -> Target:
    """Where a path leads; raises Unread."""
    path, at, several = "", 0, False
    while at < len(told):
        step = _STEP.match(told, at)
        if step is None:
            raise Unread(f"{told!r} is no path that llmsim can ask for")
        name = step["name"] or step["quoted"]
        if name is not None:
            path += f".{name}" if re.fullmatch(r"\w+", name) else f"[{json.dumps(name)}]"
        elif step["filter"] is not None:
            found = _FILTER.fullmatch(step["filter"])
            if found is None:
                raise Unread(f"the filter [?{step['filter']}] is none that llmsim can ask for")
            path += f"[?@.{found[1]}=={json.dumps(found[2] if found[2] is not None else found[3])}]"
            several = True
        else:
            path += f"[{step['at'] or '*'}]"
            several = several or step["at"] in ("*", "")
        at = step.end()
    root, _, rest = path.lstrip(".").partition(".")
    if root == "body" and rest:
        return Target("json", rest, several)
    if path.startswith(".headers") and len(path) > 9:
        return Target("header", json.loads(path[9:-1]) if path[8] == "[" else rest)
    if path in (".path", ".method"):
        return Target(path[1:])
    raise Unread(f"{told!r} is neither in body nor in headers")
