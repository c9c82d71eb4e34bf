"""Calls of the built-in tools that the client runs itself: a shell, a computer, patches, an approval of an MCP call."""

from __future__ import annotations

from typing import Any

import orjson

from llmsim.dialects._openai_responses_choice import mcp_name
from llmsim.dialects._openai_responses_drafts import CustomCall, Draft, FunctionCall, Scene
from llmsim.dialects._openai_responses_runs import command_steps
from llmsim.plan import Call, Say

Told = dict[str, Any]


class ClientRun(FunctionCall):
    """A call whose arguments the engine wrote as those of a function, and which is worded in the tool's own way."""

    @property
    def tool(self) -> Told:
        """The tool as the client described it."""
        runs = self.scene.wanted.runs
        return {} if runs is None else runs.tool

    def arguments(self) -> Told:
        """What it is called with; nothing while it is not whole."""
        try:
            told = orjson.loads("".join(self.texts))
        except orjson.JSONDecodeError:
            return {}
        return told if isinstance(told, dict) else {}

    def take(self, piece: Say) -> bytes:
        """A part of it, which is told at its end."""
        self.texts.append(piece.text)
        return b""

    def close(self, status: str) -> bytes:
        """The item."""
        return Draft.close(self, status)


class ShellCall(ClientRun):
    """Commands to run."""

    prefix = "sh_"

    def item(self, status: str) -> Told:
        """A shell call item."""
        commands = self.arguments().get("commands", [])
        return {
            "id": self.id,
            "type": "shell_call",
            "status": status,
            "call_id": self.call.id,
            "action": {"commands": commands, "timeout_ms": None, "max_output_length": None},
            "environment": {"type": "local"},
        }

    def close(self, status: str) -> bytes:
        """The commands one by one, then the item."""
        told = []
        for kind, fields in command_steps(self.arguments().get("commands", [])):
            told.append(self.tell(kind, {key: value for key, value in fields.items() if key != "item_id"}, named=False))
        return b"".join(told) + super().close(status)


class LocalShellCall(ClientRun):
    """A command to run, by the tool's first name."""

    prefix = "lsh_"

    def item(self, status: str) -> Told:
        """A local shell call item."""
        command = self.arguments().get("command", [])
        action = {"type": "exec", "command": command, "env": {}, "timeout_ms": None, "user": None}
        return {
            "id": self.id,
            "type": "local_shell_call",
            "status": status,
            "call_id": self.call.id,
            "action": {**action, "working_directory": None},
        }


class ComputerCall(ClientRun):
    """What to do with a computer."""

    prefix = "cu_"

    def item(self, status: str) -> Told:
        """A computer call item."""
        action = self.arguments().get("action", {"type": "screenshot"})
        acts = {"actions": [action]} if self.tool.get("type") == "computer" else {"action": action}
        return {
            "id": self.id,
            "type": "computer_call",
            "status": status,
            "call_id": self.call.id,
            **acts,
            "pending_safety_checks": [],
        }


class PatchCall(ClientRun):
    """A change of a file."""

    prefix = "apc_"

    def item(self, status: str) -> Told:
        """An apply patch call item."""
        usual = {"type": "create_file", "path": "notes.md", "diff": ""}
        return {
            "id": self.id,
            "type": "apply_patch_call",
            "status": "completed" if status == "completed" else "in_progress",
            "call_id": self.call.id,
            "operation": self.arguments().get("operation", usual),
        }


class ApprovalRequest(ClientRun):
    """A call of an MCP server's tool that the user has to approve."""

    prefix = "mcpr_"

    def item(self, status: str) -> Told:
        """An approval request item."""
        return {
            "id": self.id,
            "type": "mcp_approval_request",
            "server_label": self.tool.get("server_label", ""),
            "name": mcp_name(self.tool),
            "arguments": "".join(self.texts),
        }


_KINDS: dict[str, type[ClientRun]] = {
    "shell": ShellCall,
    "local_shell": LocalShellCall,
    "computer": ComputerCall,
    "apply_patch": PatchCall,
    "mcp": ApprovalRequest,
}


def call_draft(scene: Scene, index: int, piece: Call) -> Draft:
    """The item that a call becomes: one of the client's functions, or the built-in tool that it runs."""
    runs = scene.wanted.runs
    if runs is not None and piece.call.name == runs.kind:
        return _KINDS[runs.kind](scene, index, piece)
    return (CustomCall if piece.call.custom else FunctionCall)(scene, index, piece)
