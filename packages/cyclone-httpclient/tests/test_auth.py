"""Basic and Digest values, with the examples of RFC 7616 and RFC 7617."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.httpclient._auth import (
    MAX_CHALLENGE,
    Credentials,
    basic_credentials,
    check_mode,
    choose_digest,
    digest_credentials,
    parse_challenges,
)
from cyclone.httpclient._url import parse_url
from cyclone.httputil import HTTPHeaders


def test_basic_rfc_7617() -> None:
    assert basic_credentials("Aladdin", "open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert basic_credentials("test", "123\u00a3") == "Basic dGVzdDoxMjPCow=="
    composed = basic_credentials("jos\u00e9", "x")
    assert basic_credentials("jose\u0301", "x") == composed


@pytest.mark.parametrize(
    ("user", "password"), [("a:b", "c"), ("a\n", "c"), ("a", "c\r"), ("a", "\x7f")]
)
def test_basic_refuses(user: str, password: str) -> None:
    with pytest.raises(ValueError, match="user name"):
        basic_credentials(user, password)


RFC = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_digest_rfc_7616(algorithm: str, response: str) -> None:
    challenge = choose_digest([RFC.format(algorithm)])
    assert challenge is not None
    value = digest_credentials(
        challenge, "GET", "/dir/index.html", "Mufasa", "Circle of Life", cnonce=CNONCE
    )
    assert value == (
        'Digest username="Mufasa", realm="http-auth@example.org", '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", uri="/dir/index.html", '
        f'response="{response}", algorithm={algorithm}, '
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", qop=auth, nc=00000001, '
        f'cnonce="{CNONCE}"'
    )


def test_digest_without_qop_rfc_2069() -> None:
    challenge = choose_digest(['Digest realm="r", nonce="n"'])
    assert challenge is not None
    value = digest_credentials(challenge, "GET", "/", "u", "p")
    assert "qop" not in value
    assert "cnonce" not in value


def test_session_algorithms_userhash_and_names_beyond_ascii() -> None:
    challenge = choose_digest(
        ['Digest realm="r", nonce="n", algorithm=SHA-256-sess, userhash=true']
    )
    assert challenge is not None
    value = digest_credentials(challenge, "GET", "/", "\u00fc", "p", cnonce="c")
    assert "userhash=true" in value
    assert 'cnonce="c"' in value
    challenge = choose_digest(['Digest realm="r", nonce="n"'])
    assert challenge is not None
    assert "username*=UTF-8''%C3%BC" in digest_credentials(challenge, "GET", "/", "\u00fc", "p")


def test_CL_18_quotes_are_escaped_and_controls_refused() -> None:
    challenge = choose_digest(['Digest realm="a\\"b\\\\c", nonce="n"'])
    assert challenge is not None
    assert challenge.realm == 'a"b\\c'
    value = digest_credentials(challenge, "GET", '/"x', 'u"v', "p")
    assert 'username="u\\"v"' in value
    assert 'realm="a\\"b\\\\c"' in value
    assert 'uri="/\\"x"' in value
    with pytest.raises(ValueError, match="control"):
        digest_credentials(challenge, "GET", "/", "u\n", "p")


@pytest.mark.parametrize(
    ("values", "hash_name"),
    [
        ([RFC.format("MD5"), RFC.format("SHA-256")], "sha256"),
        ([RFC.format("MD5") + ", " + RFC.format("SHA-256")], "sha256"),
        (['Basic realm="x", ' + RFC.format("MD5")], "md5"),
        (['Digest realm="r"'], None),
        (['Digest nonce="n", algorithm=SHA-1'], None),
        (['Digest nonce="n", qop="auth-int"'], None),
        (['Basic realm="x"'], None),
        (["Negotiate abc=="], None),
        ([""], None),
        ([], None),
    ],
)
def test_the_strongest_is_chosen(values: list[str], hash_name: str | None) -> None:
    challenge = choose_digest(values)
    assert (challenge.hash_name if challenge else None) == hash_name


def test_parse_challenges() -> None:
    assert parse_challenges('A x=1, y="2,3", B, C z = "q\\"r"') == [
        ("a", {"x": "1", "y": "2,3"}),
        ("b", {}),
        ("c", {"z": 'q"r'}),
    ]
    assert parse_challenges("x" * (MAX_CHALLENGE + 1)) == []


@pytest.mark.parametrize("noise", ['a="', "a,", 'a="\\', "a=b ", "= "])
def test_linear(noise: str) -> None:
    begin = time.process_time()
    parse_challenges("D " + noise * (8000 // len(noise)))
    assert time.process_time() - begin < 1


@given(st.text(max_size=100))
def test_any_text(text: str) -> None:
    for scheme, params in parse_challenges(text):
        assert scheme == scheme.lower()
        assert isinstance(params, dict)


TARGET = parse_url("http://h/x")


def challenged(**parameters: str) -> HTTPHeaders:
    """The head of a 401 that asks for Digest."""
    given = {"realm": '"r"', "nonce": '"n"', "qop": '"auth"'} | parameters
    value = ", ".join(f"{name}={value}" for name, value in given.items())
    return HTTPHeaders({"WWW-Authenticate": f"Digest {value}"})


@pytest.mark.parametrize("mode", [None, "basic"])
def test_basic_needs_no_challenge(mode: str | None) -> None:
    credentials = Credentials("u", "p", mode)
    assert credentials.header("GET", TARGET) == basic_credentials("u", "p")
    assert not credentials.accept(challenged())


def test_digest_waits_for_a_challenge_and_counts() -> None:
    credentials = Credentials("u", "p", "digest")
    assert credentials.header("GET", TARGET) is None
    assert not credentials.accept(HTTPHeaders({"WWW-Authenticate": "Basic realm=r"}))
    assert credentials.header("GET", TARGET) is None
    assert credentials.accept(challenged())
    for count in (1, 2):
        value = credentials.header("GET", TARGET)
        assert value is not None
        assert f"nc={count:08}" in value


def test_a_second_challenge_is_only_answered_if_the_nonce_was_stale() -> None:
    credentials = Credentials("u", "p", "digest")
    assert credentials.accept(challenged())
    credentials.header("GET", TARGET)
    assert not credentials.accept(challenged(nonce='"m"'))
    assert credentials.accept(challenged(nonce='"m"', stale="true"))
    value = credentials.header("GET", TARGET)
    assert value is not None
    assert 'nonce="m"' in value
    assert "nc=00000001" in value
    assert not credentials.accept(challenged(stale="true"))


@pytest.mark.parametrize("make", [check_mode, lambda mode: Credentials("u", "p", mode)])
def test_unknown_modes(make: Callable[[str], object]) -> None:
    with pytest.raises(ValueError, match="auth_mode 'ntlm'"):
        make("ntlm")
