"""Decides a reply: refused by a limit, by a mock or a generator, laid out, timed, spoiled by the faults in force."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from heapq import merge
from importlib import import_module

from llmsim import catalogue, generators, layout, limits, tokens
from llmsim.catalogue import Model
from llmsim.conversation import Ask, Reply, Stop, Tool
from llmsim.dice import Dice
from llmsim.errors import Failure
from llmsim.latency import Profile
from llmsim.layout import Layout
from llmsim.limits import Standing
from llmsim.load import Stations, loads
from llmsim.mocks import Answer as MockAnswer
from llmsim.mocks import template
from llmsim.plan import End, Fail, Part, Piece, Plan, Raw, Usage
from llmsim.schema.document import UnsatisfiableSchema
from llmsim.settings import Settings, Spoiler
from llmsim.tally import Taken

_THINKING = 128
"""Tokens a reasoning model thinks for when the client does not say how hard."""


def prepare() -> None:
    """Imports what the first tool call, or the first reply in a form, would have to wait for."""
    for name in ("calls", "_objects"):
        import_module(f"llmsim.generators.{name}")


def answered(
    ask: Ask,
    settings: Settings,
    dice: Dice,
    spoilers: Sequence[Spoiler] = (),
    taken: Taken | None = None,
    stations: Stations | None = None,
) -> Plan:
    """The whole reply to what is not refused, faults and all; a pure function of what it is given.

    `spoilers` are the faults that may strike this request, `taken` the mock that answers it, if one does; `stations`
    know which prompts have been read before.
    """
    recipe = settings.kept.get(ask.model) or _recipe(ask.model, settings)
    try:
        if taken is not None:
            recipe = _paced(recipe, taken, settings)
            plan = _mocked(ask, settings, dice, recipe, taken)
        elif ask.cue is not None and (taped := _taped(ask, settings, dice, recipe)) is not None:
            plan = taped
        elif ask.parts is None:
            plan = _planned(ask, settings, dice, recipe)
        else:
            plan = _in_parts(ask, settings, dice, recipe)
    except UnsatisfiableSchema as error:
        return refused(Failure("invalid", f"Invalid schema: {error}"), ask)
    plan.profile, plan.hides_thinking, plan.streamed = recipe.profile_name, not ask.shows_thinking, ask.stream
    as_recorded = plan.take and settings.replay_timing == "recorded"
    if as_recorded:
        plan.profile = "as recorded"
    if as_recorded or not recipe.profile.loaded:
        return _spoiled(plan, spoilers, dice) if spoilers else plan
    if loads(plan, ask):
        _prefilled(plan, ask, recipe, stations, usage_told=taken is not None and taken.answer.usage is not None)
    plan = _spoiled(plan, spoilers, dice)
    plan.load = recipe.profile if loads(plan, ask) else None
    return plan


@dataclass(slots=True, frozen=True)
class _Recipe:
    """What a model's name comes to under one set of settings.

    `window` is the most tokens of a prompt, `thinks` how many the model thinks for by itself.
    """

    model: Model
    profile_name: str
    profile: Profile
    encoding: str
    window: float
    thinks: int


def _recipe(name: str, settings: Settings) -> _Recipe:
    """Works it out once for each model, and keeps it with the settings; names come from clients, so not for ever."""
    model = catalogue.resolve(name)
    profile = settings.latency_profile or settings.model_profiles.get(name) or model.profile
    window = model.context_window if model.known and model.context_window else math.inf
    thinks = _THINKING if model.reasoning else 0
    recipe = _Recipe(model, profile, settings.profile(profile), tokens.encoding_for(name), window, thinks)
    if len(settings.kept) > 256:
        settings.kept.clear()
    settings.kept[name] = recipe
    return recipe


def refused(failure: Failure, ask: Ask) -> Plan:
    """The plan that is bad news alone."""
    usage = Usage(ask.prompt_tokens)
    return Plan([Fail(failure)], [0.0], usage, origin=failure.kind, notes=(failure.message or failure.kind,))


def overloaded(ask: Ask, plan: Plan) -> Plan:
    """The provider's overload error in place of a reply that neither a slot nor the queue has room for."""
    note = f"overload: all {plan.load.slots} slots of {plan.profile} are taken, and {plan.load.queue} wait"
    return Plan([Fail(Failure("busy"))], [0.0], Usage(ask.prompt_tokens), "busy", plan.profile, notes=(note,))


def refusal(ask: Ask, settings: Settings, standing: Standing) -> Failure | None:
    """What the provider refuses before any rule has its say and before it looks for an answer, if anything."""
    recipe = settings.kept.get(ask.model) or _recipe(ask.model, settings)
    if settings.strict and not ask.key:
        return Failure("unauthenticated")
    if settings.strict and ask.model and not recipe.model.known and ask.model not in settings.served_models:
        return Failure("not_found", param="model", code="model_not_found", extra=ask.model)
    if standing.refused:
        return limits.failure(standing)
    if ask.prompt_tokens > recipe.window and not ask.prompts:
        return Failure("context_length", extra=(recipe.window, ask.prompt_tokens))
    return None


def _paced(recipe: _Recipe, taken: Taken, settings: Settings) -> _Recipe:
    """The recipe with the latency that a mock has of its own."""
    latency = taken.answer.latency
    if latency is None:
        return recipe
    if isinstance(latency, str):
        return replace(recipe, profile_name=latency, profile=settings.profile(latency))
    return replace(recipe, profile_name=f"of mock {taken.mock.name}", profile=latency)


def _mocked(ask: Ask, settings: Settings, dice: Dice, recipe: _Recipe, taken: Taken) -> Plan:
    """What the mock replies with."""
    answer, origin = taken.answer, f"mock {taken.mock.name}"
    if answer.template:
        try:
            answer = answer.written(partial(template.write, subject=taken.subject, dice=dice.fork("template")))
        except (template.TemplateError, ValueError) as error:
            return replace(refused(Failure("internal", f"{origin}: {error}"), ask), mock=taken.mock.name)
    if answer.error is not None or answer.raw is not None:
        plan = _bare(answer, ask, recipe, dice, settings)
    elif answer.generator is not None:
        # The generator was looked at with the mock: validating all settings again would cost each such request dear.
        plan = _planned(ask, settings.model_copy(update={"generator": answer.generator}), dice, recipe)
    else:
        plan = _planned(ask, settings, dice, recipe, lambda asked: _written(answer, asked, dice.fork("calls"), origin))
    plan.origin, plan.mock = origin, taken.mock.name
    if answer.usage is not None:
        plan.usage = answer.usage.over(plan.usage)
    return plan


def _written(answer: MockAnswer, ask: Ask, dice: Dice, origin: str) -> Reply:
    """The mock's words; its thoughts are left out where the client has not let the model think, as they never come."""
    reply = answer.reply(dice, origin)
    if ask.thinking == 0 and not ask.shows_thinking:
        reply.thought, reply.blocks = (), tuple(block for block in reply.blocks if block.kind != "thought")
    return reply


def _taped(ask: Ask, settings: Settings, dice: Dice, recipe: _Recipe) -> Plan | None:
    """What a tape has for the ask: byte by byte, or in the words of this API; None where it has nothing to say."""
    from llmsim.replay import playing  # here, as most servers have no tape
    from llmsim.replay.cue import Miss

    cue, redrawn = ask.cue, settings.replay_timing == "profile"
    if isinstance(cue, Miss):
        told = refused(Failure("not_found", cue.told()), ask)
        return None if settings.replay_misses == "generate" else replace(told, origin="tape")
    speed, where = settings.replay_speed, cue.cue.place
    if cue.verbatim:
        profile = recipe.profile if redrawn else None
        ids = settings.replay_ids == "fresh"
        asked = ask.prompt_tokens
        plan = playing.verbatim(
            cue, dice.fork("ids"), prompt=asked, ids=ids, speed=speed, profile=profile, seed=settings.seed
        )
    elif cue.cue.failed:
        plan = replace(refused(playing.failure(cue.cue), ask), times=[cue.cue.take.ended / speed])
    else:
        plan = _planned(ask, settings, dice, recipe, lambda _: cue.cue.reply)
        if not redrawn and (cue.cue.stream or not ask.stream):
            plan.times = playing.retimed(cue.cue, plan.pieces, speed)
    plan.origin, plan.take = f"tape {where}", where
    if not cue.verbatim:
        plan.notes = (f"recorded from {cue.cue.dialect}, told in {ask.dialect}'s words",)
    return plan


def _bare(answer: MockAnswer, ask: Ask, recipe: _Recipe, dice: Dice, settings: Settings) -> Plan:
    """An error or raw bytes: an error comes at once unless the mock has a latency of its own."""
    piece: Piece
    if answer.raw is not None:
        piece = Raw(answer.raw.status, answer.raw.wire_headers(), answer.raw.wire_body())
    else:
        assert answer.error is not None
        piece = Fail(answer.error.failure())
    waits = answer.raw is not None or answer.latency is not None
    moment = recipe.profile.times(1, dice.fork("times"), settings.seed)[0] if waits else 0.0
    return Plan([piece], [moment], Usage(ask.prompt_tokens))


def _planned(
    ask: Ask, settings: Settings, dice: Dice, recipe: _Recipe, write: Callable[[Ask], Reply] | None = None
) -> Plan:
    """The reply as it would be if nothing went wrong, its words by `write` where that is given."""
    profile, encoding, thinking = recipe.profile, recipe.encoding, ask.thinking
    if thinking is None:
        thinking = recipe.thinks
    texts = dice.fork("text")
    if ask.n == 1:
        reply = compose(ask, settings, texts, thinking) if write is None else write(ask)
        laid = layout.lay(reply, encoding, ask.max_tokens, ask.stop)
        if profile.instant:
            times = _at_once(len(laid.pieces))
        else:
            times = timed(laid, profile, dice.fork("times"), settings.seed, ask.shows_thinking)
        usage = _usage(ask.prompt_tokens, laid.completion, laid.thinking, ask.cached or 0)
        return Plan(laid.pieces, times, usage, reply.origin)
    waits, tracks = dice.fork("times"), []
    for choice in range(ask.n):
        one = ask.of(choice)
        reply = compose(one, settings, texts, thinking) if write is None else write(one)
        laid = layout.lay(reply, encoding, ask.max_tokens, ask.stop, choice)
        tracks.append((laid, timed(laid, profile, waits, settings.seed, ask.shows_thinking)))
    spent, thought = sum([laid.completion for laid, _ in tracks]), sum([laid.thinking for laid, _ in tracks])
    usage = Usage(ask.prompt_tokens, spent, thought, ask.cached or 0)
    together = list(merge(*(_stamped(laid, times) for laid, times in tracks), key=lambda stamped: stamped[:2]))
    return Plan([piece for *_, piece in together], [time for time, *_ in together], usage, reply.origin)


def _in_parts(ask: Ask, settings: Settings, dice: Dice, recipe: _Recipe) -> Plan:
    """A thing in parts, each timed as a token; what needs no model is there at once."""
    count = ask.parts or 0
    times = recipe.profile.times(count, dice.fork("times"), settings.seed) if count else array("d")
    times.append(times[-1] if count else 0.0)
    pieces = [*map(Part, range(count)), End(Stop.END)]
    return Plan(pieces, times, Usage(ask.prompt_tokens), "dialect")


def _prefilled(plan: Plan, ask: Ask, recipe: _Recipe, stations: Stations | None, usage_told: bool) -> None:
    """Puts what is read of the prompt before the first token; what a cache holds need not be read."""
    if stations is not None and ask.cached is None and not usage_told:
        plan.usage = replace(plan.usage, cached=stations.cached(recipe.profile_name, recipe.profile, ask))
    read = max(0, plan.usage.prompt - plan.usage.cached) * recipe.profile.prefill_ms_per_token / 1000.0
    if read:
        plan.times = array("d", [moment + read for moment in plan.times])


def _stamped(laid: Layout, times: array[float]) -> list[tuple[float, int, Piece]]:
    """Pieces with their times and places, so that alternatives that are due together take turns."""
    return list(zip(times, range(len(times)), laid.pieces, strict=True))


def compose(ask: Ask, settings: Settings, dice: Dice, thinking: int = 0) -> Reply:
    """One answer to the ask: a tool call where one is due, a value of the asked form, or the generator's text."""
    tools: Sequence[Tool] = ()
    if ask.tools and not (ask.answers_a_tool and ask.tool_choice.mode == "auto"):
        from llmsim.generators import calls

        tools = calls.choose_tools(ask, dice)
    if tools:
        reply = Reply(calls=tuple(calls.call(tool, ask, dice) for tool in tools), origin="tool call")
    elif ask.format.kind != "text":
        reply = _formed(ask, settings, dice, thinking)
    elif ask.messages and ask.answers_a_tool:
        reply = _follow_up(ask, settings, dice)
    else:
        reply = generators.make(settings.generator).reply(ask, dice, settings.target_tokens)
    if thinking:
        reply.thought = generators.make("lorem").reply(ask, dice, thinking).segments
    return reply


def _formed(ask: Ask, settings: Settings, dice: Dice, thinking: int) -> Reply:
    """What has the form that the client wants: a value of its schema, or a text of some length."""
    if ask.format.kind == "long":
        return _long(ask, settings, dice, thinking)
    from llmsim.generators import _objects, structured

    schema = ask.format.schema
    words = _objects.text(ask, dice) if schema is None else structured.text(schema, dice, hint=ask.last_user_text)
    return Reply((words,), origin="structured output")


def _long(ask: Ask, settings: Settings, dice: Dice, thinking: int) -> Reply:
    """Words to the least number of tokens that the client wants, thoughts included; lorem where the generator ends."""
    least, encoding = ask.format.least - thinking, tokens.encoding_for(ask.model)
    told = max(1, settings.target_tokens, least)
    reply = _follow_up(ask, settings, dice) if ask.answers_a_tool else None
    reply = reply or generators.make(settings.generator).reply(ask, dice, told)
    lacking = least - sum(count for part in reply.segments for _, count in tokens.pieces(part, encoding))
    if lacking > 0:
        more = generators.make("lorem").reply(ask, dice, lacking).segments
        reply = replace(reply, segments=(*reply.segments, " ", *more) if reply.segments else more)
    return reply


def _follow_up(ask: Ask, settings: Settings, dice: Dice) -> Reply:
    """Words that take up the newest tool result, so that an agent's loop ends with an answer."""
    result = ask.messages[-1]
    names = {call.id: call.name for message in ask.messages for call in message.calls}
    name = result.name or names.get(result.call_id or "", "tool")
    shown = result.text if len(result.text) <= 200 else f"{result.text[:200]}…"
    words = generators.make(settings.generator).reply(ask, dice, settings.target_tokens)
    return Reply((f"The {name} tool returned: {shown}\n\n", *words.segments), origin="follow-up to a tool result")


def timed(laid: Layout, profile: Profile, dice: Dice, seed: int, shows_thinking: bool) -> array[float]:
    """When each piece is due: thinking that the client does not see is over when the first token comes."""
    pieces = laid.pieces
    if profile.instant:
        return _at_once(len(pieces))
    hidden = 0 if shows_thinking else laid.thoughts
    seen = len(pieces) - 1 - hidden
    if laid.plain:
        times = profile.times(max(1, seen), dice, seed)
    else:
        at, places = 0, []
        for piece in pieces[hidden:-1]:
            places.append(at)
            at += piece.tokens
        drawn = profile.times(max(1, at), dice, seed)
        times = array("d", [drawn[place] for place in places]) or drawn[:1]
    times[:0] = times[:1] * hidden
    if seen:
        times.append(times[-1])
    return times


_usage = lru_cache(maxsize=1024)(Usage)


@lru_cache(maxsize=256)
def _at_once(count: int) -> array[float]:
    return array("d", bytes(8 * count))


def _spoiled(plan: Plan, spoilers: Sequence[Spoiler], dice: Dice) -> Plan:
    """The plan after every fault that may strike has had its roll, in their order."""
    for id, name, _, fault in spoilers:
        own = dice.fork(f"fault {id}")
        if fault.probability < 1 and own.random() >= fault.probability:
            continue
        spoiled = fault.spoil(plan, own)
        if spoiled is not plan:
            spoiled.faults, spoiled.struck = (*plan.faults, name), (*plan.struck, id)
            spoiled.notes = (*plan.notes, f"fault {name}: {fault.summary()}")
            plan = spoiled
    return plan
