"""A simulator that is made up: the same traffic on every run, on a clock that is told."""

from __future__ import annotations

import json
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmsim_tui import backend as told
from llmsim_tui.backend import Action, ArmedFault, Bucket, Happening, Pulse, Row, Stream
from llmsim_tui.rules import Gauge, Play, Tried

from llmsim.conversation import Ask, Message
from llmsim.errors import SettingsError
from llmsim.honesty import Honesty
from llmsim.latency import Profile, presets
from llmsim.match import Match, Outcome, Subject
from llmsim.settings import Settings

EPOCH = 1_790_000_000.0
MODELS = ("gpt-4o", "gpt-4o-mini", "o3-mini", "claude-sonnet-4.5", "gemini-flash")
WORDS = (
    "the quick brown fox streams tokens while a presenter injects faults and every client backs off politely "
    "until the storm has passed and the queue is short again "
).split()


class Told:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Exchange:
    number: int
    begun: float
    client: str
    model: str
    attempt: int
    ttft: float
    gap: float
    planned: int
    outcome: told.Outcome = "ok"
    status: int = 200
    fails_at: float | None = None
    stall: tuple[int, float] | None = None
    faults: tuple[str, ...] = ()
    prompt: str = ""
    profile: str = "gpt4o"
    paused: float | None = None
    factor: float = 1.0
    text: str = field(default="", repr=False)

    def moment(self, token: int) -> float:
        late = self.stall[1] if self.stall and token >= self.stall[0] else 0.0
        return self.ttft + token * self.gap + late

    @property
    def duration(self) -> float:
        return self.fails_at if self.fails_at is not None else self.moment(self.planned - 1)

    def tokens(self, now: float) -> int:
        passed = min(now - self.begun, self.duration)
        if passed < self.ttft or self.status != 200:
            return 0
        return bisect_right(range(self.planned), passed, key=self.moment)


def drawn(dice: random.Random, given: Sequence[str], times: int) -> list[str]:
    """What `dice.choice` draws so many times, in a quarter of the time: it was a fifth of a console's start."""
    many, bits, draw, told = len(given), len(given).bit_length(), dice.getrandbits, []
    while len(told) < times:
        if (place := draw(bits)) < many:
            told.append(given[place])
    return told


class FakeBackend:
    """Poisson traffic from some agents; the faults and profiles of real settings act on it."""

    def __init__(
        self, now: Callable[[], float] | None = None, *, rate: float = 9.0, read_only: bool = False, seed: int = 7
    ) -> None:
        self.address = "127.0.0.1:8080"
        self.read_only = read_only
        self.kind, self.stale, self.away, self.note = "local", False, "", "READ ONLY" if read_only else ""
        self.locked = "This console only watches." if read_only else ""
        self.now = now or Told()
        self.rate = rate
        self.kept = 5_000
        self.dice = random.Random(seed)
        self.exchanges: list[Exchange] = []
        self.log: list[Happening] = []
        self.hits: Counter[str] = Counter()
        self.until: dict[str, tuple[float | None, float | None]] = {}
        self.past: list[tuple[str, Settings]] = []
        self.undone: list[tuple[str, Settings]] = []
        self.next_at = 0.1
        self.lag = 0.004
        self.acted: list[tuple[int, str]] = []
        self.state: Any = "serving"
        self.buckets_left: list[Gauge] = []
        self.tape: Mapping[str, Any] | None = None
        self.honest = Honesty(100, 0.2, 0.204, 0.009, 45.0, 44.8, 0.012, 0.001, 0.004, 0.011)
        self._settings = Settings()
        self.say("start", "serving on 127.0.0.1:8080", "llmsim")

    def say(self, kind: str, text: str, who: str = "console", mark: str = "") -> None:
        self.log.append(Happening(len(self.log), EPOCH + self.now(), kind, text, who, mark))

    def advance(self) -> None:
        now = self.now()
        for id, (until, _) in list(self.until.items()):
            if until is not None and until <= now:
                self._drop(id, "by itself")
        while self.rate and self.next_at <= now:
            self._begin(self.next_at)
            self.next_at += self.dice.expovariate(self.rate)

    def _begin(self, at: float) -> None:
        dice = self.dice
        model = dice.choice(MODELS)
        name = self._settings.latency_profile or self._settings.model_profiles.get(model) or "gpt4o"
        profile = self._settings.profile(name)
        one = Exchange(
            number=len(self.exchanges),
            begun=at,
            client=f"agent-{dice.randrange(14):02}",
            model=model,
            attempt=0,
            ttft=max(0.01, dice.lognormvariate(0, 0.25) * profile.ttft.middle / 1000),
            gap=max(0.001, profile.tbt.middle / 1000),
            planned=dice.randrange(20, 120),
            profile=name,
        )
        one.text = " ".join(drawn(dice, WORDS, one.planned))
        one.prompt = f"Tell me in {one.planned} words about {dice.choice(WORDS)}."
        for armed in self._settings.faults:
            if dice.random() < armed.fault.probability and armed.scope.holds(self._subject(one)):
                self.hits[armed.id] += 1
                one.attempt = dice.randrange(4)
                self._spoil(one, armed.fault)
                if armed.count is not None and self.hits[armed.id] >= armed.count:
                    self._drop(armed.id, "used up")
        self.exchanges.append(one)

    def _spoil(self, one: Exchange, fault: Any) -> None:
        if one.status != 200:
            return
        one.faults = (*one.faults, fault.summary())
        if fault.kind == "refuse":
            one.status, one.fails_at = fault.status, 0.004
            one.outcome = "limited" if fault.status == 429 else "failed"
        elif fault.kind == "slow":
            one.ttft *= fault.ttft_factor
        elif fault.kind == "stall":
            one.stall = (fault.after_tokens, fault.for_ms / 1000)
        elif fault.kind in {"cut", "garble"}:
            one.outcome, one.fails_at = "cut", one.moment(fault.after_tokens)
        elif fault.kind == "timeout":
            one.outcome, one.status, one.fails_at = "failed", 504, fault.after_ms / 1000

    def _ended(self, one: Exchange) -> bool:
        return one.paused is None and self.now() - one.begun >= one.duration

    def shown(self) -> FakeBackend:
        return self

    def pulse(self) -> Pulse:
        self.advance()
        now = self.now()
        recent = [one for one in self.exchanges[-400:] if now - 5 <= one.begun]
        live = [one for one in self.exchanges[-400:] if not self._ended(one)]
        bad = sum(one.outcome != "ok" for one in recent)
        seen = self.ttfts()
        return Pulse(
            wall=EPOCH + now,
            up=now,
            state=self.state,
            requests=len(self.exchanges),
            requests_per_s=len(recent) / 5,
            tokens_per_s=sum(1 / one.gap for one in live if one.tokens(now)),
            live=len(live),
            error_share=bad / len(recent) if recent else 0.0,
            lag_p95=self.lag,
            seed=self._settings.seed,
            armed=tuple(self._armed()),
            asked_ttft=sum(seen) / len(seen) if seen else None,
            achieved_ttft=sum(seen) / len(seen) + 0.002 if seen else None,
        )

    def _armed(self) -> list[ArmedFault]:
        armed = []
        for one in self._settings.faults:
            until, seconds = self.until.get(one.id, (None, None))
            left = None if until is None else until - self.now()
            hits, most = self.hits[one.id], one.count
            more = None if most is None or one.per != "all" else most - hits
            armed.append(
                ArmedFault(
                    one.id,
                    one.label,
                    one.fault.kind,
                    one.fault.summary(),
                    left,
                    seconds,
                    hits,
                    str(one.scope),
                    more,
                    most,
                    "hits" if most else "",
                    "" if one.per == "all" else one.per,
                )
            )
        return armed

    def numbers(self) -> tuple[int, int]:
        return max(0, len(self.exchanges) - self.kept), len(self.exchanges) - 1

    def row(self, number: int) -> Row | None:
        first, last = self.numbers()
        if not first <= number <= last:
            return None
        one, now = self.exchanges[number], self.now()
        ended, tokens = self._ended(one), self.exchanges[number].tokens(self.now())
        return Row(
            number=number,
            wall=EPOCH + one.begun,
            client=one.client,
            model=one.model,
            endpoint="POST /v1/chat/completions",
            attempt=one.attempt,
            stream=True,
            outcome=one.outcome if ended else "live",
            status=one.status if ended or tokens else None,
            ttft=one.ttft if now - one.begun >= one.ttft and one.status == 200 else None,
            duration=one.duration if ended else None,
            tokens=tokens,
            planned=one.planned,
            prompt_tokens=9 + len(one.prompt) // 4,
            profile=one.profile,
            origin="lorem",
            faults=one.faults,
        )

    def detail(self, number: int) -> Mapping[str, Any] | None:
        row = self.row(number)
        if row is None:
            return None
        one = self.exchanges[number]
        said = " ".join(one.text.split()[: row.tokens])
        why = [f"profile {one.profile}: TTFT {one.ttft * 1000:.0f} ms drawn", f"reply by lorem, {one.planned} tokens"]
        why += [f"fault: {fault}" for fault in one.faults]
        asked = {"model": one.model, "messages": [{"role": "user", "content": one.prompt}], "stream": True}
        words = one.text.split()
        chunks = [{"choices": [{"index": 0, "delta": {"content": f"{word} "}}]} for word in words[: row.tokens]]
        raw = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
        ended = row.duration is not None
        return {
            "row": row,
            "why": why,
            "request": {
                "method": "POST",
                "path": "/v1/chat/completions",
                "headers": [["authorization", "Bearer sk-…7f3a"], ["content-type", "application/json"]],
                "body": json.dumps(asked),
                "cut": False,
            },
            "response": {
                "status": row.status or 0,
                "headers": [["content-type", "text/event-stream"]],
                "body": raw + "data: [DONE]\n\n" * (ended and row.outcome == "ok"),
                "cut": False,
                "kept": True,
            },
            "reply": said,
            "mock": "",
            "pieces": [[round(one.moment(at) * 1000, 2), "text", f"{word} "] for at, word in enumerate(words)],
            "planned": one.planned,
            "played": row.tokens,
            "asked": {"first": one.ttft * 1000, "last": one.duration * 1000, "pace": 1 / one.gap},
            "achieved": {
                "first": one.ttft * 1000 + 2 if row.ttft else None,
                "last": one.duration * 1000 + 4 if ended else None,
                "pace": 0.99 / one.gap if ended else None,
            },
            "late": 6.5,
            "speed": 1.0,
            "went": [round(one.moment(at) * 1000 + at % 7, 2) for at in range(row.tokens)] if number % 2 else [],
            "steady": True,
        }

    async def draft(self, number: int) -> Mapping[str, Any] | None:
        row = self.row(number)
        if row is None:
            return None
        one = self.exchanges[number]
        return {"name": f"like-{number}", "when": {"model": one.model, "text": one.prompt}, "reply": {"text": one.text}}

    def _subject(self, one: Exchange) -> Subject:
        ask = Ask(one.model, (Message("user", one.prompt),), endpoint="/v1/chat/completions", client=one.client)
        ask.attempt, ask.stream = one.attempt, True
        row = self.row(one.number) if one.number < len(self.exchanges) else None
        return Subject(ask, b"", 0, Outcome(row.status or 0, row.outcome, row.faults) if row else None)

    async def preview(self, scope: Match, last: int = 100) -> tuple[int, int]:
        newest = self.exchanges[-last:]
        return sum(scope.holds(self._subject(one)) for one in newest), len(newest)

    def sift(self, match: Match) -> FakeSift:
        return FakeSift(self, match)

    def answered(self) -> Mapping[str, int]:
        return {}

    async def try_mocks(self, mocks: Sequence[Any], last: int = 100) -> Sequence[Tried]:
        return [Tried(one.number, "", "") for one in self.exchanges[-last:]]

    def gauges(self) -> Sequence[Gauge]:
        return self.buckets_left

    def retries(self) -> told.Retries:
        tries = Counter(min(3, one.attempt) for one in self.exchanges[-400:])
        wrong = Counter(one.client for one in self.exchanges[-400:] if one.attempt > 1)
        worst = tuple(f"{name}: too early {count} of {count + 2}" for name, count in sorted(wrong.items())[:12])
        early = sum(wrong.values())
        return told.Retries(
            tries.total(), tries[0], tries[1], tries[2], tries[3], early // 9, 1 * bool(early),
            0.84 if early else None, early + 9, early, worst,
        )  # fmt: skip

    async def verdict(self) -> Sequence[str]:
        return []

    def playing(self) -> Play | None:
        return None

    def streams(self, limit: int) -> Sequence[Stream]:
        live = [one for one in self.exchanges[-2_000:] if not self._ended(one) and one.status == 200]
        return [self._stream(one) for one in live[:limit]]

    def _stream(self, one: Exchange) -> Stream:
        tokens, passed = one.tokens(self.now()), self.now() - one.begun
        state: Any = "streaming" if tokens else "waiting"
        waited = passed
        if one.stall and tokens == one.stall[0] and passed < one.moment(tokens):
            state, waited = "stalled", passed - one.ttft - tokens * one.gap
        if one.paused is not None:
            state = "paused"
        text = " ".join(one.text.split()[:tokens])
        return Stream(
            one.number,
            one.client,
            one.model,
            tokens,
            one.planned,
            1 / one.gap,
            waited,
            state,
            text,
            one.faults,
            factor=one.factor,
        )

    def buckets(self, count: int) -> Sequence[Bucket]:
        newest = int(self.now() * 2)
        made: dict[int, Counter[str]] = {place: Counter() for place in range(max(0, newest - count + 1), newest + 1)}
        for one in self.exchanges[-4_000:]:
            place = int((one.begun + one.duration) * 2)
            if self._ended(one) and place in made:
                made[place][one.outcome] += 1
        return [Bucket(EPOCH + place / 2, counts, 0) for place, counts in made.items()]

    def ttfts(self) -> Sequence[float]:
        now = self.now()
        return [one.ttft for one in self.exchanges[-512:] if one.status == 200 and now - one.begun >= one.ttft]

    def happenings(self, after: int) -> Sequence[Happening]:
        return [one for one in self.log[-500:] if one.number > after]

    def settings(self) -> Settings:
        return self._settings

    def profiles(self) -> Mapping[str, Profile]:
        return {**presets(), **self._settings.profiles}

    def models(self) -> Sequence[str]:
        return MODELS

    async def change(self, who: str = "console", *, text: str = "", mark: str = "", **changes: Any) -> None:
        words = text or ", ".join(f"{name} {value}" for name, value in changes.items() if name != "profiles")
        self._swap(words, **changes)
        self.say("setting", words, who, mark or "△" + next(iter(changes)))

    def _swap(self, words: str, **changes: Any) -> None:
        if self.read_only:
            raise SettingsError("read only")
        changed = self._settings.changed(**changes)
        self.past.append((words, self._settings))
        self._settings = changed

    async def arm(self, fault: Mapping[str, Any], *, label: str, seconds: float | None, id: str = "") -> str:
        id = id or f"fault-{len(self.log)}"
        others = tuple(one for one in self._settings.faults if one.id != id)
        fuse = {} if seconds is None else {"for_s": seconds}
        self._swap(f"armed {label}", faults=(*others, {"id": id, "label": label, **fuse, **fault}))
        self.until[id] = (None if seconds is None else self.now() + seconds, seconds)
        self.say(
            "fault", f"armed {label} {fault.get('probability', 1):.0%} for {seconds}s", mark="▼" + label.split()[0]
        )
        return id

    def _drop(self, id: str, how: str) -> None:
        label = next((one.label for one in self._settings.faults if one.id == id), id)
        self._swap(f"lifted {label}", faults=tuple(one for one in self._settings.faults if one.id != id))
        self.until.pop(id, None)
        self.say("lift", f"lifted {label} after {self.hits.pop(id, 0)} hits, {how}", mark="△")

    async def lift(self, id: str | None = None) -> int:
        ids = [one.id for one in self._settings.faults if id in {None, one.id}]
        for one in ids:
            self._drop(one, "by hand")
        return len(ids)

    async def undo(self) -> str | None:
        if not self.past:
            return None
        words, before = self.past.pop()
        self.undone.append((words, self._settings))
        self._settings = before
        self.say("undo", f"took back: {words}")
        return words

    async def recorded(self) -> Mapping[str, Any]:
        return {}

    async def calls(self, event: int) -> Sequence[Mapping[str, Any]]:
        one = next(one for one in self.log if one.number == event)
        body = {"kind": "refuse", "status": 429, "probability": 0.7, "for_s": 20.0}
        return [{"method": "PUT", "path": "/llmsim/faults/pad-1", "body": body}] if one.kind == "fault" else []

    async def redo(self) -> str | None:
        if not self.undone:
            return None
        words, after = self.undone.pop()
        self.past.append((words, self._settings))
        self._settings = after
        self.say("redo", f"made again: {words}")
        return words

    async def tries(self, number: int) -> Sequence[int]:
        here = self.exchanges[min(number, len(self.exchanges) - 1)]
        return [one.number for one in self.exchanges if one.client == here.client and abs(one.number - number) < 40][
            -4:
        ]

    async def resend(self, number: int) -> int:
        self.acted.append((number, "resend"))
        return len(self.exchanges)

    untaped = "There is no server here that could record real APIs."

    def taping(self) -> Mapping[str, Any] | None:
        return self.tape

    async def begin_tape(self, options: Mapping[str, Any]) -> None:
        raise SettingsError(self.untaped)

    async def end_tape(self) -> Mapping[str, Any] | None:
        self.tape = None
        return None

    def honesty(self) -> Honesty:
        return self.honest

    async def act(self, number: int, action: Action, value: float = 1.0, error: Any = None) -> bool:
        self.acted.append((number, action))
        one = self.exchanges[number]
        if self._ended(one):
            return False
        if action == "pause":
            one.paused = self.now()
        elif action == "resume":
            one.paused = None
        elif action == "speed":
            one.factor = value
        elif action == "cut":
            one.outcome, one.fails_at = "cut", self.now() - one.begun
        return True


class FakeSift:
    def __init__(self, backend: FakeBackend, match: Match) -> None:
        self.backend, self.match, self.work = backend, match, 0

    def look(self, number: int) -> tuple[bool, bool] | None:
        self.work += 10
        row = self.backend.row(number)
        if row is None:
            return None
        return row.outcome == "live", self.match.holds(self.backend._subject(self.backend.exchanges[number]))
