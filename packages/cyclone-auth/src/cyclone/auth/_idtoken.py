"""ID tokens, checked as OpenID Connect Core 1.0 section 3.1.3.7 says. No I/O."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._errors import AuthError, quoted
from ._http import JSON, MAX_TOKEN
from ._jwks import ASYMMETRIC

if TYPE_CHECKING:
    from ._jwks import SigningKey

#: Seconds by which the provider's clock may differ from ours.
LEEWAY = 60
MAX_SUBJECT = 255


class IDTokenError(AuthError):
    """An ID token that is not to be believed."""


@dataclass(frozen=True, slots=True)
class TokenHeader:
    """What the header of a token says, good for nothing but finding the key."""

    algorithm: str
    key_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What an ID token has to say to be for this login."""

    issuer: str
    client_id: str
    nonce: str | None = None
    access_token: str | None = None
    max_age: float | None = None
    leeway: float = LEEWAY

    def __repr__(self) -> str:
        return f"<{type(self).__name__} token of {self.issuer!r} for {self.client_id!r}>"


def read_header(token: str, algorithms: Collection[str]) -> TokenHeader:
    """Read the header of a signed token.

    Keys inside of it (``jwk``, ``jku``, ``x5u``, ``x5c``) are not looked at; ``crit`` is refused,
    as nothing it could name is understood.

    :param algorithms: what the configuration allows; asymmetric ones only are ever used.
    :raises IDTokenError: for a token too big, not signed, or signed in another way.
    """
    if len(token) > MAX_TOKEN or token.count(".") != 2:
        raise IDTokenError("the ID token is not a signed token of bearable size")
    first = token.split(".", 1)[0]
    try:
        header = json.loads(base64.b64decode(_padded(first), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise IDTokenError("the ID token has no readable header") from None
    if not isinstance(header, dict):
        raise IDTokenError("the ID token has no readable header")
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in set(algorithms) & ASYMMETRIC:
        raise IDTokenError(f"the ID token is signed with {quoted(algorithm)}, which is not allowed")
    if "crit" in header or "b64" in header or "enc" in header:
        raise IDTokenError("the ID token asks for extensions that are not supported")
    if key_id is not None and not isinstance(key_id, str):
        raise IDTokenError("the ID token names no readable key")
    return TokenHeader(algorithm, key_id)


def verify(
    token: str,
    header: TokenHeader,
    key: SigningKey,
    expected: Expected,
    now: float | None = None,
) -> dict[str, JSON]:
    """Check signature and claims; the result is the claims.

    :raises IDTokenError: saying which check failed.
    """
    import jwt

    if header.algorithm not in key.algorithms:
        raise IDTokenError("the ID token is not signed with the key it names")
    try:
        claims: dict[str, JSON] = jwt.decode(
            token,
            key.key.key,
            algorithms=[header.algorithm],
            # The claims are checked below, with our clock and our rules.
            options={
                "verify_signature": True,
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
                "verify_aud": False,
                "verify_iss": False,
                "verify_sub": False,
                "verify_jti": False,
            },
        )
    except (jwt.exceptions.PyJWTError, ValueError, TypeError, RecursionError):
        raise IDTokenError("the signature of the ID token is wrong") from None
    check_claims(claims, expected, time.time() if now is None else now)
    if expected.access_token is not None:
        _check_hash(claims.get("at_hash"), expected.access_token, header.algorithm)
    return claims


def check_claims(claims: Mapping[str, JSON], expected: Expected, now: float) -> None:
    """Check who made the token for whom, when, and for which login.

    :raises IDTokenError: naming the claim.
    """
    if claims.get("iss") != expected.issuer:
        raise IDTokenError("the ID token is of another issuer (iss)")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT:
        raise IDTokenError("the ID token names no user (sub)")
    _check_audience(claims, expected.client_id)
    expiry, issued = _number(claims, "exp"), _number(claims, "iat")
    if expiry is None or now >= expiry + expected.leeway:
        raise IDTokenError("the ID token has expired (exp)")
    if issued is None or issued > now + expected.leeway:
        raise IDTokenError("the ID token was made in the future (iat)")
    if "nbf" in claims:
        start = _number(claims, "nbf")
        if start is None or start > now + expected.leeway:
            raise IDTokenError("the ID token is not yet valid (nbf)")
    if expected.nonce is not None:
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(
            nonce.encode("utf-8", "replace"), expected.nonce.encode()
        ):
            raise IDTokenError("the ID token is for another login (nonce)")
    if expected.max_age is not None:
        when = _number(claims, "auth_time")
        if when is None or now > when + expected.max_age + expected.leeway:
            raise IDTokenError("the user logged in too long ago (auth_time)")


def _check_audience(claims: Mapping[str, JSON], client_id: str) -> None:
    audience = claims.get("aud")
    several = audience if isinstance(audience, list) else [audience]
    if client_id not in several or not all(isinstance(one, str) for one in several):
        raise IDTokenError("the ID token is for somebody else (aud)")
    party = claims.get("azp")
    if party is None and len(several) == 1:
        return
    if party != client_id:
        raise IDTokenError("the ID token was made for somebody else (azp)")


def _number(claims: Mapping[str, JSON], name: str) -> float | None:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Neither NaN nor a number beyond any clock
    return value if 0 <= value < 1e12 else None


def _check_hash(given: JSON, access_token: str, algorithm: str) -> None:
    """The access token belongs to the ID token (section 3.1.3.6), where the latter says so."""
    if given is None:
        return
    sizes = {"256": "sha256", "384": "sha384", "512": "sha512", "56K": "sha256", "DSA": "sha512"}
    digest = hashlib.new(sizes[algorithm[-3:]], access_token.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    if not isinstance(given, str) or not hmac.compare_digest(
        given.encode("utf-8", "replace"), half
    ):
        raise IDTokenError("the access token does not belong to the ID token (at_hash)")


def _padded(text: str) -> bytes:
    if "=" in text:
        raise ValueError("base64url in a token has no padding")
    return text.encode("ascii") + b"=" * (-len(text) % 4)
