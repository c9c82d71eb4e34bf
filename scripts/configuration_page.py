"""Writes docs/configuration.md from the models themselves, so that it cannot tell anything else than they do.

python scripts/configuration_page.py            # writes it
python scripts/configuration_page.py --check    # says whether it is current
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from llmsim import faults, generators
from llmsim.latency import Profile, Spread, presets
from llmsim.limits import Limit
from llmsim.match import Match
from llmsim.mocks import Answer, Mock
from llmsim.server.config import PREFIX, Config, add_options
from llmsim.settings import Armed, Settings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "configuration.md"

HEAD = """\
# Configuration

<!-- Made by scripts/configuration_page.py from the models; changes belong there. -->

Flags win over environment variables, which win over a file: `--config FILE`, else `./llmsim.yaml`, `./llmsim.toml` or
`~/.config/llmsim/config.yaml`. All are validated by one model, all of it or nothing; `llmsim check FILE` says what is
wrong by file, line and field. [llmsim.yaml](../examples/llmsim.yaml) shows a whole file.

Each setting is `LLMSIM_` and its name in capitals in the environment: `LLMSIM_TARGET_TOKENS=50`; lists and mappings are
JSON, or nested by two underscores: `LLMSIM_MODEL_PROFILES__GPT-4O=fast`. Some have a flag: `--target-tokens 50`.
"""


def main() -> None:
    """Writes or checks the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="say whether the page is current; status 1 if not")
    options = parser.parse_args()
    told = page()
    if not options.check:
        PAGE.write_text(told)
    elif PAGE.read_text() != told:
        sys.exit("docs/configuration.md is not what the models say: python scripts/configuration_page.py")


def page() -> str:
    """The whole page."""
    return "\n".join((HEAD, *_settings(), *_latency(), *_faults(), *_rules(), *_generators())).rstrip() + "\n"


def _settings() -> Iterator[str]:
    flags = _flags()
    later = {name: field for name, field in Config.model_fields.items() if name in Settings.model_fields}
    first = {name: field for name, field in Config.model_fields.items() if name not in Settings.model_fields}
    yield "## What can change while it runs\n"
    yield "By the console, the [control API](rules.md#control-api), scenarios and files that are watched.\n"
    yield from _table(later, flags)
    yield "\n## What is set at the start\n"
    yield from _table(first, flags)


def _latency() -> Iterator[str]:
    yield "\n## Latency profiles\n"
    yield "Each model has its family's; `latency_profile` sets one for all, `model_profiles` by model. Mean and"
    yield "standard deviation in milliseconds, to the first token (TTFT) and between tokens (TBT):\n"
    yield "| profile | TTFT | TBT |\n|---|---|---|"
    for name, profile in presets().items():
        times = " | ".join(f"{one.mean:g} / {one.stddev:g}" for one in (profile.ttft, profile.tbt))
        yield f"| `{name}` | {times} |"
    yield "\nOne of your own, under `profiles`:\n"
    yield from _fields(Profile)
    yield "\nA time (`ttft`, `tbt`) is drawn from a spread:\n"
    yield from _fields(Spread)


def _faults() -> Iterator[str]:
    yield "\n## Faults\n"
    yield "An entry of `faults` has its `kind`, the fields of that kind, `probability` (0 to 1), and any of these:\n"
    yield from _fields(Armed, leave=("fault", "since", "until"))
    yield f"\n{_story(Armed)}\n"
    for kind, fault in faults.kinds().items():
        yield f"### {kind}\n"
        yield _story(fault) + "\n"
        yield from _fields(fault, leave=("probability",))
        yield ""


def _rules() -> Iterator[str]:
    for title, model in (("Mocks", Mock), ("Answers of a mock", Answer), ("Rate limits", Limit)):
        yield f"\n## {title}\n"
        yield _story(model) + "\n"
        yield from _fields(model)
    yield "\nWhat `when` and `scope` can say, with examples, is in [Rules](rules.md)."


def _generators() -> Iterator[str]:
    yield "\n## Generators\n"
    yield "`generator` is one of these, with its text behind a colon where it takes one: `fixed:Hello`.\n"
    yield "| generator | writes |\n|---|---|"
    for kind, generator in generators.kinds().items():
        yield f"| `{kind}` | {_cell(_story(generator).splitlines()[0])} |"


# -- tables


def _flags() -> dict[str, str]:
    """The flag of each setting that has one."""
    parser = argparse.ArgumentParser()
    add_options(parser, scenario=True)
    return {action.dest: action.option_strings[-1] for action in parser._actions if action.dest != "help"}


def _table(fields: Mapping[str, FieldInfo], flags: Mapping[str, str]) -> Iterator[str]:
    yield "| setting | default | is | meaning |\n|---|---|---|---|"
    for name, field in fields.items():
        flag = f"<br>`{flags[name]}`" if name in flags else ""
        yield f"| `{name}`{flag} | {_default(field)} | {_kind(field)} | {_cell(field.description or '')} |"
    yield f"\n<small>In the environment: {', '.join(f'`{PREFIX}{name.upper()}`' for name in fields)}.</small>"


def _fields(model: type[BaseModel], leave: tuple[str, ...] = ()) -> Iterator[str]:
    found = {name: field for name, field in model.model_fields.items() if name not in leave}
    if not found:
        yield "It has no fields of its own."
        return
    told = any(field.description for field in found.values())
    yield f"| field | default | is |{' meaning |' if told else ''}\n|---|---|---|{'---|' if told else ''}"
    for name, field in found.items():
        end = f" {_cell(field.description or '')} |" if told else ""
        yield f"| `{field.alias or name}` | {_default(field)} | {_kind(field)} |{end}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    if value in (None, "", (), {}, []) and value is not False and value != 0:
        return ""
    if isinstance(value, BaseModel | Match):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _kind(field: FieldInfo) -> str:
    """What a value can be, in words."""
    bounds = {}
    for one in field.metadata:
        for name in ("ge", "gt", "le", "lt", "min_length", "max_length"):
            if (bound := getattr(one, name, None)) is not None:
                bounds[name] = bound
    told = _type(field.annotation)
    return _cell(told + _bounds(bounds, "characters" if told == "text" else "of them"))


def _bounds(bounds: Mapping[str, Any], unit: str = "of them") -> str:
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    told = [f"{words[name]} {bounds[name]:g}" if isinstance(bounds[name], float) else f"{words[name]} {bounds[name]}"
            for name in words if name in bounds]  # fmt: skip
    if "max_length" in bounds:
        told.append(f"at most {bounds['max_length']} {unit}")
    return f", {', '.join(told)}" if told else ""


def _type(kind: Any) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_type(one) for one in inner if one is not type(None)))
    if origin is Literal:
        return ", ".join(f"`{one}`" for one in inner)
    if hasattr(kind, "__metadata__"):  # Annotated
        bounds = {
            name: bound
            for one in kind.__metadata__
            for part in (*getattr(one, "metadata", ()), one)
            for name in ("ge", "gt", "le", "lt")
            if (bound := getattr(part, name, None)) is not None
        }
        return _type(inner[0]) + _bounds(bounds)
    if origin in (tuple, list):
        return f"list of {_type(inner[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"mapping of names to {_type(inner[1])}"
    words = {int: "whole number", float: "number", str: "text", bool: "true or false", bytes: "bytes"}
    named = {"Armed": "[faults](#faults)", "Mock": "[mocks](#mocks)", "Limit": "[limits](#rate-limits)"}
    named |= {"Profile": "[profile](#latency-profiles)", "Spread": "spread", "Match": "[match](rules.md#match)"}
    return words.get(kind) or named.get(
        getattr(kind, "__name__", ""), getattr(kind, "__name__", "value").lower().removesuffix("of")
    )


def _story(model: type) -> str:
    """What the class says of itself, in lines that end where its docstring's do."""
    return inspect.cleandoc(model.__doc__ or "").strip()


def _cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", text.replace("\n", " "))


if __name__ == "__main__":
    main()
