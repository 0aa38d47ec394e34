"""Credentials for the ``Authorization`` header: Basic (RFC 7617) and Digest (RFC 7616)."""

from __future__ import annotations

import hashlib
import os
from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unicodedata import normalize

from cyclone.httputil import encode_username_password

from ._abnf import AUTH_PARAM, QUOTED_PAIR, SCHEME

if TYPE_CHECKING:
    from cyclone.httputil import HTTPHeaders

    from ._url import Target

MAX_CHALLENGE = 8192
MODES = (None, "basic", "digest")
_ALGORITHMS: dict[str, tuple[str, bool]] = {
    "SHA-256": ("sha256", False),
    "SHA-256-SESS": ("sha256", True),
    "SHA-512-256": ("sha512_256", False),
    "SHA-512-256-SESS": ("sha512_256", True),
    "MD5": ("md5", False),
    "MD5-SESS": ("md5", True),
}
_PREFERENCE = ("sha512_256", "sha256", "md5")


def basic_credentials(username: str, password: str) -> str:
    """The value of the header for Basic; UTF-8, in the normal form C that RFC 7617 asks for.

    :raises ValueError: for a colon in the user name, or a control character.
    """
    if ":" in username:
        raise ValueError("a user name for Basic authentication cannot hold a colon")
    if any(ord(char) < 32 or ord(char) == 127 for char in username + password):
        raise ValueError("a user name or password cannot hold a control character")
    return "Basic " + b64encode(encode_username_password(username, password)).decode("ascii")


@dataclass(frozen=True, slots=True)
class DigestChallenge:
    """What a server asks for with ``WWW-Authenticate: Digest``."""

    realm: str
    nonce: str
    algorithm: str
    hash_name: str
    session: bool
    qop: bool
    opaque: str | None
    stale: bool
    userhash: bool


def parse_challenges(value: str) -> list[tuple[str, dict[str, str]]]:
    """The challenges of a ``WWW-Authenticate`` value: lower-case schemes and their parameters.

    Linear; what cannot be read ends the list.
    """
    challenges: list[tuple[str, dict[str, str]]] = []
    position, end = 0, len(value)
    if end > MAX_CHALLENGE:
        return challenges
    while position < end:
        if value[position] in " \t,":
            position += 1
            continue
        param = AUTH_PARAM.match(value, position)
        if param is not None and challenges:
            quoted = param[2]
            text = param[3] if quoted is None else QUOTED_PAIR.sub(r"\1", quoted)
            challenges[-1][1].setdefault(param[1].lower(), text)
            position = param.end()
            continue
        scheme = SCHEME.match(value, position)
        if scheme is None:
            break
        challenges.append((scheme[1].lower(), {}))
        position = scheme.end()
    return challenges


def choose_digest(values: Iterable[str]) -> DigestChallenge | None:
    """The strongest Digest challenge of a response that can be answered."""
    found: list[DigestChallenge] = []
    for value in values:
        for scheme, params in parse_challenges(value):
            challenge = _digest_of(params) if scheme == "digest" else None
            if challenge is not None:
                found.append(challenge)
    return min(found, key=lambda one: _PREFERENCE.index(one.hash_name), default=None)


def _digest_of(params: dict[str, str]) -> DigestChallenge | None:
    known = _ALGORITHMS.get(params.get("algorithm", "MD5").upper())
    if known is None or "nonce" not in params or known[0] not in hashlib.algorithms_available:
        return None
    qops = [qop.strip().lower() for qop in params.get("qop", "").split(",") if qop.strip()]
    if qops and "auth" not in qops:
        return None
    return DigestChallenge(
        realm=params.get("realm", ""),
        nonce=params["nonce"],
        algorithm=params.get("algorithm", ""),
        hash_name=known[0],
        session=known[1],
        qop=bool(qops),
        opaque=params.get("opaque"),
        stale=params.get("stale", "").lower() == "true",
        userhash=params.get("userhash", "").lower() == "true",
    )


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _hasher(name: str) -> Callable[[str], str]:
    def digest(text: str) -> str:
        return hashlib.new(name, text.encode("utf-8"), usedforsecurity=False).hexdigest()

    return digest


def digest_credentials(
    challenge: DigestChallenge,
    method: str,
    uri: str,
    username: str,
    password: str,
    *,
    count: int = 1,
    cnonce: str | None = None,
) -> str:
    """The value of the header that answers ``challenge`` for one request.

    ``count`` is how many requests used this nonce, this one included.
    :raises ValueError: for a control character in the user name or password.
    """
    if any(ord(char) < 32 or ord(char) == 127 for char in username + password):
        raise ValueError("a user name or password cannot hold a control character")
    username, password = normalize("NFC", username), normalize("NFC", password)
    digest = _hasher(challenge.hash_name)
    cnonce = cnonce or os.urandom(16).hex()
    secret = digest(f"{username}:{challenge.realm}:{password}")
    if challenge.session:
        secret = digest(f"{secret}:{challenge.nonce}:{cnonce}")
    what = digest(f"{method}:{uri}")
    nc = f"{count:08x}"
    middle = f"{nc}:{cnonce}:auth:" if challenge.qop else ""
    answer = digest(f"{secret}:{challenge.nonce}:{middle}{what}")
    shown = digest(f"{username}:{challenge.realm}") if challenge.userhash else username
    parts = [
        _username(shown),
        f"realm={_quote(challenge.realm)}",
        f"nonce={_quote(challenge.nonce)}",
        f"uri={_quote(uri)}",
        f'response="{answer}"',
    ]
    if challenge.algorithm:
        parts.append(f"algorithm={challenge.algorithm}")
    if challenge.opaque is not None:
        parts.append(f"opaque={_quote(challenge.opaque)}")
    if challenge.qop:
        parts += ["qop=auth", f"nc={nc}", f'cnonce="{cnonce}"']
    elif challenge.session:
        parts.append(f'cnonce="{cnonce}"')
    if challenge.userhash:
        parts.append("userhash=true")
    return "Digest " + ", ".join(parts)


def _username(text: str) -> str:
    """The parameter, in RFC 5987's extended form when it is not ASCII."""
    if text.isascii():
        return f"username={_quote(text)}"
    from urllib.parse import quote

    return f"username*=UTF-8''{quote(text, safe='')}"


def check_mode(mode: str | None) -> None:
    """Check an ``auth_mode``; ValueError for one that is not known."""
    if mode not in MODES:
        raise ValueError(f"unsupported auth_mode {mode!r}: 'basic' and 'digest' are known")


class Credentials:
    """A user name and password for one origin, and what is known of its challenge."""

    def __init__(self, username: str, password: str, mode: str | None) -> None:
        check_mode(mode)
        self.username = username
        self.password = password
        self.digest = mode == "digest"
        self.challenge: DigestChallenge | None = None
        self.count = 0
        self._answers = 0

    def header(self, method: str, target: Target) -> str | None:
        """The ``Authorization`` value for a request, ``None`` before a challenge."""
        if not self.digest:
            return basic_credentials(self.username, self.password)
        if self.challenge is None:
            return None
        self.count += 1
        return digest_credentials(
            self.challenge, method, target.path, self.username, self.password, count=self.count
        )

    def accept(self, headers: HTTPHeaders) -> bool:
        """Take the challenge of a 401; false when it cannot help."""
        challenge = choose_digest(headers.get_list("WWW-Authenticate"))
        if not self.digest or challenge is None:
            return False
        if self._answers and not (challenge.stale and self._answers == 1):
            return False
        self._answers += 1
        self.challenge = challenge
        self.count = 0
        return True
