"""The verdict in words for people: what a client did, one sentence a call, one line a finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from llmsim.metrics import outcome
from llmsim.verdict.calls import Call, Wait
from llmsim.verdict.parts import Partial

if TYPE_CHECKING:
    from llmsim.verdict import ClientVerdict


def many(count: int, thing: str, things: str = "") -> str:
    """`1 call`, `2 calls`, `3 retries`."""
    return f"{count} {thing if count == 1 else things or thing + 's'}"


def seconds(value: float) -> str:
    """A duration as people say it; below a tenth of a second in milliseconds."""
    return f"{value * 1000:.0f} ms" if value < 0.0995 else f"{value:.1f} s" if value < 99.95 else f"{value:.0f} s"


def sentence(call: Call) -> str:
    """What the client did: `waited 1.0 s as told, then succeeded on try 2`."""
    waits = call.waits
    parts = [_waited(waits, call.backoff)] if waits else []
    parts.append(_ending(call))
    told = ", then ".join(parts)
    if call.hopeless:
        told += f"; asked again after {', '.join(map(str, sorted(set(call.hopeless))))}, which no wait mends"
    return told


def _waited(waits: Sequence[Wait], backoff: str) -> str:
    """The waits, those that are alike together."""
    groups: list[list[Wait]] = []
    for wait in waits:
        if groups and groups[-1][0].kept == wait.kept:
            groups[-1].append(wait)
        else:
            groups.append([wait])
    return ", then ".join(_alike(group, backoff) for group in groups)


def _alike(waits: Sequence[Wait], backoff: str) -> str:
    lengths = listed([seconds(wait.seconds) for wait in waits])
    kept = waits[0].kept
    if kept == "untold":
        return f"waited {lengths} of its own accord" + (f" ({backoff})" if backoff and len(waits) > 1 else "")
    if kept == "kept":
        return f"waited {lengths} as told"
    told = listed(dict.fromkeys(seconds(wait.told or 0.0) for wait in waits))
    if kept == "early":
        return f"came {listed([seconds(wait.early) for wait in waits])} too early (told {told}, waited {lengths})"
    return f"ignored Retry-After (told {told}, waited {lengths})"


def _ending(call: Call) -> str:
    last, count, ending = call.tries[-1], call.count, call.ending
    after = f" after {count} tries" if count > 1 else ""
    if ending == "succeeded":
        return f"succeeded on try {count}" if count > 1 else "succeeded at once"
    if ending == "open":
        return f"is under way on try {count}" if last.state == "live" else f"may still ask again after try {count}"
    if ending == "left":
        return f"left before the reply was whole{after}"
    if ending == "refused":
        return (
            f"gave up after {count} tries (last {last.status})" if count > 1 else f"did not ask again ({last.status})"
        )
    what = "an error came in mid-reply" if outcome(last) == "failed" else "the connection was cut"
    return f"did not ask again after {what}{f' on try {count}' if count > 1 else ''}"


def listed(told: Iterable[str], most: int = 5) -> str:
    """`a, b and c`; of more than a few the number of the rest."""
    shown = list(told)
    if len(shown) > most:
        return f"{', '.join(shown[:most])} and {len(shown) - most} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def numbers(told: Iterable[int]) -> str:
    """`#1, #2 and #3`."""
    return listed(f"#{number}" for number in told)


def findings(client: ClientVerdict) -> list[str]:
    """What is to be known about a client, the worst first, one line each."""
    lines = [
        f"retry storm from #{one.first} to #{one.last}: {one.retries} hasty retries, up to {one.peak} a second"
        for one in client.storms
    ]
    lines += _of_waits(client.waits)
    lines += _of_parts(client.partials)
    if client.left.replies:
        lines.append(
            f"left {many(client.left.replies, 'reply', 'replies')} before the end: "
            f"{many(client.left.completion, 'token')} written for nobody, {client.left.told}"
        )
    if client.hopeless:
        lines.append(f"asked again where no wait mends it: {_statuses(client.hopeless)}")
    if client.cost.replies:
        lines.append(
            f"all in all {many(client.cost.prompt, 'token')} in, {client.cost.completion} out, {client.cost.told}"
        )
    return lines


def _statuses(told: Counter[int]) -> str:
    return listed(f"{status} ({many(count, 'time')})" for status, count in sorted(told.items()))


def _of_waits(waits: Sequence[Wait]) -> list[str]:
    lines = []
    told = [wait for wait in waits if wait.kept != "untold"]
    for kept, words in (("ignored", "ignored Retry-After"), ("early", "came back too early")):
        found = [wait for wait in told if wait.kept == kept]
        if found:
            worst = max(found, key=lambda wait: wait.early)
            lines.append(
                f"{words} {many(len(found), 'time')} of {len(told)}: "
                f"{numbers(wait.number for wait in found)}, by up to {seconds(worst.early)}"
            )
    if told and not lines:
        lines.append(f"waited as told {many(len(told), 'time')} of {len(told)}")
    return lines


def _of_parts(partials: Sequence[Partial]) -> list[str]:
    lines = []
    went = [one for one in partials if one.then == "went on"]
    unknown = [one for one in partials if one.then == "unknown"]
    again = [one for one in partials if one.then == "asked again"]
    if went:
        lines.append(
            f"took {many(len(went), 'broken reply', 'broken replies')} for whole: went on with the words of "
            f"{listed(f'#{one.number} in #{one.seen}' for one in went)}"
        )
    if unknown:
        lines.append(
            f"did not ask again after {many(len(unknown), 'broken reply', 'broken replies')} "
            f"({listed(f'#{one.number} {one.how} after {one.tokens} of {one.planned} tokens' for one in unknown)}): "
            "it took the part for the whole or gave the error on; a server cannot see which"
        )
    if again:
        lines.append(f"asked again after {many(len(again), 'broken reply', 'broken replies')}")
    return lines
