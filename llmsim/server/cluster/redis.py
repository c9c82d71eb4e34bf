"""Several machines as one server: one of their hubs leads, the others pass on what has to be decided once; by Redis."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from llmsim.clock import Clock, keep
from llmsim.errors import LlmsimError
from llmsim.server.cluster.ledger import KEPT
from llmsim.server.cluster.peer import Lost, Peer
from llmsim.server.serve import ServeError

if TYPE_CHECKING:
    from llmsim.server.cluster.federation import Federation

logger = logging.getLogger("llmsim")

LEASE = 5.0
"""Seconds that a leader leads without being heard."""
BEAT = 0.3
"""Seconds between two signs of life."""
_FULL = 16 << 20
"""Bytes that may wait to be sent; with more of them Redis counts as lost."""
_PATIENCE = 2.0
_INSTALL = "cluster: it takes a package that is not installed: pip install 'llmsim[cluster]'"

# Takes the lease where nobody has it, or who has it listens no more, and renews one's own.
_LEAD = """
local has = redis.call('GET', KEYS[1])
if has and has ~= ARGV[1] and redis.call('PUBSUB', 'NUMSUB', ARGV[4] .. has)[2] == 0 then
  has = false
end
if has == ARGV[1] or (not has and ARGV[3] == '1') then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return ARGV[1]
end
return has or ''
"""

# Writes down what the leader has counted, unless another leads meanwhile; gives who leads.
_WRITE = """
local has = redis.call('GET', KEYS[1])
if has and has ~= ARGV[1] then
  return has
end
if ARGV[2] == '1' then
  redis.call('DEL', KEYS[2])
end
local gone = tonumber(ARGV[4])
for at = 5, 4 + gone do
  redis.call('HDEL', KEYS[2], ARGV[at])
end
for at = 5 + gone, #ARGV, 2 do
  redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
end
redis.call('EXPIRE', KEYS[2], ARGV[3])
return ARGV[1]
"""


class Bus:
    """A replica's connection to Redis: messages to one replica or to all, the lease of the leader, numbers of replicas.

    Nothing is kept in Redis but the lease, which ends by itself, a count of the replicas that ever came, and what the
    leader has counted.
    """

    def __init__(self, url: str, name: str, clock: Clock, owner: Federation) -> None:
        try:
            import redis.asyncio as library
        except ImportError:
            raise ServeError(_INSTALL) from None
        self.id = secrets.token_hex(6)
        self._name, self._clock, self._owner = f"llmsim:{name}", clock, owner
        try:
            self._redis: Any = library.from_url(url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE)
        except ValueError as error:
            raise ServeError(f"cluster: {url!r} is not allowed: {error}") from None
        self._written_by: Any = self._redis.register_script(_WRITE)
        self._errors: tuple[type[BaseException], ...] = (library.RedisError, OSError, TimeoutError)
        self._peers: dict[str, Peer] = {}
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._size = 0
        self._news = asyncio.Event()
        self._over = asyncio.Event()
        self.up = False

    async def start(self) -> None:
        """Connects; keeps trying to for as long as it takes, without holding up the start."""
        keep(self._run(), "redis")
        keep(self._write(), "redis writer")

    async def _pause(self, seconds: float) -> None:
        over = asyncio.Event()
        self._clock.call_at(self._clock.now() + seconds, over.set)
        await over.wait()

    async def _run(self) -> None:
        """Listens, and begins again whenever the connection is lost."""
        while not self._over.is_set():
            try:
                async with self._redis.pubsub() as channel:
                    await channel.subscribe(f"{self._name}:{self.id}", f"{self._name}:all")
                    await self._listen(channel)
            except self._errors as error:
                self._lost(str(error) or type(error).__name__)
                with suppress(*self._errors):  # connections of before, each of which would be found broken in its turn
                    await self._redis.connection_pool.disconnect(inuse_connections=False)
            if not self._over.is_set():
                await self._pause(BEAT)

    async def _listen(self, channel: Any) -> None:
        heard = self._clock.now()
        while not self._over.is_set():
            message = await channel.get_message(ignore_subscribe_messages=True, timeout=BEAT)
            now = self._clock.now()
            if message is not None:
                self._came(message["data"])
            if now - heard >= BEAT:
                heard = now
                await self._beat()

    async def _beat(self) -> None:
        if not self.up:
            number = await self._redis.incr(f"{self._name}:replicas")
            await self._redis.expire(f"{self._name}:replicas", KEPT)
            self.up = True
            self._owner.found(int(number))
        eager = "1" if self._owner.eager() else "0"
        told = (self.id, int(LEASE * 1000), eager, f"{self._name}:")
        name = _text(await self._redis.eval(_LEAD, 1, f"{self._name}:leader", *told))
        if name == self.id and not self._owner.leads and self._owner.followed:
            self._owner.take_over(await self._redis.hgetall(f"{self._name}:ledger"))
        self._owner.led_by(name)
        if self._owner.leads:
            self._owner.scribe.start(whole=True)

    async def write_down(self, changed: Mapping[bytes, bytes], gone: list[bytes], first: bool) -> bool:
        """Writes down what was counted, in one step and one message; False where this replica leads no more.

        With `first` what stands there goes, as it is somebody else's.
        """
        keys = [f"{self._name}:leader", f"{self._name}:ledger"]
        entries = [part for entry in changed.items() for part in entry]
        try:
            told = await self._written_by(keys, [self.id, int(first), KEPT, len(gone), *gone, *entries])
        except self._errors as error:
            self._lost(str(error) or type(error).__name__)
            return True  # it serves on by itself
        if (name := _text(told)) != self.id:
            self._owner.led_by(name)
        return name == self.id

    def _came(self, data: bytes) -> None:
        sender, frame = data[:12].decode("ascii", "replace"), data[12:]
        if sender != self.id:
            self.peer(sender).feed(frame)

    def _lost(self, why: str) -> None:
        self._waiting.clear()
        self._size = 0
        if self.up:
            self.up = False
            for name in list(self._peers):
                self.drop(name)
            self._owner.lost(why)

    def peer(self, name: str) -> Peer:
        """The channel to another replica."""
        found = self._peers.get(name)
        if found is None:
            found = self._peers[name] = Peer(self._owner, lambda data: self.send(name, data))
        return found

    def drop(self, name: str) -> None:
        """Gives a replica up."""
        peer = self._peers.pop(name, None)
        if peer is not None:
            peer.lose()

    def send(self, name: str, data: bytes) -> None:
        """Sends a frame to one replica, or to `all`."""
        self._size += len(data)
        if self._size > _FULL:
            self._lost("it does not keep up")
            return
        self._waiting.append((name, data))
        self._news.set()

    async def _write(self) -> None:
        while not self._over.is_set():
            await self._news.wait()
            self._news.clear()
            batch, self._waiting = self._waiting, deque()
            self._size = 0
            try:
                async with self._redis.pipeline(transaction=False) as pipe:
                    for name, data in batch:
                        pipe.publish(f"{self._name}:{name}", self.id.encode() + data)
                    if batch:
                        await pipe.execute()
            except self._errors as error:
                self._lost(str(error) or type(error).__name__)

    async def stop(self) -> None:
        """Leaves; a leader gives its lease back."""
        self._over.set()
        self._news.set()
        with suppress(*self._errors, Lost, LlmsimError):
            if self._owner.leads:
                await self._owner.scribe.written(whole=True)
                await self._redis.delete(f"{self._name}:leader")
            await self._redis.aclose()


def _text(told: Any) -> str:
    return told.decode() if isinstance(told, bytes) else str(told)
