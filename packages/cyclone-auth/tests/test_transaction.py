"""State, PKCE and nonce of one login."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.auth._transaction import MAX_ENCODED, Transaction, begin, decode, s256


def test_rfc7636_appendix_b() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert s256(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_secrets_are_long_and_new() -> None:
    one, two = begin("p", nonce=True), begin("p", nonce=True)
    assert one.state != two.state
    assert one.verifier is not None
    assert one.nonce is not None
    assert len(one.state) >= 43
    assert 43 <= len(one.verifier) <= 128
    assert len(one.nonce) >= 43
    assert one.challenge == s256(one.verifier)
    assert begin("p").nonce is None


def test_no_secret_in_repr() -> None:
    one = begin("https://provider.example", "https://app.example/login", nonce=True)
    for secret in (one.state, one.verifier, one.nonce):
        assert secret is not None
        assert secret not in repr(one)


def test_without_pkce() -> None:
    one = begin("p", pkce=False)
    assert one.verifier is None
    with pytest.raises(ValueError, match="PKCE"):
        _ = one.challenge


@given(st.text(max_size=50), st.none() | st.text(max_size=50))
def test_round_trip(provider: str, redirect_uri: str | None) -> None:
    one = begin(provider, redirect_uri, nonce=True)
    assert decode(one.encode()) == one
    assert decode(one.encode().encode()) == one


def test_too_long_for_a_cookie() -> None:
    with pytest.raises(ValueError, match="too long"):
        begin("p", "https://app.example/" + "x" * MAX_ENCODED).encode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"state": "x"}',
        "x" * (MAX_ENCODED + 1),
        "[" * 2000,
        json.dumps(
            {"state": 1, "verifier": None, "nonce": None, "provider": "p", "redirect_uri": None}
        ),
        json.dumps(
            {"state": "s", "verifier": 1, "nonce": None, "provider": "p", "redirect_uri": None}
        ),
        '{"state": "s", "verifier": "v", "nonce": "n", "provider": "p"}',
        '{"state": "s", "verifier": "", "nonce": "", "provider": "p", "redirect_uri": "", "x": 1}',
    ],
)
def test_decode_refuses(text: str) -> None:
    assert decode(text) is None


@given(st.binary(max_size=200))
def test_decode_never_raises(data: bytes) -> None:
    assert decode(data) is None or isinstance(decode(data), Transaction)
