"""The Forwarded header and the addresses in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.httputil import forwarded_address, parse_forwarded


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("for=192.0.2.43", [{"for": "192.0.2.43"}]),
        ("For=192.0.2.43, FOR=198.51.100.17", [{"for": "192.0.2.43"}, {"for": "198.51.100.17"}]),
        (
            'for=192.0.2.60;proto=http; by=203.0.113.43;host="x:80"',
            [{"for": "192.0.2.60", "proto": "http", "by": "203.0.113.43", "host": "x:80"}],
        ),
        ('for="[2001:db8::1]:4711"', [{"for": "[2001:db8::1]:4711"}]),
        ('for="_a\\"b,c;d"', [{"for": '_a"b,c;d'}]),
        ("for=unknown", [{"for": "unknown"}]),
        ('for=""', [{"for": ""}]),
    ],
)
def test_parse(header: str, expected: list[dict[str, str]]) -> None:
    assert parse_forwarded(header) == expected


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        "x",
        "for",
        "for=",
        "for=[::1]",
        "for=a b",
        "for=1.2.3.4,",
        ",for=1.2.3.4",
        "for=1.2.3.4;",
        "for=1;for=2",
        'for="a',
        "for=1.2.3.4 proto=http",
        "for=1.2.3.4, , for=1.2.3.4",
        pytest.param("for=a," * 10_000 + "for=b", id="LG-05-entries"),
        pytest.param('for="' + "\\" * 100_000, id="LG-05-quote"),
    ],
)
def test_a_header_with_an_error_says_nothing(header: str) -> None:
    assert parse_forwarded(header) == []


@pytest.mark.parametrize(
    ("node", "address"),
    [
        ("1.2.3.4", "1.2.3.4"),
        (" 1.2.3.4 ", "1.2.3.4"),
        ("1.2.3.4:80", "1.2.3.4"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("[2001:DB8::1]:80", "2001:db8::1"),
        pytest.param("unknown", None, id="LG-05-unknown"),
        pytest.param("_hidden", None, id="LG-05-obfuscated"),
        pytest.param("1.2.3.4:x", None, id="LG-05-port"),
        pytest.param("[::1]80", None, id="LG-05-junk"),
        pytest.param("[::1", None, id="LG-05-unclosed"),
        pytest.param("1.2.3.4.5", None, id="LG-05-long"),
        pytest.param("\u0661.2.3.4", None, id="LG-05-unicode"),
        pytest.param("", None, id="LG-05-empty"),
        pytest.param("1" * 100_000, None, id="LG-05-huge"),
        pytest.param("evil\r\nX: y", None, id="LG-05-injection"),
    ],
)
def test_addresses(node: str, address: str | None) -> None:
    assert forwarded_address(node) == address


@given(st.text('for=by;,"\\[]:_a '))
def test_any_header(header: str) -> None:
    for element in parse_forwarded(header):
        assert element
        for name, value in element.items():
            assert name == name.lower()
            forwarded_address(value)


@given(st.lists(st.dictionaries(st.sampled_from(["for", "by", "host"]), st.text(), min_size=1)))
def test_what_is_quoted_is_read_back(elements: list[dict[str, str]]) -> None:
    def quoted(value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    header = ", ".join(
        ";".join(f"{name}={quoted(value)}" for name, value in element.items())
        for element in elements
    )
    assert parse_forwarded(header) == elements
