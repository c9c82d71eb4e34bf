"""Output items in the making: each takes its pieces, tells its events, and is worded whole when it is done.

Source: OpenAI's OpenAPI document, schemas OutputItem and ResponseStreamEvent.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import orjson

from llmsim.dialects._openai_logprobs import Logprobs
from llmsim.dialects._openai_responses_events import Events, noise, padding
from llmsim.dialects._openai_responses_ids import Ids
from llmsim.dialects._openai_responses_input import sealed
from llmsim.dialects._openai_responses_runs import Note, Run, Step
from llmsim.dialects._openai_responses_wanted import Wanted
from llmsim.plan import Call, Decline, Say

Told = dict[str, Any]


class Scene(NamedTuple):
    """What all items of one response share."""

    events: Events
    ids: Ids
    wanted: Wanted
    logprobs: Logprobs | None


class Draft(ABC):
    """An item that is being said; `index` is its place in the output."""

    prefix: ClassVar[str]

    def __init__(self, scene: Scene, index: int) -> None:
        self.scene = scene
        self.index = index
        self.id = scene.ids.item(self.prefix, index)

    @abstractmethod
    def item(self, status: str) -> Told:
        """The item as it is by now."""

    def open(self) -> bytes:
        """The events at its beginning."""
        return self.tell("output_item.added", {"item": self.item("in_progress")}, named=False)

    @abstractmethod
    def take(self, piece: Say) -> bytes:
        """The events of one more piece."""

    def close(self, status: str) -> bytes:
        """The events at its end."""
        return self.tell("output_item.done", {"item": self.item(status)}, named=False)

    def tell(self, kind: str, fields: Told, named: bool = True) -> bytes:
        """One event of this item; most are `named` by the item's id."""
        events = self.scene.events
        if not events.sent:
            return b""
        place: Told = {"item_id": self.id, "output_index": self.index} if named else {"output_index": self.index}
        return events.event(b"response." + kind.encode(), orjson.dumps(place | fields)[1:-1])

    def delta(self, kind: str, piece: Say, fields: Told | None = None) -> bytes:
        """The event of one piece's text."""
        events = self.scene.events
        if not events.sent:
            return b""
        place: Told = {"item_id": self.id, "output_index": self.index, **(fields or {})}
        text = orjson.dumps(place)[1:-1] + b',"delta":' + piece.json
        if type(piece) is Say:
            text += b',"logprobs":' + (orjson.dumps(self._entries(piece)) if self.scene.logprobs else b"[]")
        return events.event(b"response." + kind.encode(), text + padding(piece.text, self.scene.wanted.obfuscates))

    def _entries(self, piece: Say) -> list[Told]:
        return [] if self.scene.logprobs is None else self.scene.logprobs.entries(piece)


class Thought(Draft):
    """What the model thinks: its summary where the client wants one, sealed where it wants to send it back."""

    prefix = "rs_"

    def __init__(self, scene: Scene, index: int) -> None:
        super().__init__(scene, index)
        self._texts: list[str] = []

    def item(self, status: str) -> Told:
        """A reasoning item."""
        parts = [{"type": "summary_text", "text": "".join(self._texts)}] if self._texts else []
        seal = {"encrypted_content": sealed(self.id * 4)} if self.scene.wanted.seals else {}
        return {"id": self.id, "type": "reasoning", "summary": parts, **seal, "status": status}

    def take(self, piece: Say) -> bytes:
        """A part of the summary, which begins with the first."""
        if not self.scene.wanted.summarizes:
            return b""
        begins = not self._texts
        told = self._part("added", "") if begins else b""
        self._texts.append(piece.text)
        return told + self.delta("reasoning_summary_text.delta", piece, {"summary_index": 0})

    def close(self, status: str) -> bytes:
        """The summary whole, then the item."""
        if not self._texts:
            return super().close(status)
        text = "".join(self._texts)
        done = self.tell("reasoning_summary_text.done", {"summary_index": 0, "text": text})
        return done + self._part("done", text) + super().close(status)

    def _part(self, stage: str, text: str) -> bytes:
        part = {"type": "summary_text", "text": text}
        return self.tell(f"reasoning_summary_part.{stage}", {"summary_index": 0, "part": part})


class Speech(Draft):
    """A message: text, or a refusal; `notes` are annotations that its text gets."""

    prefix = "msg_"

    def __init__(self, scene: Scene, index: int, notes: Sequence[Note] = (), kind: type[Say] = Say) -> None:
        super().__init__(scene, index)
        self._notes = notes
        self._kind = kind
        self._texts: list[str] = []
        self._logprobs: list[Told] = []

    def item(self, status: str) -> Told:
        """A message item."""
        content = [] if status == "in_progress" else [self._part()]
        return {"id": self.id, "type": "message", "status": status, "content": content, "role": "assistant"}

    def _part(self) -> Told:
        text = "".join(self._texts)
        if self._kind is Decline:
            return {"type": "refusal", "refusal": text}
        notes = [note(len(text)) for note in self._notes] if text else []
        return {"type": "output_text", "annotations": notes, "logprobs": self._logprobs, "text": text}

    def open(self) -> bytes:
        """The item, then its only part."""
        return super().open() + self.tell("content_part.added", {"content_index": 0, "part": self._part()})

    def take(self, piece: Say) -> bytes:
        """A token of it."""
        self._texts.append(piece.text)
        if self._kind is Say:
            self._logprobs += self._entries(piece)
            return self.delta("output_text.delta", piece, {"content_index": 0})
        return self.delta("refusal.delta", piece, {"content_index": 0})

    def close(self, status: str) -> bytes:
        """Its annotations, its text whole, then the item."""
        part = self._part()
        told = [
            self.tell(
                "output_text.annotation.added", {"content_index": 0, "annotation_index": place, "annotation": note}
            )
            for place, note in enumerate(part.get("annotations", ()))
        ]
        if self._kind is Decline:
            told.append(self.tell("refusal.done", {"content_index": 0, "refusal": part["refusal"]}))
        else:
            said = {"content_index": 0, "text": part["text"], "logprobs": self._logprobs}
            told.append(self.tell("output_text.done", said))
        told.append(self.tell("content_part.done", {"content_index": 0, "part": part}))
        return b"".join(told) + super().close(status)


class FunctionCall(Draft):
    """A call of one of the client's functions."""

    prefix = "fc_"

    def __init__(self, scene: Scene, index: int, piece: Call) -> None:
        super().__init__(scene, index)
        self.call = piece.call
        self.texts: list[str] = []

    def item(self, status: str) -> Told:
        """A function call item; it has an id of its own and the call's."""
        space = dict(self.scene.wanted.namespaces).get(self.call.name)
        return {
            "id": self.id,
            "type": "function_call",
            "status": status,
            "arguments": "".join(self.texts),
            "call_id": self.call.id,
            "name": self.call.name,
            **({"namespace": space} if space else {}),
        }

    def take(self, piece: Say) -> bytes:
        """A part of the arguments."""
        self.texts.append(piece.text)
        return self.delta("function_call_arguments.delta", piece) if piece.text else b""

    def close(self, status: str) -> bytes:
        """The arguments whole, then the item."""
        said = {"arguments": "".join(self.texts), "name": self.call.name}
        return self.tell("function_call_arguments.done", said) + super().close(status)


class CustomCall(FunctionCall):
    """A call of a custom tool."""

    prefix = "ctc_"

    def item(self, status: str) -> Told:
        """A custom tool call item."""
        told = super().item(status)
        text = told.pop("arguments")
        return {**told, "type": "custom_tool_call", "input": text}

    def take(self, piece: Say) -> bytes:
        """A part of the input."""
        self.texts.append(piece.text)
        return self.delta("custom_tool_call_input.delta", piece) if piece.text else b""

    def close(self, status: str) -> bytes:
        """The input whole, then the item."""
        done = self.tell("custom_tool_call_input.done", {"input": "".join(self.texts)})
        return done + Draft.close(self, status)


class Summary(Draft):
    """A conversation made short: its words are sealed."""

    prefix = "cmp_"

    def __init__(self, scene: Scene, index: int) -> None:
        super().__init__(scene, index)
        self._texts: list[str] = []

    def item(self, status: str) -> Told:
        """A compaction item."""
        return {"id": self.id, "type": "compaction", "encrypted_content": sealed("".join(self._texts))}

    def take(self, piece: Say) -> bytes:
        """Tells that there is more of it."""
        self._texts.append(piece.text)
        return self.tell("compaction.compacting", {})


class ToolRun(Draft):
    """A use of a built-in tool that OpenAI runs."""

    prefix = ""

    def __init__(self, scene: Scene, index: int, run: Run) -> None:
        self.scene, self.index, self.run, self.id = scene, index, run, run.end["id"]

    def item(self, status: str) -> Told:
        """The item as it begins, or as it ends."""
        return self.run.start if status == "in_progress" else self.run.end

    def open(self) -> bytes:
        """What can be told before the tool has done its work."""
        return super().open() + self._steps(self.run.waiting)

    def take(self, piece: Say) -> bytes:
        """Nothing: its work is not the model's."""
        return b""

    def close(self, status: str) -> bytes:
        """What the tool did, then the item."""
        return self._steps(self.run.working) + super().close(status)

    def _steps(self, steps: Sequence[Step]) -> bytes:
        told = []
        for kind, fields in steps:
            said = {key: value for key, value in fields.items() if key != "item_id"}
            if isinstance(said.get("delta"), str) and self.scene.wanted.obfuscates:
                said["obfuscation"] = noise(said["delta"])
            told.append(self.tell(kind, said, named="item_id" not in fields))
        return b"".join(told)
