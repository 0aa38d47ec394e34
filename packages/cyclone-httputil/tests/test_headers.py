"""HTTPHeaders: semantics of a mapping, validation, speed that does not depend on the values."""

import copy
import pickle
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.httputil import HTTPHeaders, HTTPInputError, HTTPOutputError
from cyclone.httputil._headers import _MAX_CACHED_NAMES, _names, _raw_names


def seconds(call: Callable[[], object]) -> float:
    """CPU time of the fastest of three calls."""
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return best


@pytest.mark.parametrize(
    ("given_name", "stored"),
    [
        ("content-type", "Content-Type"),
        ("CONTENT-TYPE", "Content-Type"),
        ("etag", "Etag"),
        ("x-real-ip", "X-Real-Ip"),
        ("a", "A"),
        ("-a--b-", "-A--B-"),
        ("x_y", "X_y"),
        ("1a", "1a"),
    ],
)
def test_names_are_put_in_http_case(given_name: str, stored: str) -> None:
    headers = HTTPHeaders()
    headers[given_name] = "1"
    assert list(headers) == [stored]
    assert headers[given_name.upper()] == headers[given_name.lower()] == "1"
    assert given_name.swapcase() in headers


def test_the_constructors() -> None:
    expected = [("A", "b"), ("C", "d")]
    assert list(HTTPHeaders({"a": "b", "c": "d"}).get_all()) == expected
    assert list(HTTPHeaders(a="b", c="d").get_all()) == expected
    assert list(HTTPHeaders([("a", "b"), ("c", "d")]).get_all()) == expected
    assert list(HTTPHeaders(HTTPHeaders(a="b", c="d")).get_all()) == expected
    assert list(HTTPHeaders().get_all()) == []
    assert list(HTTPHeaders({"a": ["1", "2"]}).get_all()) == [("A", "1"), ("A", "2")]


def test_several_values_of_one_name() -> None:
    headers = HTTPHeaders({"content-type": "text/html"})
    headers.add("Set-Cookie", "A=B")
    headers.add("set-cookie", "C=D")
    assert headers["set-cookie"] == headers.get("SET-COOKIE") == "A=B,C=D"
    assert headers.get_list("set-cookie") == ["A=B", "C=D"]
    assert headers.get_list("content-type") == ["text/html"]
    assert headers.get_list("missing") == headers.get_list("not a name") == []
    assert sorted(headers.get_all()) == [
        ("Content-Type", "text/html"),
        ("Set-Cookie", "A=B"),
        ("Set-Cookie", "C=D"),
    ]
    assert len(headers) == 2
    headers["Set-Cookie"] = "E=F"
    assert headers.get_list("Set-Cookie") == ["E=F"]


def test_several_cookie_fields_are_one_list_of_cookies() -> None:
    """CK-02: joined with a comma, the second cookie would be part of the first one's value."""
    headers = HTTPHeaders()
    headers.add("Cookie", "a=1")
    headers.add("cookie", "b=2")
    assert headers["COOKIE"] == headers.get("cookie") == "a=1; b=2"
    assert headers.get_list("Cookie") == ["a=1", "b=2"]


def test_a_list_of_values_is_not_the_inner_one() -> None:
    headers = HTTPHeaders({"a": ["1", "2"]})
    headers.get_list("a").append("x\r\ny")
    assert headers.wire() == b"A: 1\r\nA: 2\r\n"


def test_missing_and_impossible_names() -> None:
    headers = HTTPHeaders()
    for name in ("missing", "not a name", ""):
        assert name not in headers
        assert headers.get(name) is None
        assert headers.get(name, "x") == "x"
        with pytest.raises(KeyError):
            headers[name]
        with pytest.raises(KeyError):
            del headers[name]
    assert object() not in headers
    assert headers.get("missing", 5) == headers.get(name="missing", default=5) == 5


def test_mapping_methods() -> None:
    headers = HTTPHeaders(foo="bar")
    assert headers.setdefault("FOO", "baz") == "bar"
    assert headers.setdefault("quux", "xyzzy") == "xyzzy"
    assert dict(headers) == {"Foo": "bar", "Quux": "xyzzy"}
    assert headers.pop("quux") == "xyzzy"
    assert headers.pop("quux", None) is None
    headers.update({"a": "1"}, b="2")
    headers.update([("c", "3")])
    headers.update(HTTPHeaders({"d": ["4", "5"]}))
    assert headers.get_list("d") == ["4", "5"]
    assert sorted(headers) == ["A", "B", "C", "D", "Foo"]
    headers.clear()
    assert not headers


def test_delete_with_and_without_several_values() -> None:
    headers = HTTPHeaders(foo="bar")
    headers.add("Set-Cookie", "a=b")
    headers.add("Set-Cookie", "c=d")
    del headers["FOO"], headers["set-cookie"]
    assert list(headers.get_all()) == []


@pytest.mark.parametrize(
    "duplicate",
    [
        pytest.param(HTTPHeaders.copy, id="method"),
        pytest.param(copy.copy, id="copy"),
        pytest.param(copy.deepcopy, id="deepcopy"),
        pytest.param(lambda h: pickle.loads(pickle.dumps(h)), id="pickle"),
        pytest.param(HTTPHeaders, id="constructor"),
        pytest.param(lambda h: HTTPHeaders.parse(str(h)), id="text"),
    ],
)
def test_copies_are_equal_and_independent(
    duplicate: Callable[[HTTPHeaders], HTTPHeaders],
) -> None:
    original = HTTPHeaders({"A": ["1", "2"], "B": ["c"]})
    twin = duplicate(original)
    assert twin == original
    assert list(twin.get_all()) == list(original.get_all())
    twin.add("A", "3")
    twin["B"] = "d"
    assert list(original.get_all()) == [("A", "1"), ("A", "2"), ("B", "c")]
    assert twin != original


def test_equality() -> None:
    assert HTTPHeaders(a="1") == HTTPHeaders(A="1") == {"A": "1"}
    assert HTTPHeaders({"a": ["1", "2"]}) == HTTPHeaders(a="1,2")
    assert HTTPHeaders(a="1") == {"a": "1"}
    assert HTTPHeaders({"B-C": "1"}) == {"b-c": "1"}
    assert HTTPHeaders(a="1") != {"a": "2"}
    assert HTTPHeaders(a="1") != {"a": "1", "b": "1"}
    assert HTTPHeaders(a="1") != {1: "1"}
    assert HTTPHeaders(a="1") != {"not a name": "1"}
    assert HTTPHeaders(a="1") != [("A", "1")]
    assert HTTPHeaders(a="1") != HTTPHeaders(a="2")
    assert HTTPHeaders() != 3
    with pytest.raises(TypeError):
        hash(HTTPHeaders())


def test_text_forms() -> None:
    headers = HTTPHeaders({"a": ["1", "2"], "b": ["caf\xe9"]})
    assert str(headers) == "A: 1\r\nA: 2\r\nB: caf\xe9\r\n"
    assert headers.wire() == b"A: 1\r\nA: 2\r\nB: caf\xe9\r\n"
    assert HTTPHeaders(a="1", b="2").wire() == b"A: 1\r\nB: 2\r\n"
    assert repr(HTTPHeaders(a="1")) == "HTTPHeaders([('A', '1')])"


BAD_VALUES = [
    pytest.param(value, id=name)
    for name, value in {
        "RI-01-crlf": "a\r\nY: b",
        "RI-01-lf": "a\nb",
        "RI-01-cr": "a\rb",
        "RI-01-nul": "a\x00",
        "RI-01-del": "a\x7f",
        "RI-01-esc": "\x1b[31m",
        "RI-01-final-lf": "a\n",
        "RI-01-above-latin-1": "\u0442\u0435\u0441\u0442",
        "RI-01-line-separator": "a\u2028b",
        "RI-01-surrogate": "a\udc80",
    }.items()
]
BAD_NAMES = [
    pytest.param(name, id=f"RI-01-{name!r}")
    for name in (
        "",
        "X\r\nY",
        "X Y",
        "X:",
        " X",
        "X ",
        "X\t",
        "X\x00",
        "\xe9",
        "X(",
        "X\n",
        "\u0131",
    )
]


@pytest.mark.parametrize("value", BAD_VALUES)
def test_bad_values_are_refused_everywhere(value: str) -> None:
    headers = HTTPHeaders()
    with pytest.raises(HTTPOutputError, match="Invalid header value"):
        headers["X"] = value
    with pytest.raises(HTTPOutputError):
        HTTPHeaders({"X": value})
    with pytest.raises(HTTPOutputError):
        HTTPHeaders(X=value)
    with pytest.raises(HTTPOutputError):
        headers.update({"X": ["a", value]})
    with pytest.raises(HTTPOutputError):
        headers.setdefault("X", value)
    with pytest.raises(HTTPInputError, match="Invalid header value"):
        headers.add("X", value)
    with pytest.raises(HTTPInputError):
        headers.parse_line(f"X: {value}")
    assert not headers


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_names_are_refused_everywhere(name: str) -> None:
    headers = HTTPHeaders()
    with pytest.raises(HTTPOutputError, match="Invalid header name"):
        headers[name] = "1"
    with pytest.raises(HTTPInputError, match="Invalid header name"):
        headers.add(name, "1")
    with pytest.raises(HTTPInputError):
        HTTPHeaders.from_raw([(name.encode(), b"1")])
    assert not headers


def test_errors_are_value_errors_and_short() -> None:
    for call in (HTTPHeaders().add, HTTPHeaders().__setitem__):
        with pytest.raises(ValueError, match="Invalid header value") as caught:
            call("X", "\n" * 10_000)
        assert len(str(caught.value)) < 500


def test_bytes_are_latin_1() -> None:
    headers = HTTPHeaders()
    headers["A"] = b"caf\xe9"  # type: ignore[assignment]
    headers.add("A", b"x")  # type: ignore[arg-type]
    assert headers.get_list("A") == ["caf\xe9", "x"]
    with pytest.raises(HTTPOutputError):
        headers["A"] = b"a\r\nb"  # type: ignore[assignment]


def test_other_types_are_refused() -> None:
    headers = HTTPHeaders()
    with pytest.raises(TypeError, match="Content-Length"):
        headers["Content-Length"] = 5  # type: ignore[assignment]
    with pytest.raises(TypeError):
        headers.add("A", None)  # type: ignore[arg-type]


def test_add_refuses_outer_white_space() -> None:
    for value in (" a", "a ", "\ta", "a\t"):
        with pytest.raises(HTTPInputError):
            HTTPHeaders().add("X", value)
    HTTPHeaders().add("X", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\r\n", []),
        ("A: b", [("A", "b")]),
        ("A: b\r\n", [("A", "b")]),
        ("A: b\r\n\r\n", [("A", "b")]),
        ("A:b\r\nC: \t d \t\r\nA: e\r\n", [("A", "b"), ("A", "e"), ("C", "d")]),
        ("A:\r\n", [("A", "")]),
        ("A: b:c\r\n", [("A", "b:c")]),
        pytest.param("A: caf\xe9\r\n", [("A", "caf\xe9")], id="H25"),
        pytest.param("A: \x85b\xa0\r\n", [("A", "\x85b\xa0")], id="SM-07-only-sp-and-htab"),
    ],
)
def test_parse(text: str, expected: list[tuple[str, str]]) -> None:
    assert list(HTTPHeaders.parse(text).get_all()) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Foo: bar\r\n\tasdf", id="SM-09-fold"),
        pytest.param(" Foo: bar\r\n", id="SM-09-leading-space"),
        pytest.param("A: b\nC: d\r\n", id="SM-11-bare-lf"),
        pytest.param("A: b\n", id="SM-11-lf-end"),
        pytest.param("A: b\rC: d\r\n", id="SM-10-bare-cr"),
        pytest.param("A: b\r\n\r\nC: d\r\n", id="SM-10-after-the-end"),
        pytest.param("NoColon\r\n", id="H14"),
        pytest.param(": x\r\n", id="SM-23-empty-name"),
        pytest.param("A : x\r\n", id="SM-08-space-before-colon"),
        pytest.param("X\x00A: 1\r\n", id="H17"),
        pytest.param("X(: 1\r\n", id="H19"),
        pytest.param("X-A: a\x00b\r\n", id="H20"),
        pytest.param("X-A: a\x01b\r\n", id="H23"),
        pytest.param("Content-Length\x85: 5\r\n", id="SM-07-name"),
    ],
)
def test_parse_refuses(text: str) -> None:
    with pytest.raises(HTTPInputError) as caught:
        HTTPHeaders.parse(text)
    assert caught.value.status_code == 400


def test_parse_line_adds() -> None:
    headers = HTTPHeaders()
    for line in ("Content-Type: text/html", "Content-Length: 42\r\n", "\r\n", ""):
        headers.parse_line(line)
    assert dict(headers) == {"Content-Type": "text/html", "Content-Length": "42"}


def test_from_raw() -> None:
    headers = HTTPHeaders.from_raw(
        [(b"HOST", b"x"), (b"cookie", b" a=b\t"), (b"x-y", b"caf\xe9"), (b"Cookie", b"c=d")]
    )
    assert list(headers.get_all()) == [
        ("Host", "x"),
        ("Cookie", "a=b"),
        ("Cookie", "c=d"),
        ("X-Y", "caf\xe9"),
    ]


def test_subclasses_stay_themselves() -> None:
    class Mine(HTTPHeaders):
        pass

    assert type(Mine(a="b").copy()) is Mine
    assert type(Mine.parse("a: b")) is Mine
    assert type(Mine.from_raw([])) is Mine


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda n: _add_many(n), id="CN-04-add"),
        pytest.param(lambda n: HTTPHeaders.parse("X: a\r\n" * n), id="CN-04-parse"),
        pytest.param(lambda n: HTTPHeaders.from_raw([(b"X", b"a")] * n), id="CN-04-raw"),
    ],
)
def test_repeated_headers_take_linear_time(build: Callable[[int], object]) -> None:
    build(100)
    assert seconds(lambda: build(100_000)) < 60 * seconds(lambda: build(5_000)) + 0.05


def _add_many(count: int) -> HTTPHeaders:
    headers = HTTPHeaders()
    for _ in range(count):
        headers.add("X", "bar")
    assert len(headers["X"]) == 4 * count - 1
    return headers


@pytest.mark.parametrize("value", ["\x10" * 60_000, "a " * 30_000, " " * 60_000 + "\x00"])
def test_hostile_values_take_linear_time(value: str) -> None:
    """CN-08: no pattern that backtracks."""

    def attempt() -> None:
        for _ in range(5):
            try:
                HTTPHeaders.parse(f"X: {value}\r\n")
            except HTTPInputError:
                continue

    assert seconds(attempt) < 0.5


def test_the_name_tables_are_bounded() -> None:
    """CN-14: clients choose header names."""
    headers = HTTPHeaders()
    for number in range(3 * _MAX_CACHED_NAMES):
        headers.get(f"X-{number}")
        HTTPHeaders.from_raw([(b"X-%d" % number, b"")])
        assert len(_names) <= _MAX_CACHED_NAMES
        assert len(_raw_names) <= _MAX_CACHED_NAMES
    headers.get("X" * 5000)
    assert "X" * 5000 not in _names
    assert _names["content-type"] == "Content-Type"


TOKENS = st.text(
    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1
)
VALUES = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f")
).map(lambda text: text.strip(" \t"))


@given(st.lists(st.tuples(TOKENS, VALUES)))
def test_what_is_written_is_read_back(pairs: list[tuple[str, str]]) -> None:
    headers = HTTPHeaders()
    for name, value in pairs:
        headers.add(name, value)
    again = HTTPHeaders.parse(headers.wire().decode("latin-1"))
    assert list(again.get_all()) == list(headers.get_all())
    raw = [(name.encode(), value.encode("latin-1")) for name, value in pairs]
    assert HTTPHeaders.from_raw(raw) == headers


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        headers = HTTPHeaders.parse(text)
    except HTTPInputError:
        return
    wire = headers.wire()
    assert (
        wire.count(b"\n") == wire.count(b"\r") == wire.count(b"\r\n") == len([*headers.get_all()])
    )
