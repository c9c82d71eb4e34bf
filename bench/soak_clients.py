"""The clients of a soak: each asks one of four APIs, streamed or whole, and leaves at random, at whatever moment."""

import asyncio
import random
import time
from collections import Counter
from typing import Any

from bench.apis import WORDINGS, Api, post
from bench.pacing import Stream

APIS: tuple[Api, ...] = ("chat", "responses", "anthropic", "gemini")
LEAVE = 0.3
"""Share of requests whose client leaves before the end."""


class Crowd:
    """So many clients at once, until they are told to stop."""

    def __init__(self, port: int, seed: int) -> None:
        self.port = port
        self.counts: Counter[str] = Counter()
        self.streams: list[Stream] = []
        self._dice = random.Random(seed)
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    def begin(self, clients: int, steady: bool) -> None:
        """Lets so many clients ask; `steady` ones only stream chat, stay to the end and note each token's moment."""
        work = self._steady if steady else self._restless
        self._tasks = [asyncio.ensure_future(work(number)) for number in range(clients)]

    async def stop(self) -> None:
        """Takes all clients away, in the midst of what they do."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def _steady(self, number: int) -> None:
        await asyncio.sleep(number * 0.02)
        while not self._stopping:
            stream = Stream(time.monotonic(), [])
            self.streams.append(stream)
            try:
                await self._ask(self._request("chat", True, number), stream.moments)
            except (OSError, asyncio.IncompleteReadError) as error:
                self.counts[f"steady: {type(error).__name__}"] += 1

    async def _restless(self, number: int) -> None:
        dice = self._dice
        while not self._stopping:
            await asyncio.sleep(dice.uniform(0, 0.3))
            api, streamed = dice.choice(APIS), dice.random() < 0.8
            patience = dice.expovariate(1 / 1.5) if dice.random() < LEAVE else 30.0
            try:
                # Not wait_for, which in Python 3.11 can take a cancellation for its own: the client would never stop.
                async with asyncio.timeout(patience):
                    status = await self._ask(self._request(api, streamed, number), None)
                self.counts[f"{status}"] += 1
            except TimeoutError:
                self.counts["left" if patience < 30.0 else "gave up after 30 s"] += 1
            except (OSError, asyncio.IncompleteReadError):
                self.counts["cut"] += 1

    def _request(self, api: Api, streamed: bool, number: int) -> bytes:
        wording = WORDINGS[api]
        body: dict[str, Any] = wording.body | (wording.streams if streamed else {})
        text = f"hello {self._dice.randrange(20)}" + " and so on" * self._dice.choice([0, 0, 50, 500])
        if "messages" in body:
            body = {**body, "messages": [{"role": "user", "content": text}]}
        elif "input" in body:
            body = {**body, "input": text}
        else:
            body = {**body, "contents": [{"role": "user", "parts": [{"text": text}]}]}
        key = wording.key.replace("bench", f"soak-{number % 5}")
        return post(wording.streamed_path if streamed else wording.path, f"{key}\r\nconnection: close", body)

    async def _ask(self, request: bytes, moments: Any) -> int:
        """The status; reads until the server closes, and notes when each token came."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            status = int((await reader.readuntil(b"\r\n"))[9:12])
            while data := await reader.read(1 << 16):
                if moments is not None:
                    moments += [time.monotonic()] * data.count(b'"content":"')
            return status
        finally:
            writer.transport.abort()
