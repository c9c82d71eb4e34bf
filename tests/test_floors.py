"""Who may import whom: nobody a higher floor, nobody in a circle, and some never each other (docs/architecture.md)."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = [
    "conversation errors tokens bytepairs clock gather dice catalogue media store vectors pictures sounds"
    " masks buckets signs problems",
    "plan layout limits schema generators match",
    "latency exchange faults tapes pacer mocks replay",
    "settings dialects load moments",
    "events tally overrides explain history holds repeats underway",
    "decide journal metrics spent figures verdict exports honesty",
    "simulator streams scenarios",
    "views",
    "server llmsim_tui ctl",
    "cli testing fitting taping __main__ pytest_plugin",
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS, 1) for room in rooms.split()}
OUTSIDE = {"starlette", "uvicorn", "textual", "rich", "prometheus_client"}
WALLS = {
    "dialects": {"server", "simulator", "settings", "textual", "uvicorn"},
    "server": {"llmsim_tui", "textual"},
    "ctl": {"llmsim_tui", "textual", "rich", "starlette", "uvicorn", "dialects", "simulator", "settings"},
}
CORE = OUTSIDE | {"dialects", "server", "llmsim_tui"}
WALLS["views"] = CORE


def modules():
    for base in (ROOT, ROOT / "tui"):
        for path in sorted((base / ("llmsim" if base == ROOT else "llmsim_tui")).rglob("*.py")):
            yield ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__"), path


MODULES = dict(modules())


@cache
def imports(module):
    """The modules that one imports, those for type checkers left out; only statements are looked through."""
    pending = [ast.parse(MODULES[module].read_bytes())]
    found = set()
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & MODULES.keys()
            found |= inner or {node.module}
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            pending += node.orelse
        else:
            for part in ("body", "orelse", "handlers", "finalbody", "cases"):
                inside = getattr(node, part, ())
                pending += inside if isinstance(inside, list) else ()
    return found


def room(module):
    """`llmsim.faults.cut` is in faults, all of the console is one room, `textual.app` is outside."""
    top, _, rest = module.partition(".")
    if top == "llmsim":
        return rest.partition(".")[0]
    return "__main__" if module == "llmsim_tui.__main__" else top


def test_every_module_has_its_floor():
    assert {room(module) for module in MODULES} - {""} <= FLOOR.keys()


def higher(module):
    here = FLOOR.get(room(module), 0)
    return {other for other in imports(module) if other in MODULES and FLOOR.get(room(other), 0) > here}


def test_nobody_imports_a_higher_floor():
    assert not {module: above for module in MODULES if (above := higher(module))}


def behind_a_wall(module):
    own = room(module)
    walls = WALLS.get(own) or (CORE if FLOOR.get(own, 0) < FLOOR["simulator"] or own == "simulator" else set())
    if module.startswith("llmsim_tui.widgets"):
        walls = {"starlette", "uvicorn", "server", "dialects"}
    return {other for other in imports(module) if room(other) in walls - {own}}


def test_nobody_reaches_through_a_wall():
    assert not {module: others for module in MODULES if (others := behind_a_wall(module))}


def test_there_is_no_circle():
    done, path = set(), []

    def visit(module):
        assert module not in path, " -> ".join([*path[path.index(module) :], module])
        if module not in done:
            path.append(module)
            for other in sorted(imports(module) & MODULES.keys()):
                visit(other)
            path.pop()
            done.add(module)

    for module in MODULES:
        visit(module)


@pytest.mark.parametrize(
    ("imported", "strangers"),
    [
        ("llmsim", {"textual", "starlette", "uvicorn", "pydantic", "tiktoken"}),
        ("llmsim.simulator", {"textual", "starlette", "uvicorn"}),
        ("llmsim.server.serve", {"textual", "rich"}),
        ("llmsim.cli, llmsim.ctl", {"textual", "starlette", "uvicorn", "pydantic", "asyncio", "yaml"}),
    ],
)
def test_who_needs_only_a_part_loads_only_that(imported, strangers):
    code = f"import sys, {imported}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not strangers & set(loaded.split())
