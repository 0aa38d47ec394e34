"""A provider's keys."""

from typing import Any

import pytest
from auth_keys import jwk
from auth_support import result_of

from cyclone.auth import ProviderError
from cyclone.auth._jwks import LIFETIME, MAX_KEYS, REFRESH_INTERVAL, KeyCache, KeySet


def test_find() -> None:
    keys = KeySet({"keys": [jwk("rsa1"), jwk("ec1"), jwk("ed1")]})
    rsa = keys.find("rsa1", "RS256")
    assert rsa is not None
    assert "PS512" in rsa.algorithms
    assert keys.find("rsa1", "PS256") is rsa
    assert keys.find("ec1", "ES256") is not None
    assert keys.find("ed1", "EdDSA") is not None
    assert "RS256" in repr(rsa)
    for kid, algorithm in [("rsa1", "ES256"), ("ec1", "ES384"), ("x", "RS256"), ("rsa1", "HS256")]:
        assert keys.find(kid, algorithm) is None


def test_without_kid() -> None:
    keys = KeySet({"keys": [jwk("rsa1", kid=None), jwk("ec1")]})
    assert keys.find(None, "RS256") is not None
    two = KeySet({"keys": [jwk("rsa1", kid=None), jwk("rsa2", kid=None)]})
    assert two.find(None, "RS256") is None


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(jwk("rsa1", use="enc"), id="for-encryption"),
        pytest.param(jwk("rsa1", key_ops=["wrapKey"]), id="for-wrapping"),
        pytest.param({"kty": "oct", "k": "c2VjcmV0", "kid": "rsa1"}, id="AU-03-symmetric"),
        pytest.param(jwk("rsa1", alg="HS256"), id="AU-03-symmetric-algorithm"),
        pytest.param(jwk("rsa1", alg="none"), id="AU-03-none"),
        pytest.param(jwk("weak1", kid="rsa1"), id="weak"),
        pytest.param(jwk("rsa1", n="!!"), id="broken"),
        pytest.param(jwk("rsa1", n=None), id="incomplete"),
        pytest.param(jwk("ec1", kid="rsa1", crv="P-999"), id="unknown-curve"),
        pytest.param(jwk("rsa1", kty=["RSA"]), id="odd-type"),
        pytest.param("text", id="text"),
        pytest.param({}, id="empty"),
    ],
)
def test_left_out(key: Any) -> None:
    keys = KeySet({"keys": [key, jwk("ec1", kid="good")]})
    assert keys.find("rsa1", "RS256") is None
    assert keys.find("good", "ES256") is not None


def test_named_algorithm_counts() -> None:
    keys = KeySet({"keys": [jwk("rsa1", alg="PS256")]})
    assert keys.find("rsa1", "RS256") is None
    assert keys.find("rsa1", "PS256") is not None


def test_bounded() -> None:
    keys = KeySet({"keys": [{}] * MAX_KEYS + [jwk("rsa1")]})
    assert keys.find("rsa1", "RS256") is None


@pytest.mark.parametrize("values", [{}, {"keys": None}, {"keys": {}}])
def test_no_set(values: Any) -> None:
    with pytest.raises(ProviderError, match="JWK set"):
        KeySet(values)


class Source:
    """A provider whose keys change, and a clock."""

    def __init__(self) -> None:
        self.names = ["rsa1"]
        self.asked = 0
        self.now = 1000.0
        self.fails = False
        self.cache = KeyCache(self.fetch, clock=lambda: self.now)

    async def fetch(self) -> KeySet:
        self.asked += 1
        if self.fails:
            raise ProviderError("down")
        return KeySet({"keys": [jwk(name) for name in self.names]})

    def knows(self, kid: str) -> bool:
        return result_of(self.cache.find(kid, "RS256")) is not None


def test_rotation() -> None:
    source = Source()
    assert source.knows("rsa1")
    source.names = ["rsa2"]
    assert source.knows("rsa1")
    assert source.asked == 1
    assert source.knows("rsa2")
    assert source.asked == 2
    assert not source.knows("rsa1")


def test_unknown_keys_are_no_storm() -> None:
    """AU-05: 1000 invented names are one request in a minute."""
    source = Source()
    for number in range(1000):
        assert not source.knows(f"../{number}")
    assert source.asked == 2
    source.now += REFRESH_INTERVAL
    assert not source.knows("x")
    assert not source.knows("y")
    assert source.asked == 3


def test_lifetime() -> None:
    source = Source()
    assert source.knows("rsa1")
    source.names = []
    source.now += LIFETIME + 1
    assert not source.knows("rsa1")


def test_failure_is_not_kept() -> None:
    source = Source()
    source.fails = True
    with pytest.raises(ProviderError):
        source.knows("rsa1")
    source.fails = False
    assert source.knows("rsa1")
