"""Fifty clients on sockets of their own under one limit, whose time is told: exact to the last request."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from running import running, until

from llmsim.clock import ToldClock
from llmsim.limits import Limiter
from llmsim.server.serve import Runner

CLIENTS = 50
HELLO = [{"role": "user", "content": "Hello"}]
CHAT: Any = ("/v1/chat/completions", {"model": "gpt-4o", "messages": HELLO, "max_tokens": 30})
MESSAGES: Any = ("/v1/messages", {"model": "claude-sonnet-4-5", "messages": HELLO, "max_tokens": 30})
KEYS = {"authorization": "Bearer sk-test", "anthropic-version": "2023-06-01"}


@contextlib.asynccontextmanager
async def limited(**fields: Any) -> AsyncIterator[tuple[Runner, ToldClock]]:
    """A server whose limits live by a told clock, though its sockets live by the machine's."""
    async with running(**fields) as runner:
        clock = ToldClock(start=1_000.0)
        runner.simulator.limiter = Limiter(clock)
        yield runner, clock


@contextlib.asynccontextmanager
async def crowd(runner: Runner) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Clients with a connection each."""
    async with contextlib.AsyncExitStack() as stack:
        made = [httpx.AsyncClient(base_url=runner.url, headers=KEYS, timeout=30) for _ in range(CLIENTS)]
        yield [await stack.enter_async_context(client) for client in made]


async def asked(clients: list[httpx.AsyncClient], what: Any = CHAT) -> list[httpx.Response]:
    path, body = what
    return await asyncio.gather(*(client.post(path, json=body) for client in clients))


async def test_exactly_as_many_get_in_as_may_and_their_headers_count_down() -> None:
    async with limited(rpm=20) as (runner, _), crowd(runner) as clients:
        told = await asked(clients)
        let_in = [one for one in told if one.status_code == 200]
        refused = [one for one in told if one.status_code == 429]
        assert (len(let_in), len(refused)) == (20, 30)
        left = sorted(int(one.headers["x-ratelimit-remaining-requests"]) for one in let_in)
        assert left == list(range(20))
        for one in told:
            assert one.headers["x-ratelimit-limit-requests"] == "20"
        for one in refused:
            assert (one.headers["retry-after"], one.headers["retry-after-ms"]) == ("3", "3000")
            assert one.headers["x-ratelimit-remaining-requests"] == "0"
            assert "Limit 20, Used 20, Requested 1. Please try again in 3s." in one.json()["error"]["message"]


async def test_everybody_who_comes_back_as_told_is_served_in_the_end_and_not_sooner() -> None:
    async with limited(rpm=30) as (runner, clock), crowd(runner) as clients:
        waiting, started = clients, clock.now()
        while waiting:
            told = await asked(waiting)
            let_in = sum(one.status_code == 200 for one in told)
            assert let_in == (30 if clock.now() == started else 1)
            waiting = [client for client, one in zip(waiting, told, strict=True) if one.status_code == 429]
            if waiting:
                waits = {int(one.headers["retry-after-ms"]) for one in told if one.status_code == 429}
                assert waits == {2000}
                await clock.advance(2)
        assert clock.now() - started == pytest.approx(20 * 2.0)


async def test_anthropics_clients_are_told_in_anthropics_way() -> None:
    async with limited(rpm=10) as (runner, _), crowd(runner) as clients:
        told = await asked(clients, MESSAGES)
        assert sorted(one.status_code for one in told) == [200] * 10 + [429] * 40
        assert {one.headers["retry-after"] for one in told if one.status_code == 429} == {"6"}
        left = sorted(int(one.headers["anthropic-ratelimit-requests-remaining"]) for one in told)
        assert left == [0] * 40 + list(range(10))


async def test_tokens_are_settled_when_the_replies_end() -> None:
    limits = [{"tpm": 100_000, "input_tpm": 50_000}]
    async with limited(limits=limits, generator="fixed:one two three") as (runner, _), crowd(runner) as clients:
        told = await asked(clients)
        assert {one.status_code for one in told} == {200}
        used = sum(one.json()["usage"]["total_tokens"] for one in told)
        tokens, prompts = runner.simulator.limiter.buckets()
        assert (100_000 - tokens.level, tokens.busy) == (pytest.approx(used), 0)
        assert 50_000 - prompts.level == pytest.approx(sum(one.json()["usage"]["prompt_tokens"] for one in told))


async def test_those_who_leave_early_free_their_place() -> None:
    async with limited(limits=[{"concurrency": 5}], latency_profile="silent") as (runner, _), crowd(runner) as clients:
        path, body = CHAT
        first = [asyncio.ensure_future(client.post(path, json=body)) for client in clients[:5]]
        await until(lambda: len(runner.simulator.journal) == 5)
        told = await asked(clients[5:])
        assert {one.status_code for one in told} == {429}
        assert not any("retry-after" in one.headers for one in told)
        for task in first:
            task.cancel()
        await asyncio.gather(*first, return_exceptions=True)
        await until(lambda: not any(state.busy for state in runner.simulator.limiter.buckets()))


async def test_what_is_refused_for_other_reasons_tells_the_limits_too() -> None:
    async with limited(limits=[{"rpm": 7}]) as (runner, _), crowd(runner) as clients:
        path, body = CHAT
        bad = await clients[0].post(path, json={**body, "temperature": 9})
        assert bad.status_code == 400
        assert bad.headers["x-ratelimit-limit-requests"] == "7"
        assert bad.headers["x-ratelimit-remaining-requests"] == "7"


async def test_a_spent_quota_is_openais_insufficient_quota() -> None:
    async with limited(limits=[{"name": "purse", "quota_requests": 3}]) as (runner, _), crowd(runner) as clients:
        told = await asked(clients)
        assert sorted(one.status_code for one in told) == [200] * 3 + [429] * 47
        assert {one.json()["error"]["code"] for one in told if one.status_code == 429} == {"insufficient_quota"}
        runner.simulator.limiter.refill("purse")
        path, body = CHAT
        assert (await clients[0].post(path, json=body)).status_code == 200
