"""A provider's signing keys: parsed, kept, and asked for again at a bounded rate."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

from ._errors import ProviderError
from ._http import JSON

if TYPE_CHECKING:
    from jwt import PyJWK

#: Keys of a set that are looked at; more are ignored.
MAX_KEYS = 100
#: Seconds a set is used without asking again.
LIFETIME = 3600.0
#: Seconds between two requests that unknown keys cause.
REFRESH_INTERVAL = 60.0

# What a key of a type (and curve) can sign; symmetric keys ("oct") never come from a provider.
_ALGORITHMS: Final[Mapping[tuple[str, str | None], frozenset[str]]] = {
    ("RSA", None): frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("EC", "P-521"): frozenset({"ES512"}),
    ("EC", "secp256k1"): frozenset({"ES256K"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA"}),
}
ASYMMETRIC: Final = frozenset().union(*_ALGORITHMS.values())
MIN_RSA_BITS = 2048


class SigningKey:
    """One public key, and the algorithms it may be used with."""

    def __init__(self, key: PyJWK, algorithms: frozenset[str]) -> None:
        self.key = key
        self.algorithms = algorithms

    def __repr__(self) -> str:
        return f"<{type(self).__name__} for {', '.join(sorted(self.algorithms))}>"


class KeySet:
    """The usable keys of a JWK set (RFC 7517).

    What is for encryption, symmetric, unknown, weak or broken is left out; the rest serves.
    """

    def __init__(self, values: Mapping[str, JSON]) -> None:
        keys = values.get("keys")
        if not isinstance(keys, list):
            raise ProviderError("the provider's keys are not a JWK set", code=200)
        self._named: dict[str, list[SigningKey]] = {}
        self._all: list[SigningKey] = []
        for value in keys[:MAX_KEYS]:
            key = _signing_key(value) if isinstance(value, dict) else None
            if key is None:
                continue
            self._all.append(key)
            kid = value.get("kid") if isinstance(value, dict) else None
            if isinstance(kid, str):
                self._named.setdefault(kid, []).append(key)

    def find(self, kid: str | None, algorithm: str) -> SigningKey | None:
        """The key named *kid* that can sign with *algorithm*.

        A token without ``kid`` is only for a provider that has one such key.
        """
        candidates = self._all if kid is None else self._named.get(kid, [])
        fitting = [key for key in candidates if algorithm in key.algorithms]
        return fitting[0] if len(fitting) == 1 or (fitting and kid is not None) else None


class KeyCache:
    """The keys of one provider; *fetch* gets them anew.

    Loaded when first needed and each *lifetime*. A key that is not there makes it ask again, as
    the provider may have rotated its keys, but at most once in *interval*: tokens with invented
    key names do not become requests (AU-05).
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[KeySet]],
        *,
        lifetime: float = LIFETIME,
        interval: float = REFRESH_INTERVAL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._lifetime = lifetime
        self._interval = interval
        self._clock = clock
        self._keys: KeySet | None = None
        self._loaded = 0.0
        self._asked_again: float | None = None

    async def find(self, kid: str | None, algorithm: str) -> SigningKey | None:
        """The key, after asking the provider if need be.

        :raises ProviderError: when there are no keys and the provider does not give them.
        """
        keys = self._keys
        if keys is None or self._clock() - self._loaded > self._lifetime:
            keys = await self._load()
        found = keys.find(kid, algorithm)
        if found is None and self._may_ask_again():
            self._asked_again = self._clock()
            found = (await self._load()).find(kid, algorithm)
        return found

    def _may_ask_again(self) -> bool:
        asked = self._asked_again
        return asked is None or self._clock() - asked >= self._interval

    async def _load(self) -> KeySet:
        keys = await self._fetch()
        self._keys = keys
        self._loaded = self._clock()
        return keys


def _signing_key(value: Mapping[str, JSON]) -> SigningKey | None:
    from jwt import PyJWK
    from jwt.exceptions import PyJWTError

    kty, curve, use = value.get("kty"), value.get("crv"), value.get("use", "sig")
    operations = value.get("key_ops")
    if use != "sig" or (isinstance(operations, list) and "verify" not in operations):
        return None
    if not isinstance(kty, str) or not (curve is None or isinstance(curve, str)):
        return None
    possible = _ALGORITHMS.get((kty, curve))
    if possible is None:
        return None
    named = value.get("alg")
    if named is not None:
        possible = possible & {str(named)}
    if not possible:
        return None
    # Only the public numbers: whatever else a set holds is not looked at.
    public = {name: value[name] for name in ("kty", "crv", "n", "e", "x", "y") if name in value}
    try:
        key = PyJWK(public, algorithm=min(possible))
    except (PyJWTError, ValueError, TypeError, KeyError, NotImplementedError):
        return None
    if kty == "RSA" and getattr(key.key, "key_size", 0) < MIN_RSA_BITS:
        return None
    return SigningKey(key, possible)
