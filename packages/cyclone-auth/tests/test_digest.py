"""HTTP Digest: headers, answers, nonces."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.auth import digest_ha1
from cyclone.auth._digest import (
    MAX_HEADER,
    WINDOW,
    NonceBook,
    expected_response,
    matches,
    parse_digest,
)

RFC7616 = (
    'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", '
    "algorithm={algorithm}, "
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, '
    'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, '
    'response="{response}", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
RESPONSES = {
    "MD5": "8ca523f5e9506fed4657c9700eebdbec",
    "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
}
GOOD = RFC7616.format(algorithm="MD5", response=RESPONSES["MD5"])


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_rfc7616_section_3_9_1(algorithm: str) -> None:
    answer = parse_digest(RFC7616.format(algorithm=algorithm, response=RESPONSES[algorithm]))
    assert answer is not None
    assert (answer.username, answer.count, answer.algorithm) == ("Mufasa", 1, algorithm)
    ha1 = digest_ha1("Mufasa", "http-auth@example.org", "Circle of Life", algorithm)
    assert expected_response(answer, "GET", ha1, algorithm) == RESPONSES[algorithm]
    assert matches(answer, "GET", ha1, algorithm)
    assert not matches(answer, "POST", ha1, algorithm)
    assert not matches(answer, "GET", ha1[::-1], algorithm)
    assert not matches(answer, "GET", None, algorithm)
    assert RESPONSES[algorithm] not in repr(answer)


def test_nobody_has_the_secret_of_unknown_users() -> None:
    answer = parse_digest(GOOD)
    assert answer is not None
    guessed = expected_response(answer, "GET", "0" * 64, "MD5")
    forged = parse_digest(GOOD.replace(RESPONSES["MD5"], guessed))
    assert forged is not None
    assert not matches(forged, "GET", None, "MD5")


def test_unknown_algorithm() -> None:
    with pytest.raises(ValueError, match="CRC32"):
        digest_ha1("a", "b", "c", "CRC32")


def test_quoting_and_utf8() -> None:
    header = GOOD.replace('"Mufasa"', r'"Mu\"f\\asa ' + "é".encode().decode("latin-1") + '"')
    answer = parse_digest(header.replace("Digest ", "dIgEsT  "))
    assert answer is not None
    assert answer.username == 'Mu"f\\asa é'
    latin = parse_digest(GOOD.replace("Mufasa", "\xe9"))
    assert latin is not None
    assert latin.username == "é"
    quoted = parse_digest(GOOD.replace("nc=00000001", 'nc="0000000A"'))
    assert quoted is not None
    assert quoted.count == 10


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("", id="none"),
        pytest.param("Digest", id="alone"),
        pytest.param("Basic YTpi", id="basic"),
        pytest.param(GOOD.replace("qop=auth, ", ""), id="no-qop"),
        pytest.param(GOOD.replace("qop=auth", "qop=auth-int"), id="auth-int"),
        pytest.param(GOOD.replace("nc=00000001", "nc=1"), id="short-count"),
        pytest.param(GOOD.replace("nc=00000001", "nc=0000000g"), id="bad-count"),
        pytest.param(GOOD.replace('username="Mufasa", ', ""), id="no-username"),
        pytest.param(GOOD + ", userhash=true", id="userhash"),
        pytest.param(GOOD + ', nonce="other"', id="twice"),
        pytest.param(GOOD.replace('"Mufasa"', '"Mufasa'), id="unclosed"),
        pytest.param(GOOD.replace("Mufasa", "Mu\x00fasa"), id="control"),
        pytest.param(GOOD + ", ,", id="empty-parameter"),
        pytest.param(GOOD + ', x="' + "y" * MAX_HEADER + '"', id="endless"),
        pytest.param('Digest username="' + "\\" * 8000, id="R4-backslashes"),
        pytest.param("Digest " + "a=b," * 2000, id="many"),
    ],
)
def test_refused(header: str) -> None:
    assert parse_digest(header) is None


@given(st.text().map(lambda text: "Digest " + text))
def test_any_header(header: str) -> None:
    assert parse_digest(header) is None


def test_nonces() -> None:
    book, other = NonceBook("secret"), NonceBook("another secret")
    nonce = book.make("realm")
    assert nonce.isascii()
    assert '"' not in nonce
    assert book.is_ours(nonce, "realm")
    assert book.is_fresh(nonce, "realm")
    for wrong in (nonce[:-1] + "x", "", "x", "2|1:0|", "\xe9"):
        assert not book.is_ours(wrong, "realm")
    assert not book.is_ours(nonce, "other realm")
    assert not other.is_ours(nonce, "realm")
    assert NonceBook(b"secret").is_ours(nonce, "realm")
    stale = NonceBook("secret", seconds=-10)
    assert stale.is_ours(nonce, "realm")
    assert not stale.is_fresh(nonce, "realm")


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        pytest.param([1, 2, 3], [True, True, True], id="in-order"),
        pytest.param([1, 1, 2, 2], [True, False, True, False], id="replayed"),
        pytest.param([2, 1, 3, 1], [True, True, True, False], id="overtaken"),
        pytest.param([1, 100, 50, 50], [True, True, True, False], id="gaps"),
        pytest.param([1, 1000, 1, 900], [True, True, False, True], id="beyond-the-window"),
        pytest.param([1, 1000, 1000 - WINDOW], [True, True, False], id="edge-of-the-window"),
        pytest.param([0], [False], id="zero"),
        pytest.param([5000], [False], id="starts-too-late"),
        pytest.param([1, 2**32 - 1, 2**32 - 1], [True, True, False], id="largest"),
    ],
)
def test_counts(counts: list[int], expected: list[bool]) -> None:
    book = NonceBook("secret")
    assert [book.spend("nonce", count) for count in counts] == expected


@given(st.lists(st.integers(1, 40)))
def test_each_count_once(counts: list[int]) -> None:
    book: Any = NonceBook("secret")
    accepted = [count for count in counts if book.spend("nonce", count)]
    assert accepted == list(dict.fromkeys(counts))


def test_bounded() -> None:
    book = NonceBook("secret", capacity=10)
    for number in range(100):
        assert book.spend(str(number), 1)
    assert len(book) == 10
