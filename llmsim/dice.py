"""The dice of one exchange: all chance in its reply, its times and its faults comes from here.

A stream of 64-bit numbers by SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA
2014): seeding it is one multiplication, where seeding a `random.Random` costs more than planning a whole short reply.
"""

from __future__ import annotations

import random as standard
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import TypeVar

_T = TypeVar("_T")
_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class Dice:
    """Draws that depend on the seed and on nothing else; never shared between exchanges."""

    __slots__ = ("_state", "seed")

    def __init__(self, seed: int) -> None:
        self.seed = seed & _MASK
        self._state = self.seed

    def bits(self) -> int:
        """64 random bits."""
        self._state = z = (self._state + _GOLDEN) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def random(self) -> float:
        """A number in [0, 1)."""
        return (self.bits() >> 11) * 1.1102230246251565e-16

    def below(self, n: int) -> int:
        """A whole number in [0, n); n must be positive."""
        return self.bits() % n

    def between(self, low: int, high: int) -> int:
        """A whole number in [low, high]."""
        return low + self.bits() % (high - low + 1)

    def uniform(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + (high - low) * self.random()

    def choice(self, items: Sequence[_T]) -> _T:
        """One of the items, each as likely as the others."""
        return items[self.bits() % len(items)]

    def text(self, length: int) -> str:
        """Letters and digits, for ids."""
        letters = []
        for _ in range(length):
            letters.append(_ALPHABET[self.bits() % 62])
        return "".join(letters)

    def fork(self, purpose: str) -> Dice:
        """Dice of their own for one purpose, so that drawing more for one thing changes nothing in another."""
        return Dice(self.seed * _GOLDEN + _purpose(purpose))

    def generator(self) -> standard.Random:
        """A standard generator seeded by these dice, for what needs gauss, sample or shuffle."""
        return standard.Random(self.bits())


@lru_cache(maxsize=256)
def _purpose(name: str) -> int:
    return mix(name)


def blend(first: int, second: int, third: int) -> int:
    """64 bits that stand for three numbers, the first of which is random already; much cheaper than `mix`."""
    return ((first + second * _GOLDEN) * _GOLDEN + third * 0xBF58476D1CE4E5B9) & _MASK


def mix(*parts: int | str | bytes) -> int:
    """64 bits that stand for all the parts and their order: the seed of an exchange's dice."""
    digest = blake2b(digest_size=8)
    for part in parts:
        digest.update(part if isinstance(part, bytes) else str(part).encode())
        digest.update(b"\x00")
    return int.from_bytes(digest.digest(), "little")
