"""The format of events: fields, lines, and what must not get into them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sse_support import Event, EventSource

from cyclone.sse._events import KEEP_ALIVE, encode_event

ENCODED = [
    ("text", ("hello",), b"data: hello\n\n"),
    ("empty", ("",), b"data: \n\n"),
    ("bytes", (b"gr\xc3\xbc\xc3\x9fe",), "data: grüße\n\n".encode()),
    ("dict", ({"a": [1]},), b'data: {"a": [1]}\n\n'),
    ("list", ([1], None, None, None, True), b"data: [1]\n\n"),
    ("order", ("x", "tick", "7", 5), b"id: 7\nevent: tick\nretry: 5\ndata: x\n\n"),
    ("bytes everywhere", (b"x", b"t\xc3\xa4g", b"7"), "id: 7\nevent: täg\ndata: x\n\n".encode()),
    ("zeros", ("x", None, 0, 0), b"id: 0\nretry: 0\ndata: x\n\n"),
    ("empty id", ("x", None, ""), b"id: \ndata: x\n\n"),
    ("retry as text", ("x", None, None, "3000"), b"retry: 3000\ndata: x\n\n"),
    ("LG-11 LF", ("a\n\ndata: evil",), b"data: a\ndata: \ndata: data: evil\n\n"),
    ("LG-11 CR", ("a\rid: 1",), b"data: a\ndata: id: 1\n\n"),
    ("LG-11 CRLF", ("a\r\nb\r\n",), b"data: a\ndata: b\ndata: \n\n"),
    ("other separators", ("a\u2028b\x0bc\x85",), "data: a\u2028b\x0bc\x85\n\n".encode()),
]


@pytest.mark.parametrize(
    ("arguments", "expected"), [each[1:] for each in ENCODED], ids=[each[0] for each in ENCODED]
)
def test_encoded(arguments: tuple[Any, ...], expected: bytes) -> None:
    assert encode_event(*arguments) == expected


REFUSED = [
    ("LG-11 event LF", ("x", "x\nid: 1"), ValueError),
    ("LG-11 event CR", ("x", "x\rid: 1"), ValueError),
    ("LG-11 event NUL", ("x", "x\0"), ValueError),
    ("LG-11 id LF", ("x", None, "1\n"), ValueError),
    ("LG-11 id CR", ("x", None, "1\r"), ValueError),
    ("LG-11 id NUL", ("x", None, "1\0"), ValueError),
    ("LG-11 event bytes", ("x", b"x\nid: 1"), ValueError),
    ("event no UTF-8", ("x", b"\xff"), ValueError),
    ("retry negative", ("x", None, None, -1), ValueError),
    ("retry fraction", ("x", None, None, 1.5), ValueError),
    ("retry injected", ("x", None, None, "1\nid: 2"), ValueError),
    ("retry other digits", ("x", None, None, "\u0663"), ValueError),
    ("retry empty", ("x", None, None, ""), ValueError),
    ("no UTF-8", (b"\xff",), ValueError),
    ("surrogate", ("\ud800",), ValueError),
    ("number", (1,), TypeError),
    ("nothing", (None,), TypeError),
    ("list", ([1],), TypeError),
]


@pytest.mark.parametrize(
    ("arguments", "error"), [each[1:] for each in REFUSED], ids=[each[0] for each in REFUSED]
)
def test_refused(arguments: tuple[Any, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        encode_event(*arguments)


def test_a_list_says_how_it_could_be_sent() -> None:
    with pytest.raises(TypeError, match="serialize_lists"):
        encode_event([1])


def test_an_encoder_put_in_the_place_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cyclone.escape.json_encode", lambda value: f"mine {sorted(value)}")
    assert encode_event({"a": object()}) == b"data: mine ['a']\n\n"


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NAME = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), min_size=1)


@given(st.lists(st.tuples(TEXT, st.none() | NAME, st.none() | NAME)), st.integers(1, 40))
def test_a_client_reads_what_was_sent(
    sent: list[tuple[str, str | None, str | None]], size: int
) -> None:
    stream = KEEP_ALIVE.join(encode_event(data, event, eid) for data, event, eid in sent)
    expected, last_id = [], ""
    for data, event, eid in sent:
        last_id = last_id if eid is None else eid
        lines = data.replace("\r\n", "\n").replace("\r", "\n")
        expected.append(Event(lines, event or "message", last_id))
    assert EventSource().feed(stream) == expected
    source, pieces = EventSource(), stream.decode()
    for start in range(0, len(pieces), size):
        source.feed(pieces[start : start + size].encode())
    assert source.events == expected


def test_many_lines_take_linear_time() -> None:
    def seconds(lines: int) -> float:
        message = "\r\n" * lines
        start = time.process_time()
        encode_event(message)
        return time.process_time() - start

    seconds(1000)
    assert seconds(200_000) < 200 * max(seconds(20_000), 0.001)
