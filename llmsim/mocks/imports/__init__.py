"""Reads the fixtures of other tools as mocks: of aimock, of mock-llm (npm), of mockllm (PyPI) and of llmock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llmsim.mocks.imports import aimock, llmock, mock_llm, mockllm
from llmsim.mocks.imports.parts import Made, Report, Told

__all__ = ["Imported", "Made", "Told", "read"]


@dataclass(frozen=True)
class Imported:
    """What came of another tool's file: its mocks in the order in which they are asked.

    `notes` tell what was left out as it changes no answer, `problems` what llmsim has no counterpart for: a file with
    any of these stands for other answers than its own and is not to be put in force.
    """

    tool: str
    mocks: tuple[Made, ...]
    notes: tuple[Told, ...] = ()
    problems: tuple[Told, ...] = ()


_TOOLS = {"aimock": aimock, "mock-llm": mock_llm, "mockllm": mockllm, "llmock": llmock}


def read(raw: Any) -> Imported | None:
    """The mocks that another tool's file of fixtures stands for; None where it is none of theirs."""
    if not isinstance(raw, dict):
        return None
    for name, tool in _TOOLS.items():
        if tool.mine(raw):
            report = Report()
            made = tool.mocks(raw, report)
            return Imported(name, tuple(made), tuple(report.notes), tuple(report.problems))
    return None
