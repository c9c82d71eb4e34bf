"""What stands on a tape in a secret's place: as long as it, the same for the same secret, and nothing of it."""

from __future__ import annotations

from hashlib import blake2b

from llmsim import masks

_SIGNS = "abcdefghijklmnopqrstuvwxyz234567"
_TAIL = 4
"""Signs that tell one secret from another: 20 bits, a million masks. With more of them, who tries all phone numbers
would find the one that has this mask; so thousands have it."""

_DIGITS = 6
_KEPT = frozenset(" \t\r\n")


def disguise(secret: str, key: bytes = b"", *, person: bool = False) -> str:
    """The mask of a secret, with as many characters; of a mask, itself.

    The kind of a key is kept (`sk-proj-****kq3f`), of what is a person's also its punctuation (`****@*******.*kq3f`).
    A number stays one: JSON may have it as one.
    """
    kind = masks.KINDS.match(secret)
    start = kind.end() if kind and not person and len(secret) >= kind.end() + _TAIL else 0
    shown, hidden = secret[:start], secret[start:]
    if ours(hidden):
        return secret
    digest = blake2b(secret.encode("utf-8", "surrogatepass"), key=key[:64], digest_size=8).digest()
    if hidden.isdigit() and hidden.isascii():
        return shown + _number(len(hidden), digest)
    places = [
        at for at, sign in enumerate(hidden) if sign not in _KEPT and (sign == "*" or sign.isalnum() or not person)
    ]
    signs = list(hidden)
    for at in places:
        signs[at] = "*"
    tail = places[len(places) - min(_TAIL, len(places) // 2) :]
    for at, byte in zip(tail, digest, strict=False):
        signs[at] = _SIGNS[byte & 31]
    return shown + "".join(signs)


def ours(told: str) -> bool:
    """Whether it is a mask already."""
    signs = [sign for sign in told if sign == "*" or sign.isalnum()]
    stars = len(signs) - min(_TAIL, len(signs) // 2)
    return stars > 0 and all(sign == "*" for sign in signs[:stars]) and all(sign in _SIGNS for sign in signs[stars:])


def _number(length: int, digest: bytes) -> str:
    """Ones, which begin no card and no phone's area, and digits that tell one number from another."""
    tail = min(_DIGITS, length // 2)
    told = str(int.from_bytes(digest, "big"))[-tail:] if tail else ""
    return told.zfill(tail).rjust(length, "1")
