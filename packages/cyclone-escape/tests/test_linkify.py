"""Links in plain text."""

import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.escape import linkify, xhtml_escape

_LONG = "http://a-rather-long-domain-name.example.com/first-segment/second?x=1"


def _a(href: str, shown: str | None = None, extra: str = "") -> str:
    return f'<a href="{href}"{extra}>{shown or href}</a>'


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("see http://x.com/!", {}, f"see {_a('http://x.com/')}!"),
        ("http://x.com/?a=1&b=2", {}, _a("http://x.com/?a=1&amp;b=2")),
        ("(http://x.com/a_(b))", {}, f"({_a('http://x.com/a_(b)')})"),
        ("http://x.com/a(b", {}, f"{_a('http://x.com/a')}(b"),
        ("http://x.com...", {}, f"{_a('http://x.com')}..."),
        ("<http://x.com>", {}, f"&lt;{_a('http://x.com')}&gt;"),
        ('"http://x.com"', {}, f"&quot;{_a('http://x.com')}&quot;"),
        ("www.x.com", {}, _a("http://www.x.com", "www.x.com")),
        ("www.x.com", {"require_protocol": True}, "www.x.com"),
        ("awww.x.com", {}, "awww.x.com"),
        ("javascript:/alert(1)", {}, "javascript:/alert(1)"),
        ("ftp://x", {"permitted_protocols": {"ftp"}}, _a("ftp://x")),
        ("http:///", {}, _a("http:///")),
        ("http://", {}, _a("http://")),
        ("http:/", {}, "http:/"),
        ("http://u:p@x.com:80", {}, _a("http://u:p@x.com:80")),
        ("http://➡.ws/䨹", {}, _a("http://➡.ws/䨹")),
        (
            "www.x.com",
            {"extra_params": ' rel="x" '},
            _a("http://www.x.com", "www.x.com", ' rel="x"'),
        ),
        (
            "www.x.com",
            {"extra_params": lambda url: f'title="{len(url)}"'},
            _a("http://www.x.com", "www.x.com", ' title="16"'),
        ),
        (
            _LONG,
            {"shorten": True},
            _a(_LONG, "http://a-rather-long-domain-na...", f' title="{_LONG}"'),
        ),
        ("http://short.com", {"shorten": True}, _a("http://short.com")),
        (b"www.\xc3\xa9.com", {}, _a("http://www.é.com", "www.é.com")),
        ("", {}, ""),
    ],
)
def test_linkify(text: str | bytes, options: dict[str, Any], expected: str) -> None:
    assert linkify(text, **options) == expected


def test_shortening_keeps_the_host_and_the_start_of_the_path() -> None:
    url = "http://reallylong.com/link/that/exceedsthelenglimit.html"
    assert ">http://reallylong.com/link...</a>" in linkify(url, shorten=True)


def test_shortening_splits_no_entity() -> None:
    url = "http://example.com?aaaaaaaaa=b&ccccccccccccccccccccccccccc=d"
    shown = re.findall(r">(.*?)</a>", linkify(url, shorten=True))[0]
    assert re.fullmatch(r"(?:[^&]|&amp;)*", shown)


_PIECES = ["http://", "ftp:/", "www.", "a", "-", "&", '"', "(", ")", " ", ".", "x/", "<", "'", "é"]


@given(st.lists(st.sampled_from(_PIECES), max_size=30).map("".join))
def test_the_text_is_always_escaped_and_complete(text: str) -> None:
    linked = linkify(text)
    assert re.sub(r'<a href="[^"<>]*">|</a>', "", linked) == xhtml_escape(text)


@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    assert re.sub(r'<a href="[^"<>]*">|</a>', "", linkify(text)) == xhtml_escape(text)


_HOSTILE = [
    "a-", "http://a.", "www.", "(", "http://x(", "a:/", ".", "&", "http://", "-", "http://x(a:/",
    "www.a(", "www.a&", "http://a/(b)", "\"'", ":", "http://(", "a:///", "w", " www.a.",
    "http:/a(b",
]  # fmt: skip


@pytest.mark.parametrize("piece", _HOSTILE)
def test_a_megabyte_of_hostile_text_takes_linear_time(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    start = time.process_time()
    linkify(text)
    assert time.process_time() - start < 4


@given(st.lists(st.sampled_from([*_PIECES, ":", "/", ";"]), min_size=1, max_size=6).map("".join))
def test_repeating_anything_takes_linear_time(piece: str) -> None:
    text = piece * (20_000 // len(piece))
    start = time.process_time()
    linkify(text)
    assert time.process_time() - start < 1
