"""ID tokens: each check of OpenID Connect Core section 3.1.3.7."""

import base64
import hashlib
import hmac
import json
import math
import time
from typing import Any

import pytest
from auth_keys import encoded, jwk, private, sign
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from cyclone.auth import AuthError, IDTokenError
from cyclone.auth._http import MAX_TOKEN
from cyclone.auth._idtoken import Expected, read_header, verify
from cyclone.auth._jwks import KeySet

NOW = 1_800_000_000.0
ISSUER = "https://op.example"
ALLOWED = ("RS256", "ES256", "EdDSA", "PS256", "HS256", "none")
EXPECTED = Expected(issuer=ISSUER, client_id="me", nonce="the-nonce")
KEYS = KeySet({"keys": [jwk("rsa1"), jwk("ec1"), jwk("ed1")]})


def claims(**changes: Any) -> dict[str, Any]:
    values = {
        "iss": ISSUER,
        "sub": "ada",
        "aud": "me",
        "exp": NOW + 600,
        "iat": NOW - 1,
        "nonce": "the-nonce",
        **changes,
    }
    return {name: value for name, value in values.items() if value is not ...}


def check(token: str, expected: Expected = EXPECTED, now: float = NOW) -> dict[str, Any]:
    header = read_header(token, ALLOWED)
    key = KEYS.find(header.key_id, header.algorithm)
    if key is None:
        raise IDTokenError("no such key")
    return verify(token, header, key, expected, now)


@pytest.mark.parametrize(
    ("name", "alg"), [("rsa1", "RS256"), ("rsa1", "PS256"), ("ec1", "ES256"), ("ed1", "EdDSA")]
)
def test_good(name: str, alg: str) -> None:
    assert check(sign(claims(), name, alg))["sub"] == "ada"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"aud": ["me"]}, id="audience-list"),
        pytest.param({"aud": ["other", "me"], "azp": "me"}, id="two-audiences"),
        pytest.param({"azp": "me"}, id="azp"),
        pytest.param({"exp": NOW - 59}, id="leeway"),
        pytest.param({"iat": NOW + 59}, id="iat-leeway"),
        pytest.param({"nbf": NOW - 1}, id="nbf"),
        pytest.param({"nbf": NOW + 59}, id="nbf-leeway"),
    ],
)
def test_accepted(changes: dict[str, Any]) -> None:
    assert check(sign(claims(**changes)))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        pytest.param({"iss": ISSUER + "/"}, "(iss)", id="AU-02-iss-suffix"),
        pytest.param({"iss": ISSUER[:-1]}, "(iss)", id="AU-02-iss-prefix"),
        pytest.param({"iss": ...}, "(iss)", id="AU-02-iss-missing"),
        pytest.param({"aud": "other"}, "(aud)", id="AU-02-aud"),
        pytest.param({"aud": ["other"]}, "(aud)", id="AU-02-aud-list"),
        pytest.param({"aud": "mee"}, "(aud)", id="AU-02-aud-prefix"),
        pytest.param({"aud": ["me", 5], "azp": "me"}, "(aud)", id="AU-02-aud-number"),
        pytest.param({"aud": []}, "(aud)", id="AU-02-aud-empty"),
        pytest.param({"aud": ...}, "(aud)", id="AU-02-aud-missing"),
        pytest.param({"aud": ["me", "other"]}, "(azp)", id="AU-02-azp-missing"),
        pytest.param({"azp": "other"}, "(azp)", id="AU-02-azp"),
        pytest.param({"exp": NOW - 60}, "(exp)", id="AU-02-exp"),
        pytest.param({"exp": ...}, "(exp)", id="AU-02-exp-missing"),
        pytest.param({"exp": str(NOW + 600)}, "(exp)", id="AU-02-exp-text"),
        pytest.param({"exp": True}, "(exp)", id="AU-02-exp-bool"),
        pytest.param({"exp": math.inf}, "(exp)", id="AU-02-exp-infinite"),
        pytest.param({"exp": math.nan}, "(exp)", id="AU-02-exp-nan"),
        pytest.param({"iat": NOW + 61}, "(iat)", id="AU-02-iat"),
        pytest.param({"iat": ...}, "(iat)", id="AU-02-iat-missing"),
        pytest.param({"nbf": NOW + 61}, "(nbf)", id="AU-02-nbf"),
        pytest.param({"nbf": None}, "(nbf)", id="AU-02-nbf-null"),
        pytest.param({"nonce": "other"}, "(nonce)", id="AU-02-nonce"),
        pytest.param({"nonce": ...}, "(nonce)", id="AU-02-nonce-missing"),
        pytest.param({"nonce": ["the-nonce"]}, "(nonce)", id="AU-02-nonce-list"),
        pytest.param({"nonce": "\ud800"}, "(nonce)", id="AU-02-nonce-surrogate"),
        pytest.param({"sub": ...}, "(sub)", id="AU-02-sub-missing"),
        pytest.param({"sub": ""}, "(sub)", id="AU-02-sub-empty"),
        pytest.param({"sub": 5}, "(sub)", id="AU-02-sub-number"),
        pytest.param({"sub": "x" * 256}, "(sub)", id="AU-02-sub-long"),
    ],
)
def test_claims_refused(changes: dict[str, Any], text: str) -> None:
    # Not by PyJWT's encoder, which refuses some of them itself
    payload = encoded(claims(**changes))
    head = encoded({"alg": "RS256", "kid": "rsa1"})
    signature = rsa_signature(f"{head}.{payload}")
    with pytest.raises(IDTokenError) as caught:
        check(f"{head}.{payload}.{signature}")
    assert text in str(caught.value)


def rsa_signature(text: str) -> str:
    import jwt

    algorithm = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256)
    key: Any = private("rsa1")
    return encoded(algorithm.sign(text.encode(), key))


def hs256(header: dict[str, Any], secret: bytes) -> str:
    """A token "signed" with a public key as if it were a shared secret."""
    text = f"{encoded(header)}.{encoded(claims())}"
    return f"{text}.{encoded(hmac.digest(secret, text.encode(), 'sha256'))}"


def public_key_secrets() -> list[Any]:
    public = private("rsa1").public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = json.dumps(jwk("rsa1")).encode()
    return [pytest.param(secret, id=f"AU-03-{n}") for n, secret in enumerate((pem, der, text, b""))]


@pytest.mark.parametrize("secret", public_key_secrets())
@pytest.mark.parametrize("alg", ["HS256", "none", "None", "NONE", "nOnE", "RS257", ""])
def test_algorithm_confusion(secret: bytes, alg: str) -> None:
    with pytest.raises(IDTokenError, match="not allowed"):
        check(hs256({"alg": alg, "kid": "rsa1"}, secret))


def test_algorithm_of_another_key() -> None:
    """AU-03: the key decides as well."""
    token = sign(claims(), "rsa1", kid="ec1")
    with pytest.raises(IDTokenError, match="no such key"):
        check(token)
    header = read_header(token, ALLOWED)
    key = KEYS.find("ec1", "ES256")
    assert key is not None
    with pytest.raises(IDTokenError, match="the key it names"):
        verify(token, header, key, EXPECTED, NOW)


def test_AU_06_the_size_is_looked_at_first() -> None:
    head = encoded({"alg": "RS256"}) + "."
    allowed = head + "x" * (MAX_TOKEN - len(head) - 1) + "."
    assert len(allowed) == MAX_TOKEN
    assert read_header(allowed, ALLOWED).algorithm == "RS256"
    with pytest.raises(IDTokenError, match="bearable size"):
        read_header(allowed + "x", ALLOWED)


def test_not_configured() -> None:
    with pytest.raises(IDTokenError, match="not allowed"):
        read_header(sign(claims()), ["ES256"])


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param({"jwk": jwk("rsa2")}, id="AU-04-jwk"),
        pytest.param({"jku": "https://evil.example/jwks"}, id="AU-04-jku"),
        pytest.param({"x5u": "https://evil.example/cert"}, id="AU-04-x5u"),
        pytest.param({"x5c": ["AAAA"]}, id="AU-04-x5c"),
    ],
)
def test_embedded_keys_are_not_looked_at(extra: dict[str, Any]) -> None:
    with pytest.raises(IDTokenError, match="signature"):
        check(sign(claims(), "rsa2", kid="rsa1", **extra))


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"crit": ["exp"], "exp": 1}, id="AU-04-crit"),
        pytest.param({"crit": []}, id="AU-04-crit-empty"),
        pytest.param({"b64": False, "crit": ["b64"]}, id="AU-04-b64"),
        pytest.param({"enc": "A128GCM"}, id="AU-06-jwe"),
        pytest.param({"kid": 5}, id="kid-number"),
    ],
)
def test_headers_refused(header: dict[str, Any]) -> None:
    text = f"{encoded({'alg': 'RS256', 'kid': 'rsa1', **header})}.{encoded(claims())}"
    with pytest.raises(IDTokenError, match=r"extensions|no readable key"):
        check(f"{text}.{rsa_signature(text)}")


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="empty"),
        pytest.param("a.b", id="two-parts"),
        pytest.param("a.b.c.d.e", id="AU-06-five-parts"),
        pytest.param("." * 10_000, id="AU-06-10000-parts"),
        pytest.param("a" * (MAX_TOKEN + 1) + "..", id="AU-06-huge"),
        pytest.param("..", id="no-header"),
        pytest.param("!!.b.c", id="no-base64"),
        pytest.param("é.b.c", id="not-ascii"),
        pytest.param(encoded([]) + ".b.c", id="list"),
        pytest.param(encoded(b"[" * 9000) + ".b.c", id="nested"),
        pytest.param(encoded({"alg": ["RS256"]}) + ".b.c", id="alg-list"),
        pytest.param(encoded({"alg": "RS256"}) + "=.b.c", id="padding"),
    ],
)
def test_no_tokens(token: str) -> None:
    with pytest.raises(IDTokenError):
        check(token)


def test_changed_payload_and_signature() -> None:
    head, payload, signature = sign(claims()).split(".")
    for forged in (
        f"{head}.{encoded(claims(sub='eve'))}.{signature}",
        f"{head}.{payload}.{signature[::-1]}",
        f"{head}.{payload}.",
        f"{head}.{payload}.!!",
        f"{head}.!!.{signature}",
    ):
        with pytest.raises(IDTokenError, match="signature"):
            check(forged)


@pytest.mark.parametrize(
    ("name", "alg", "digest"),
    [("rsa1", "RS256", "sha256"), ("ec1", "ES256", "sha256"), ("ed1", "EdDSA", "sha512")],
)
def test_access_token_hash(name: str, alg: str, digest: str) -> None:
    made = hashlib.new(digest, b"the-access-token").digest()
    half = base64.urlsafe_b64encode(made[: len(made) // 2]).rstrip(b"=").decode()
    expected = Expected(issuer=ISSUER, client_id="me", access_token="the-access-token")
    assert check(sign(claims(at_hash=half), name, alg), expected)
    assert check(sign(claims(), name, alg), expected)
    for wrong in ("AAAA", 5, "é"):
        with pytest.raises(IDTokenError, match="at_hash"):
            check(sign(claims(at_hash=wrong), name, alg), expected)


def test_max_age() -> None:
    expected = Expected(issuer=ISSUER, client_id="me", max_age=100)
    assert check(sign(claims(auth_time=NOW - 159)), expected)
    for when in (NOW - 161, ..., "x"):
        with pytest.raises(IDTokenError, match="auth_time"):
            check(sign(claims(auth_time=when)), expected)


def test_real_clock() -> None:
    now = time.time()
    token = sign(claims(exp=now + 10, iat=now))
    header = read_header(token, ["RS256"])
    key = KEYS.find(header.key_id, header.algorithm)
    assert key is not None
    assert verify(token, header, key, EXPECTED)["sub"] == "ada"


def test_no_secret_in_repr() -> None:
    expected = Expected(issuer="i", client_id="c", nonce="the-nonce", access_token="the-token")
    assert "the-" not in repr(expected)


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda data: encoded(data) + ".e30.e30"))
def test_any_text(token: str) -> None:
    with pytest.raises(AuthError):
        check(token)
