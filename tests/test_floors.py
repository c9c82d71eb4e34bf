"""Who may import whom: nobody a higher floor, nobody in a circle, and some never each other (docs/architecture.md)."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = [
    "conversation errors tokens bytepairs clock gather dice catalogue media store vectors pictures sounds"
    " masks buckets",
    "plan layout limits schema generators match",
    "latency exchange faults tapes pacer mocks replay",
    "settings dialects load",
    "events tally overrides explain history repeats underway",
    "decide journal metrics figures verdict exports honesty",
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


def imports(path):
    """The modules that a file imports, those for type checkers alone left out."""
    pending = [ast.parse(path.read_text())]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & MODULES.keys()
            yield from inner or {node.module}
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            pending += node.orelse
        else:
            pending += ast.iter_child_nodes(node)


IMPORTS = {name: set(imports(path)) for name, path in MODULES.items()}


def room(module):
    """`llmsim.faults.cut` is in faults, all of the console is one room, `textual.app` is outside."""
    top, _, rest = module.partition(".")
    if top == "llmsim":
        return rest.partition(".")[0]
    return "__main__" if module == "llmsim_tui.__main__" else top


def test_every_module_has_its_floor():
    assert {room(module) for module in MODULES} - {""} <= FLOOR.keys()


@pytest.mark.parametrize("module", MODULES)
def test_nobody_imports_a_higher_floor(module):
    here = FLOOR.get(room(module), 0)
    above = {other for other in IMPORTS[module] if other in MODULES and FLOOR.get(room(other), 0) > here}
    assert not above


@pytest.mark.parametrize("module", MODULES)
def test_nobody_reaches_through_a_wall(module):
    own = room(module)
    walls = WALLS.get(own) or (CORE if FLOOR.get(own, 0) < FLOOR["simulator"] or own == "simulator" else set())
    if module.startswith("llmsim_tui.widgets"):
        walls = {"starlette", "uvicorn", "server", "dialects"}
    assert not {other for other in IMPORTS[module] if room(other) in walls - {own}}


def test_there_is_no_circle():
    done, path = set(), []

    def visit(module):
        assert module not in path, " -> ".join([*path[path.index(module) :], module])
        if module not in done:
            path.append(module)
            for other in sorted(IMPORTS[module] & MODULES.keys()):
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
