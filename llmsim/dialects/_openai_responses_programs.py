"""Code, commands and programs that OpenAI runs, and images that it draws: nothing is run, and images are grey.

Source: OpenAI's OpenAPI document, schemas OutputItem and ResponseStreamEvent.
"""

from __future__ import annotations

import base64
import re
import struct
import zlib
from functools import lru_cache

from llmsim.dialects._openai_responses_choice import Use
from llmsim.dialects._openai_responses_input import sealed
from llmsim.dialects._openai_responses_runs import Run, Setting, Step, Told, command_steps, short


def code_interpreter(use: Use, index: int, setting: Setting) -> list[Run]:
    """A few lines of Python, and what they print."""
    low, high = sorted((setting.dice.between(1, 40), setting.dice.between(41, 99)))
    code = f"numbers = [{low}, {high}]\nprint(sum(numbers))\n"
    told = use.tool.get("container")
    item = {
        "id": setting.ids.item("ci_", index),
        "type": "code_interpreter_call",
        "status": "completed",
        "code": code,
        "container_id": told if isinstance(told, str) else setting.ids.item("cntr_", index),
        "outputs": [{"type": "logs", "logs": f"{low + high}\n"}]
        if "code_interpreter_call.outputs" in setting.include
        else None,
    }
    deltas = [("code_interpreter_call_code.delta", {"delta": part}) for part in re.findall(r"\s*\S+\n?", code)]
    return [
        Run(
            {**item, "status": "in_progress", "code": "", "outputs": None},
            item,
            [("code_interpreter_call.in_progress", {})],
            [
                *deltas,
                ("code_interpreter_call_code.done", {"code": code}),
                ("code_interpreter_call.interpreting", {}),
                ("code_interpreter_call.completed", {}),
            ],
        )
    ]


def shell(use: Use, index: int, setting: Setting) -> list[Run]:
    """Commands that run in a container of OpenAI's: the call, and what it printed."""
    environment = use.tool.get("environment") or {}
    container = environment.get("container_id") or setting.ids.item("cntr_", index)
    call, command = f"call_{setting.dice.text(24)}", "ls -la"
    printed = [{"stdout": "total 0\n", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]
    action: Told = {"commands": [command], "timeout_ms": None, "max_output_length": None}
    shared = {"call_id": call, "status": "completed"}
    asked = {
        "id": setting.ids.item("sh_", index),
        "type": "shell_call",
        **shared,
        "action": action,
        "environment": {"type": "container_reference", "container_id": container},
    }
    id = setting.ids.item("sho_", index + 1)
    output = {"id": id, "type": "shell_call_output", **shared, "output": printed, "max_output_length": None}
    told: list[Step] = [
        ("shell_call_output_content.delta", {"command_index": 0, "delta": {"stdout": "total 0\n"}}),
        ("shell_call_output_content.done", {"command_index": 0, "output": printed}),
    ]
    begun = {**asked, "status": "in_progress", "action": {**action, "commands": []}}
    return [
        Run(begun, asked, [], command_steps([command])),
        Run({**output, "status": "in_progress", "output": []}, output, [], told),
    ]


def program(use: Use, index: int, setting: Setting) -> list[Run]:
    """A program of the model's own, and what it gives."""
    call = f"call_{setting.dice.text(24)}"
    program = {
        "id": setting.ids.item("prog_", index),
        "type": "program",
        "call_id": call,
        "code": "const answer = 1 + 1;\nanswer;\n",
        "fingerprint": setting.dice.text(32),
    }
    output = {
        "id": setting.ids.item("progout_", index + 1),
        "type": "program_output",
        "call_id": call,
        "result": "2",
        "status": "completed",
    }
    return [Run(program, program), Run(output, output)]


# -- images


def image_generation(use: Use, index: int, setting: Setting) -> list[Run]:
    """A picture, after as many sketches of it as are wanted."""
    look = _look(use.tool)
    picture = _picture(look["size"], 32 * setting.dice.below(8))
    item = {
        "id": setting.ids.item("ig_", index),
        "type": "image_generation_call",
        "status": "completed",
        **look,
        "action": "generate",
        "revised_prompt": short(setting.hint),
        "result": picture,
    }
    partial = [
        ("image_generation_call.partial_image", {"partial_image_index": number, "partial_image_b64": picture, **look})
        for number in range(use.tool.get("partial_images") or 0)
    ]
    return [
        Run(
            {"id": item["id"], "type": item["type"], "status": "in_progress", "result": None},
            item,
            [("image_generation_call.in_progress", {}), ("image_generation_call.generating", {})],
            [*partial, ("image_generation_call.completed", {})],
        )
    ]


def _look(tool: Told) -> dict[str, str]:
    """What is told of a picture; what the client leaves open is decided."""
    usual = {"background": "opaque", "quality": "medium", "size": "1024x1024"}
    told = {name: tool.get(name) or "auto" for name in usual}
    decided = {name: usual[name] if value == "auto" else value for name, value in told.items()}
    return {**decided, "output_format": "png"}


@lru_cache(maxsize=32)
def _picture(size: str, grey: int) -> str:
    """A grey PNG of that size ("1024x1536") in base64."""
    match = re.fullmatch(r"([1-9]\d{0,3})x([1-9]\d{0,3})", size)
    width, height = (int(match[1]), int(match[2])) if match else (1024, 1024)
    # One bit a pixel and a palette of one colour: even the largest picture is some hundred bytes.
    rows = (b"\x00" + bytes(-(-width // 8))) * height
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0)),
        (b"PLTE", bytes([grey, grey, grey])),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    ]
    chunks = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    ]
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode()


def compaction(use: Use, index: int, setting: Setting) -> list[Run]:
    """The conversation made short by itself, as it has become too long."""
    item = {
        "id": setting.ids.item("cmp_", index),
        "type": "compaction",
        "encrypted_content": sealed(f"The user asked: {short(setting.hint)}"),
    }
    return [Run(item, item, [("compaction.compacting", {})])]
