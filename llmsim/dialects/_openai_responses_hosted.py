"""Uses of the built-in tools that OpenAI runs itself, by kind: the items that they leave in the output.

Nothing is searched, run or drawn: what is found is made up, the same for the same exchange.
"""

from __future__ import annotations

from collections.abc import Callable

from llmsim.dialects import _openai_responses_programs as programs
from llmsim.dialects import _openai_responses_searches as searches
from llmsim.dialects._openai_responses_choice import Use
from llmsim.dialects._openai_responses_ids import Ids
from llmsim.dialects._openai_responses_runs import Run, Setting
from llmsim.dice import Dice

_KINDS: dict[str, Callable[[Use, int, Setting], list[Run]]] = {
    "web_search": searches.web_search,
    "file_search": searches.file_search,
    "tool_search": searches.tool_search,
    "mcp_list_tools": searches.mcp_list,
    "mcp": searches.mcp,
    "code_interpreter": programs.code_interpreter,
    "shell": programs.shell,
    "programmatic_tool_calling": programs.program,
    "image_generation": programs.image_generation,
    "compaction": programs.compaction,
}


def runs(uses: tuple[Use, ...], ids: Ids, seed: int, hint: str, include: frozenset[str], first: int) -> list[Run]:
    """The uses in their order; their items stand in the output from the index `first` on."""
    made: list[Run] = []
    for number, use in enumerate(uses):
        setting = Setting(ids, Dice(seed).fork(f"{use.kind} {number}"), hint or "the question", include)
        made += _KINDS[use.kind](use, first + len(made), setting)
    return made
