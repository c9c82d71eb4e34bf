"""Hides the secrets in what leaves the journal: a key keeps its kind and its tail, so that people still know it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from urllib.parse import quote, unquote

# How the keys of providers begin: this much says whose key it is and nothing of the secret.
KINDS = re.compile(
    r"sk-ant-(?:[a-z]+\d\d-)?|sk-(?:proj|svcacct|admin|or-v1|lf|pt)-|sk-|pk-|AIza|ya29\.|AKIA|ASIA|gsk_|xai-|hf_|r8_|pplx-"
    r"|gh[pousr]_|github_pat_|xox[abeprs]-|xapp-|eyJ|ABSK|[rsp]k_(?:live|test)_|whsec_|gl[a-z]{2,6}-|GOCSPX-|SG\.|npm_|pypi-"
    r"|dapi|do[opr]_v1_|hv[bsr]\.|lin_api_|ntn_|secret_|shp[a-z]{2}_|sq0[a-z]{3}-|AGE-SECRET-KEY-1|dp\.[a-z]{2,5}\.|PMAK-"
    r"|glsa_|NRAK-|sntry[su]_|tvly-|pcsk_|sb[a-z]{1,10}_|nfp_|HRKU-|fm2_|tskey-[a-z]+-|rubygems_|dckr_[a-z]+_|ATATT3|ATBB"
    r"|figd_|lsv2_[a-z]+_|fw_|nvapi-|csk-|hooks\.slack\.com/services/|discord(?:app)?\.com/api/webhooks/"
)
_TAIL = 4


def key(told: str) -> str:
    """The key as people may see it, `sk-…abcd`; the same for the same key, empty for none.

    Of a short key less is kept: at most the last third of it, so that what is left out is always the larger part.
    """
    if not told:
        return ""
    if "…" in told:
        return told
    found = KINDS.match(told)
    kind = found[0] if found and len(told) > found.end() else ""
    secret = told[len(kind) :]
    tail = min(_TAIL, len(secret) // 3)
    return f"{kind}…{secret[len(secret) - tail :]}"


# -- headers and queries

HEADERS = re.compile(
    r"authorization|cookie|(?:api|subscription|access)-?_?key$|token$|secret|password|credential|signature"
)
QUERY = re.compile(r"^(?:key|sig|code)$|api-?_?key|token$|secret|password|credential|signature", re.IGNORECASE)
PARTS = re.compile(r"((?:Credential|Signature)=)([^,/\s]+)")
COOKIE = re.compile(r"(^|;\s*)([^=;\s]+)=([^;]*)")
SCHEME = re.compile(r"(?:Bearer|Basic|Token|Key)\s+", re.IGNORECASE)
ATTRIBUTES = frozenset(("path", "domain", "expires", "max-age", "samesite"))


def header(name: str, value: str) -> str:
    """A header's value with its secret masked; other headers as they are, but for keys that stand in them."""
    plain = name.lower()
    if not HEADERS.search(plain):
        return text(value)
    if "cookie" in plain:
        return COOKIE.sub(_cookie, value)
    if value.startswith("AWS4-"):
        return PARTS.sub(lambda found: found[1] + key(found[2]), value)
    return _value(value, plain)


def _cookie(found: re.Match[str]) -> str:
    plain = found[2].lower() in ATTRIBUTES
    return found[0] if plain else f"{found[1]}{found[2]}=…"


def headers(told: Mapping[bytes, bytes] | Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """All headers as text, masked."""
    pairs = told.items() if isinstance(told, Mapping) else told
    decoded = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs]
    return [(name, header(name, value)) for name, value in decoded]


def query(told: str) -> str:
    """A query string with the values of `key=` and its like masked."""
    parts = []
    for part in told.split("&"):
        name, sign, value = part.partition("=")
        hidden = QUERY.search(unquote(name)) if sign else None
        parts.append(f"{name}={quote(key(unquote(value)), safe='…')}" if hidden else text(part))
    return "&".join(parts)


def target(told: str) -> str:
    """A path with its query, masked."""
    path, sign, rest = told.partition("?")
    return text(path) + sign + query(rest)


# -- texts and bodies

NAMES = re.compile(
    r"(?:x[-_]?)?(?:goog[-_]?)?api[-_]?key|authorization(?:[-_]?token)?|proxy-authorization|(?:access|refresh|id|auth"
    r"|bearer|session|security)[-_]?token|client[-_]?secret|secret(?:[-_]?(?:access[-_]?)?key)?|pass(?:word|wd|phrase)"
    r"|private[-_]?key|credentials?|cookie",
    re.IGNORECASE,
)
# A field of JSON with a text, also within a text that is JSON itself: quotation marks then stand behind backslashes.
_FIELD = re.compile(r"""["']([A-Za-z][A-Za-z_-]{2,30})\\{0,8}["']\s{0,20}:\s{0,20}(\\{0,8}["'])""")
_FORM = re.compile(r"\b([A-Za-z][A-Za-z_-]{2,30})=([^&\s\"'<>;,\\]{8,8192})")
_BEARER = re.compile(r"\b(bearer|basic)(\s+)([a-z0-9._~+/-]{8,}=*)", re.IGNORECASE)
_PEM = re.compile(r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----).*?(-----END [A-Z ]{0,40}PRIVATE KEY-----|$)", re.DOTALL)
_ALONE = {
    "sk-": r"sk-[A-Za-z0-9_-]{12,}",
    "pk-": r"pk-[A-Za-z0-9_-]{20,}",
    "AIza": r"AIza[A-Za-z0-9_-]{20,}",
    "ya29.": r"ya29\.[A-Za-z0-9_-]{20,}",
    "AKIA": r"AKIA[A-Z0-9]{12,}",
    "ASIA": r"ASIA[A-Z0-9]{12,}",
    "gsk_": r"gsk_[A-Za-z0-9]{16,}",
    "hf_": r"hf_[A-Za-z0-9]{16,}",
    "r8_": r"r8_[A-Za-z0-9]{16,}",
    "xai-": r"xai-[A-Za-z0-9]{20,}",
    "pplx-": r"pplx-[A-Za-z0-9]{20,}",
    "gh": r"gh[pousr]_[A-Za-z0-9]{20,}",
    "github_pat_": r"github_pat_[A-Za-z0-9_]{20,}",
    "xox": r"xox[abeprs]-[A-Za-z0-9-]{10,}",
    "ABSK": r"ABSK[A-Za-z0-9+/=]{20,}",
    "eyJ": r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    "xapp-": r"xapp-[A-Za-z0-9-]{16,}",
    "_live_": r"[rsp]k_live_[A-Za-z0-9]{10,}",
    "_test_": r"[rsp]k_test_[A-Za-z0-9]{10,}",
    "whsec_": r"whsec_[A-Za-z0-9+/=]{20,}",
    "glpat-": r"glpat-[A-Za-z0-9_.-]{16,}",
    "glrt-": r"glrt-[A-Za-z0-9_.-]{16,}",
    "GOCSPX-": r"GOCSPX-[A-Za-z0-9_-]{20,}",
    "1//0": r"1//0[A-Za-z0-9_-]{20,}",
    "SG.": r"SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,80}",
    "npm_": r"npm_[A-Za-z0-9]{30,}",
    "pypi-": r"pypi-[A-Za-z0-9_-]{16,}",
    "dapi": r"dapi[a-f0-9]{32}",
    "_v1_": r"do[opr]_v1_[a-f0-9]{32,}",
    "hvs.": r"hvs\.[A-Za-z0-9_-]{20,}",
    "lin_api_": r"lin_api_[A-Za-z0-9]{32,}",
    "ntn_": r"ntn_[A-Za-z0-9]{32,}",
    "secret_": r"secret_[A-Za-z0-9]{32,}",
    "shp": r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",
    "sq0": r"sq0[a-z]{3}-[A-Za-z0-9_-]{22,}",
    "AGE-SECRET-KEY-1": r"AGE-SECRET-KEY-1[A-Z0-9]{30,}",
    "dp.": r"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{30,}",
    "PMAK-": r"PMAK-[a-f0-9]{20,}-[a-f0-9]{20,}",
    "glsa_": r"glsa_[A-Za-z0-9_]{30,}",
    "NRAK-": r"NRAK-[A-Z0-9]{20,}",
    "sntry": r"sntry[su]_[A-Za-z0-9+/=_]{30,}",
    "tvly-": r"tvly-[A-Za-z0-9-]{20,}",
    "pcsk_": r"pcsk_[A-Za-z0-9_]{20,}",
    "sbp_": r"sbp_[a-f0-9]{30,}",
    "sb_secret_": r"sb_secret_[A-Za-z0-9_-]{20,}",
    "nfp_": r"nfp_[A-Za-z0-9]{30,}",
    "HRKU-": r"HRKU-[A-Za-z0-9_-]{30,}",
    "fm2_": r"fm2_[A-Za-z0-9+/=]{30,}",
    "tskey-": r"tskey-[a-z]+-[A-Za-z0-9-]{16,}",
    "rubygems_": r"rubygems_[a-f0-9]{40,}",
    "dckr_": r"dckr_[a-z]+_[A-Za-z0-9_-]{20,}",
    "ATATT3": r"ATATT3[A-Za-z0-9_=.-]{30,}",
    "ATBB": r"ATBB[A-Za-z0-9]{24,}",
    "figd_": r"figd_[A-Za-z0-9_-]{20,}",
    "pat": r"pat[A-Za-z0-9]{14}\.[a-f0-9]{60,}",
    "lsv2_": r"lsv2_[a-z]+_[a-f0-9]{30,}_[a-f0-9]{8,}",
    "fw_": r"fw_[A-Za-z0-9]{20,}",
    "nvapi-": r"nvapi-[A-Za-z0-9_-]{30,}",
    "csk-": r"csk-[a-z0-9]{30,}",
    "key-": r"key-[a-f0-9]{32}",
    "-us": r"[a-f0-9]{32}-us\d{1,2}\b",
    "SK": r"SK[a-f0-9]{32}",
    "hooks.slack.com": r"hooks\.slack\.com/services/[A-Za-z0-9/]{20,}",
    "/api/webhooks/": r"discord(?:app)?\.com/api/webhooks/\d+/[A-Za-z0-9_-]{20,}",
    ":AA": r"\d{8,10}:AA[A-Za-z0-9_-]{32,34}",
}


@cache
def _alone(start: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9]){_ALONE[start]}")


def forms(told: str) -> Iterator[re.Pattern[str]]:
    """The forms of keys that a text may hold; each made when it is first needed, as all sixty take 10 ms."""
    return (_alone(start) for start in _ALONE if start in told)


LONGEST = 8192
"""Characters of a secret; also those behind a limit that are looked at: a secret cut in two would not be known."""


def text(told: str, own: str = "") -> str:
    """A text with every key in it masked: those that look like one, and `own`, the one that the client came with."""
    if len(own) >= 8 and own in told:
        told = told.replace(own, key(own))
    if "-----BEGIN" in told:
        told = _PEM.sub(r"\1…\2", told)
    told = _fields(told)
    if "=" in told:
        told = _FORM.sub(_form, told)
    low = told.lower()
    if "bearer" in low or "basic" in low:
        told = _BEARER.sub(lambda found: found[1] + found[2] + _value(found[3], found[1]), told)
    for form in forms(told):
        told = form.sub(lambda found: key(found[0]), told)
    return told


def _fields(told: str) -> str:
    """Masks the fields whose name says that they are secret."""
    parts, at = [], 0
    for found in _FIELD.finditer(told):
        start = found.end()
        if start >= at and NAMES.fullmatch(found[1]):
            end = _end(told, start, found[2])
            parts += [told[at:start], _value(told[start:end], found[1])]
            at = end
    return "".join((*parts, told[at:])) if parts else told


def _end(told: str, start: int, close: str) -> int:
    """Where the text that starts there ends; without an end all of it is one: rather too much than too little."""
    last = min(len(told), start + LONGEST)
    at = told.find(close, start, last)
    while at > 0 and told[at - 1] == "\\" and at > start:
        at = told.find(close, at + 1, last)
    return at if at >= 0 else last


def _form(found: re.Match[str]) -> str:
    secret = found[1].lower() == "key" or NAMES.fullmatch(found[1])
    return f"{found[1]}={_value(found[2], found[1])}" if secret else found[0]


def _value(value: str, name: str) -> str:
    """The value of a secret field: of a password and a cookie nothing is kept."""
    if re.match(r"pass|cookie|basic|cred", name, re.IGNORECASE):
        return "…"
    scheme = SCHEME.match(value)
    if scheme is None:
        return key(value)
    return scheme[0] + _value(value[scheme.end() :], scheme[0])


def body(told: bytes, own: str = "", limit: int | None = None) -> tuple[str, bool]:
    """A body as text, masked, of at most `limit` characters, and whether it was cut; what is no UTF-8 is replaced."""
    if limit is None:
        return text(told.decode("utf-8", "replace"), own), False
    shown = told[: 4 * (limit + LONGEST)].decode("utf-8", "replace")[: limit + LONGEST]
    masked = text(shown, own)
    return masked[:limit], len(masked) > limit
