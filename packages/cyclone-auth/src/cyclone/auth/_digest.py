"""HTTP Digest authentication (RFC 7616): headers, answers, nonces used once. No I/O."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from cyclone.web import create_signed_value, decode_signed_value

MAX_HEADER = 8192
#: Seconds a nonce may be used; then the browser is given another without asking the user.
NONCE_SECONDS = 300
#: Nonces whose counts are remembered.
MAX_NONCES = 10_000
#: How far requests that the browser sent at once may overtake each other.
WINDOW = 128

ALGORITHMS: Final = {"SHA-256": "sha256", "SHA-512-256": "sha512_256", "MD5": "md5"}

_SCHEME = re.compile(r"digest +", re.IGNORECASE).match
_PARAMETER = re.compile(
    r"""([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64})[ \t]*=[ \t]*
    (?:"((?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*)"|([!#$%&'*+.^_`|~0-9A-Za-z-]+))
    [ \t]*(?:,[ \t]*|$)""",
    re.VERBOSE,
).match
_QUOTED_PAIR = re.compile(r"\\(.)")
_COUNT = re.compile(r"[0-9a-f]{8}", re.IGNORECASE | re.ASCII).fullmatch
_REQUIRED = ("username", "realm", "nonce", "uri", "response", "qop", "nc", "cnonce")


@dataclass(frozen=True, slots=True)
class DigestAnswer:
    """What a browser answers to a challenge."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str = field(repr=False)
    count: int
    nc: str
    cnonce: str
    algorithm: str


def parse_digest(header: str) -> DigestAnswer | None:
    """Read an ``Authorization`` header; None for what is not a Digest answer with ``qop=auth``."""
    start = _SCHEME(header) if len(header) <= MAX_HEADER else None
    if start is None:
        return None
    values: dict[str, str] = {}
    position = start.end()
    while position < len(header):
        match = _PARAMETER(header, position)
        if match is None or match[1].lower() in values:
            return None
        text = match[3] if match[2] is None else _QUOTED_PAIR.sub(r"\1", match[2])
        values[match[1].lower()] = text
        position = match.end()
    if any(name not in values for name in _REQUIRED):
        return None
    unusable = values["qop"] != "auth" or values.get("userhash", "").lower() == "true"
    if unusable or _COUNT(values["nc"]) is None:
        return None
    return DigestAnswer(
        username=_utf8(values["username"]),
        realm=_utf8(values["realm"]),
        nonce=values["nonce"],
        uri=values["uri"],
        response=values["response"].lower(),
        count=int(values["nc"], 16),
        nc=values["nc"],
        cnonce=values["cnonce"],
        algorithm=values.get("algorithm", "MD5").upper(),
    )


def _utf8(text: str) -> str:
    """Header fields arrive as Latin-1; we asked for UTF-8 (section 4, ``charset``)."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def digest_ha1(username: str, realm: str, password: str, algorithm: str = "SHA-256") -> str:
    """What may be stored in place of the password: H(username:realm:password) in hex.

    It is as good as the password for this realm: keep it as secret.

    :raises ValueError: for an algorithm that is not supported.
    """
    return _hash(algorithm, f"{username}:{realm}:{password}")


def expected_response(answer: DigestAnswer, method: str, ha1: str, algorithm: str) -> str:
    """What the browser has to answer (section 3.4.1)."""
    ha2 = _hash(algorithm, f"{method}:{answer.uri}")
    middle = f"{answer.nonce}:{answer.nc}:{answer.cnonce}:auth"
    return _hash(algorithm, f"{ha1}:{middle}:{ha2}")


def matches(answer: DigestAnswer, method: str, ha1: str | None, algorithm: str) -> bool:
    """Whether *answer* is made with the secret *ha1*; as slow for a user that has none."""
    expected = expected_response(answer, method, ha1 or "0" * 64, algorithm)
    given = answer.response.encode("utf-8", "replace")
    return hmac.compare_digest(given, expected.encode()) and ha1 is not None


def _hash(algorithm: str, text: str) -> str:
    try:
        name = ALGORITHMS[algorithm]
    except KeyError:
        raise ValueError(f"unsupported digest algorithm {algorithm!r}") from None
    return hashlib.new(name, text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


class NonceBook:
    """Makes nonces that need no memory to be recognised, and remembers which counts were used."""

    def __init__(
        self,
        secret: str | bytes,
        *,
        seconds: float = NONCE_SECONDS,
        capacity: int = MAX_NONCES,
    ) -> None:
        self._secret = secret
        self._seconds = seconds
        self._capacity = capacity
        # For each nonce the highest count, and a bit for each of the WINDOW counts below it
        self._counts: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    def make(self, realm: str) -> str:
        """A new nonce for *realm*."""
        name = f"digest nonce {realm}"
        return create_signed_value(self._secret, name, secrets.token_bytes(12)).decode("ascii")

    def is_ours(self, nonce: str, realm: str) -> bool:
        """Whether `make` made it, lately or not."""
        return self._decode(nonce, realm, 31) is not None

    def is_fresh(self, nonce: str, realm: str) -> bool:
        """Whether `make` made it within the last *seconds*."""
        return self._decode(nonce, realm, self._seconds / 86400) is not None

    def _decode(self, nonce: str, realm: str, days: float) -> bytes | None:
        name = f"digest nonce {realm}"
        return decode_signed_value(self._secret, name, nonce, max_age_days=days, min_version=2)

    def spend(self, nonce: str, count: int) -> bool:
        """Use *nonce* for the *count*-th time; False when that was done, or cannot be told."""
        known = self._counts.get(nonce)
        if known is None:
            if not 1 <= count <= WINDOW:
                return False
            known = (0, 0)
            while len(self._counts) >= self._capacity:
                self._counts.popitem(last=False)
        highest, used = known
        if count > highest:
            used = (
                ((used << (count - highest)) | 1) & ((1 << WINDOW) - 1)
                if (count - highest <= WINDOW)
                else 1
            )
            highest = count
        else:
            bit = 1 << (highest - count) if highest - count < WINDOW else 0
            if not bit or used & bit or count < 1:
                return False
            used |= bit
        self._counts[nonce] = (highest, used)
        return True
