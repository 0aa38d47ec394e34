"""OAuth 1.0a signatures against RFC 5849's examples, and token answers."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.auth import ProviderError
from cyclone.auth._oauth1_signing import parse_token, protocol_parameters, signature

CONSUMER = {"key": "dpf43f3p2l4k3l03", "secret": "kd94hf93k423kf44"}


@pytest.mark.parametrize(
    ("method", "url", "parameters", "token", "expected"),
    [
        pytest.param(
            "GET",
            "http://photos.example.net/photos",
            {
                "file": "vacation.jpg",
                "size": "original",
                "oauth_consumer_key": "dpf43f3p2l4k3l03",
                "oauth_token": "nnch734d00sl2jdk",
                "oauth_signature_method": "HMAC-SHA1",
                "oauth_timestamp": "137131202",
                "oauth_nonce": "chapoH",
            },
            {"key": "nnch734d00sl2jdk", "secret": "pfkkdhi9sl3r4s00"},
            "MdpQcU8iPSUjWoN/UDMsK2sui9I=",
            id="rfc5849-1.2-resource",
        ),
        pytest.param(
            "post",
            "https://PHOTOS.example.net/initiate",
            {
                "oauth_consumer_key": "dpf43f3p2l4k3l03",
                "oauth_signature_method": "HMAC-SHA1",
                "oauth_timestamp": "137131200",
                "oauth_nonce": "wIjqoS",
                "oauth_callback": "http://printer.example.com/ready",
            },
            None,
            "74KNZJeDHnMBp0EMJ9ZHt/XKycU=",
            id="rfc5849-1.2-initiate",
        ),
        pytest.param(
            "POST",
            "https://photos.example.net/token",
            {
                "oauth_consumer_key": "dpf43f3p2l4k3l03",
                "oauth_token": b"hh5s93j4hdidpola",
                "oauth_signature_method": "HMAC-SHA1",
                "oauth_timestamp": "137131201",
                "oauth_nonce": "walatlh",
                "oauth_verifier": "hfdp7dh39dks9884",
            },
            {"key": b"hh5s93j4hdidpola", "secret": b"hdhd0244k9j7ao03"},
            "gKgrFCywp7rO0OXSjdot/IHF7IU=",
            id="rfc5849-1.2-token",
        ),
    ],
)
def test_rfc5849(method: str, url: str, parameters: Any, token: Any, expected: str) -> None:
    assert signature(method, url, parameters, CONSUMER, token) == expected


def test_rfc5849_base_string() -> None:
    """Section 3.4.1.1's request: a query, repeated names, empty values, odd characters."""
    url = "http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b"
    parameters = {
        "oauth_consumer_key": "9djdj82h48djs9d2",
        "oauth_token": "kkk9d7dh3k39sjv7",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": "137131201",
        "oauth_nonce": "7d8f3e4a",
        "c2": "",
        "a3": "2 q",
    }
    token = {"key": "kkk9d7dh3k39sjv7", "secret": "dh893hdasih9"}
    made = signature("POST", url, parameters, {"key": "k", "secret": "j49sk3j29djd"}, token)
    assert made == "r6/TJjbCOr97/+UU0NsvSne7s5g="
    several = {**parameters, "a3": ["2 q", "a"]}
    alone = url.replace("a3=a&", "")
    assert made == signature("POST", alone, several, {"key": "k", "secret": "j49sk3j29djd"}, token)


def test_protocol_parameters() -> None:
    one, two = protocol_parameters(CONSUMER), protocol_parameters(CONSUMER, {"key": b"t"})
    assert one["oauth_nonce"] != two["oauth_nonce"]
    assert 20 <= len(one["oauth_nonce"]) <= 30
    assert abs(int(one["oauth_timestamp"]) - time.time()) < 5
    assert "oauth_token" not in one
    assert two["oauth_token"] == "t"
    assert one["oauth_version"] == "1.0"


def test_parse_token() -> None:
    body = b"oauth_token=a%20b&oauth_token_secret=&screen_name=ada&key=evil&oauth_token=later\n"
    assert parse_token(body.replace(b"secret=", b"secret=s")) == {
        "key": "a b",
        "secret": "s",
        "screen_name": "ada",
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"oauth_token=a",
        b"oauth_token_secret=a",
        b"<html>",
        b"\xff=1",
        b"a=1&" * 101,
        b"oauth_token=a&oauth_token_secret=" + b"x" * 20_000,
    ],
)
def test_parse_token_refuses(body: bytes) -> None:
    with pytest.raises(ProviderError, match="no usable OAuth token"):
        parse_token(body)


@given(st.binary(max_size=200))
def test_parse_token_never_crashes(body: bytes) -> None:
    try:
        token = parse_token(body)
    except ProviderError:
        return
    assert set(token) >= {"key", "secret"}


@pytest.mark.parametrize("unit", ["%", "[", "(", "a@", "://"])
def test_linear(unit: str) -> None:
    """AU-10: no address takes long, whatever it looks like."""
    start = time.process_time()
    signature("GET", "https://a.example/x", {"oauth_callback": unit * 50_000}, CONSUMER)
    signature("GET", "https://a.example/" + unit.replace("[", "]") * 20_000, {}, CONSUMER)
    assert time.process_time() - start < 2
