"""Frames in, events out: every rule of RFC 6455 section 5, in three ways of cutting the bytes."""

from __future__ import annotations

import time
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.utils import apply_mask
from ws_support import MASK, SPLITS, close, frame, text

from cyclone.websocket._compression import Deflate
from cyclone.websocket._frames import Closed, Control, Event, Failed
from cyclone.websocket._parser import FrameParser

LIMIT = 1000


def deflated(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def parser(compressed: bool = False, limit: int = LIMIT, masked: bool = True) -> FrameParser:
    deflate = Deflate(PerMessageDeflate(False, False, 15, 15)) if compressed else None
    return FrameParser(masked=masked, max_size=limit, deflate=deflate)


def feed(
    data: bytes, split: str = "whole", compressed: bool = False, limit: int = LIMIT
) -> list[Event]:
    reader = parser(compressed, limit)
    return [event for piece in SPLITS[split](data) for event in reader.receive(piece)]


def big(size: int) -> bytes:
    """The head of a text frame that announces ``size`` bytes in the 64 bit form."""
    return b"\x81\xff" + size.to_bytes(8, "big") + MASK


GOOD: dict[str, tuple[bytes, list[Any]]] = {
    "text": (text("hello"), ["hello"]),
    "empty text": (text(""), [""]),
    "binary": (frame(0x82, b"\x00\xff"), [b"\x00\xff"]),
    "empty binary": (frame(0x82), [b""]),
    "two in one": (text("a") + frame(0x82, b"b"), ["a", b"b"]),
    "125": (frame(0x81, b"x" * 125), ["x" * 125]),
    "126": (frame(0x81, b"x" * 126), ["x" * 126]),
    "limit": (frame(0x82, b"x" * LIMIT), [b"x" * LIMIT]),
    "utf-8": (text("κόσμε €𐍈"), ["κόσμε €𐍈"]),
    "fragments": (
        frame(0x01, b"one ") + frame(0x00, b"two ") + frame(0x80, b"three"),
        ["one two three"],
    ),
    "WS-20 delivered once": (frame(0x02, b"a") + frame(0x80, b"b"), [b"ab"]),
    "fragments that cut a character": (
        frame(0x01, "€".encode()[:1]) + frame(0x00, "€".encode()[1:2]) + frame(0x80, b"\xac"),
        ["€"],
    ),
    "empty fragments": (frame(0x01) + frame(0x00) + frame(0x00) + frame(0x80), [""]),
    "control between fragments": (
        frame(0x01, b"a") + frame(0x89, b"p") + frame(0x8A) + frame(0x80, b"b"),
        [Control(9, b"p"), Control(10, b""), "ab"],
    ),
    "ping of 125": (frame(0x89, b"p" * 125), [Control(9, b"p" * 125)]),
    "close": (close(1000, "bye"), [Closed(1000, "bye")]),
    "close without a code": (close(), [Closed(None, None)]),
    "close without a reason": (close(3000), [Closed(3000, None)]),
    "close of 125": (close(4999, "r" * 123), [Closed(4999, "r" * 123)]),
    "nothing after a close": (close(1001) + text("late") + b"\xff\xff", [Closed(1001, None)]),
}
BAD: dict[str, tuple[bytes, int]] = {
    "WS-08 unmasked": (frame(0x81, b"hello", None), 1002),
    "WS-08 continuation of nothing": (frame(0x80, b"x"), 1002),
    "WS-08 continuation after the end": (text("a") + frame(0x80, b"x"), 1002),
    "WS-08 new message inside fragments": (frame(0x01, b"x") + text("y"), 1002),
    "WS-08 new fragments inside fragments": (frame(0x01, b"x") + frame(0x02, b"y"), 1002),
    "WS-08 fragmented ping": (frame(0x09, b"x"), 1002),
    "WS-08 fragmented close": (frame(0x08), 1002),
    "WS-08 ping of 126": (frame(0x89, b"x" * 126), 1002),
    "WS-08 pong of 126": (frame(0x8A, b"x" * 126), 1002),
    "WS-08 close of 126": (frame(0x88, b"\x03\xe8" + b"x" * 124), 1002),
    **{
        f"WS-08 opcode {opcode:#x}": (frame(0x80 | opcode, b"x"), 1002)
        for opcode in (3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF)
    },
    "WS-08 length of 125 in 16 bits": (b"\x81\xfe\x00\x7d" + MASK + bytes(125), 1002),
    "WS-08 length of 65535 in 64 bits": (big(65535), 1002),
    "WS-08 negative length": (big(1 << 63), 1002),
    "WS-08 close of one byte": (frame(0x88, b"\x03"), 1002),
    **{
        f"WS-18 close code {code}": (close(code), 1002)
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    },
    "WS-08 close reason not UTF-8": (frame(0x88, b"\x03\xe8\xff"), 1007),
    "text not UTF-8": (frame(0x81, b"\xff"), 1007),
    "text with a surrogate": (frame(0x81, b"\xed\xa0\x80"), 1007),
    "text that ends in a character": (frame(0x81, b"\xe2\x82"), 1007),
    "fragments that end in a character": (frame(0x01, b"\xe2") + frame(0x80, b"\x82"), 1007),
    **{
        f"WS-07 RSV{bit} on {name}": (frame(first | (0x80 >> bit), b"x"), 1002)
        for bit in (1, 2, 3)
        for name, first in (
            ("text", 0x81),
            ("binary", 0x82),
            ("ping", 0x89),
            ("pong", 0x8A),
            ("close", 0x88),
        )
    },
    "WS-07 RSV1 on a continuation": (frame(0x01, b"x") + frame(0xC0, b"x"), 1002),
    "WS-06 limit + 1": (frame(0x82, b"x" * (LIMIT + 1)), 1009),
    "WS-06 limit + 2": (frame(0x82, b"x" * (LIMIT + 2)), 1009),
    "WS-06 limit + 1 in fragments": (frame(0x02, b"x" * LIMIT) + frame(0x80, b"x"), 1009),
    "WS-09 2 ** 40 announced": (big(1 << 40), 1009),
    "WS-11 1 GB announced": (big(1 << 30), 1009),
}


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("name", GOOD)
def test_good_frames(name: str, split: str) -> None:
    data, expected = GOOD[name]
    assert feed(data, split) == expected


@pytest.mark.parametrize("name", [*GOOD, *BAD])
def test_the_short_way_takes_one_good_message_and_nothing_else(name: str) -> None:
    data, expected = {**GOOD, **BAD}[name]
    alone = isinstance(expected, list) and data[0] in (0x81, 0x82) and len(expected) == 1
    reader = parser()
    assert reader.whole(data) == (expected[0] if alone else None)  # type: ignore[index]
    assert reader.receive(b"") == []


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 128, 4081, 4082, 65535, 65536, 65537])
@pytest.mark.parametrize("form", [0, 126, 127])
def test_the_short_way_knows_every_form_of_a_length(size: int, form: int) -> None:
    payload = bytes(range(33, 100)) * 1000
    payload = payload[:size]
    if (form == 0 and size > 125) or (form == 126 and size > 65535):
        return
    head = {
        0: bytes((0x80 | (size & 0x7F),)),
        126: b"\xfe" + (size & 0xFFFF).to_bytes(2, "big"),
        127: b"\xff" + size.to_bytes(8, "big"),
    }[form]
    data = b"\x82" + head + MASK + apply_mask(payload, MASK)
    shortest = form == (0 if size < 126 else 126 if size < 65536 else 127)
    for first, expected in ((b"\x82", payload), (b"\x81", payload.decode())):
        assert parser(limit=size).whole(first + data[1:]) == (expected if shortest else None)
    if size:
        assert parser(limit=size - 1).whole(data) is None
        assert parser(limit=size).whole(data[:-1]) is None
    assert parser(limit=size).whole(data + b"\x82") is None


@pytest.mark.parametrize("late", [text("late"), b"\xff\xff"], ids=["a message", "no frame"])
def test_nothing_comes_after_a_close_however_it_is_cut(late: bytes) -> None:
    data = close(1001, "bye") + late
    for cut in range(1, len(data)):
        reader = parser()
        events = reader.receive(data[:cut]) + reader.receive(data[cut:])
        assert events == [Closed(1001, "bye")], cut


@pytest.mark.parametrize(
    "before",
    [frame(0x01, b"x"), b"\x81", frame(0x82, b"xyz")[:-1], close(1000), frame(0x83)],
    ids=["fragments", "a head", "a payload", "a close", "a failure"],
)
def test_the_short_way_is_closed_while_something_is_under_way(before: bytes) -> None:
    reader = parser()
    reader.receive(before)
    assert reader.whole(text("x")) is None


def test_the_short_way_is_for_servers() -> None:
    assert parser(masked=False).whole(frame(0x81, b"hello", None)) is None


@given(
    first=st.sampled_from([0x81, 0x82, 0x89, 0x01, 0x80, 0xC1]),
    payload=st.one_of(st.binary(max_size=300), st.text(max_size=100).map(str.encode)),
    cut=st.integers(-3, 3),
)
def test_the_short_way_finds_what_the_long_one_does(first: int, payload: bytes, cut: int) -> None:
    data = frame(first, payload)
    data = data[:cut] if cut < 0 else data + bytes(cut)
    found = parser().whole(data)
    if found is not None:
        assert parser().receive(data) == [found]


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("name", BAD)
def test_bad_frames(name: str, split: str) -> None:
    data, code = BAD[name]
    events = feed(data + text("after"), split)
    assert isinstance(events[-1], Failed)
    assert events[-1].code == code
    assert len([event for event in events if isinstance(event, Failed)]) == 1


def test_what_came_before_a_bad_frame_is_delivered() -> None:
    assert feed(text("good") + frame(0x83))[0] == "good"


@pytest.mark.parametrize(
    ("pieces", "failing"),
    [
        pytest.param([frame(0x01, b"ok"), frame(0x00, b"\xf4\x90"), b""], 1, id="6.4.2"),
        pytest.param([frame(0x81, b"ok\xf4\x90" + b"x" * 9)[:9], b""], None, id="6.4.4 before"),
        pytest.param([frame(0x81, b"ok\xf4\x90" + b"x" * 9)[:10], b""], 0, id="6.4.4 at once"),
        pytest.param([frame(0x81, b"ok\xff" + b"x" * 9)[:9], b""], 0, id="6.4.3"),
    ],
)
def test_invalid_text_is_refused_as_soon_as_it_shows(
    pieces: list[bytes], failing: int | None
) -> None:
    reader = parser()
    found = None
    for index, piece in enumerate(pieces):
        if any(isinstance(event, Failed) for event in reader.receive(piece)):
            found = index
    assert found == failing


# --- compression ------------------------------------------------------------------------------


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(frame(0xC1, deflated(b"hello")), ["hello"], id="text"),
        pytest.param(frame(0xC2, deflated(b"\xff\x00")), [b"\xff\x00"], id="binary"),
        pytest.param(text("plain"), ["plain"], id="not compressed though negotiated"),
        pytest.param(
            frame(0x41, deflated(b"hello")[:3]) + frame(0x89) + frame(0x80, deflated(b"hello")[3:]),
            [Control(9, b""), "hello"],
            id="fragments",
        ),
        pytest.param(frame(0xC2, deflated(b"x" * LIMIT)), [b"x" * LIMIT], id="WS-06 limit"),
    ],
)
def test_compressed_frames(split: str, data: bytes, expected: list[Event]) -> None:
    assert feed(data, split, compressed=True) == expected


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(frame(0xC2, deflated(b"x" * (LIMIT + 1))), 1009, id="WS-06 limit + 1"),
        pytest.param(frame(0xC2, deflated(b"x" * (LIMIT + 2))), 1009, id="WS-06 limit + 2"),
        pytest.param(frame(0xC2, deflated(bytes(500_000))), 1009, id="WS-05 bomb"),
        pytest.param(
            frame(0x42, deflated(bytes(500_000))[:200]) + frame(0x80, b""),
            1009,
            id="WS-05 bomb in fragments",
        ),
        pytest.param(frame(0xC1, b"\xff\xff\xff\xff"), 1002, id="not deflate"),
        pytest.param(frame(0xC1, deflated(b"\xff")), 1007, id="not UTF-8"),
        pytest.param(frame(0xC9, b"x"), 1002, id="compressed ping"),
        pytest.param(frame(0x41, b"x") + frame(0xC0, b""), 1002, id="RSV1 on a continuation"),
        pytest.param(frame(0xA1, b"x"), 1002, id="RSV2"),
    ],
)
def test_bad_compressed_frames(split: str, data: bytes, code: int) -> None:
    events = feed(data, split, compressed=True)
    assert isinstance(events[-1], Failed)
    assert events[-1].code == code


def test_incompressible_data_of_the_size_of_the_limit_passes() -> None:
    data = bytes((i * 7919 + (i >> 3) * 104729) & 0xFF for i in range(LIMIT))
    stored = b"\x00" + LIMIT.to_bytes(2, "little") + (LIMIT ^ 0xFFFF).to_bytes(2, "little") + data
    assert feed(frame(0xC2, stored + b"\x00"), compressed=True) == [data]


def test_a_bomb_is_not_inflated() -> None:
    bomb = frame(0xC2, deflated(bytes(20_000_000)))
    tracemalloc.start()
    try:
        feed(bomb, compressed=True, limit=100_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


# --- the client's side ------------------------------------------------------------------------


def test_a_client_takes_unmasked_frames_and_no_others() -> None:
    assert parser(masked=False).receive(frame(0x81, b"hi", None)) == ["hi"]
    events = parser(masked=False).receive(text("hi"))
    assert events == [Failed(1002, "incorrect masking")]


# --- linear, bounded --------------------------------------------------------------------------


@pytest.mark.parametrize("first", [0x01, 0x02], ids=["text", "binary"])
def test_ws09_dribbled_payload_is_linear_and_small(first: int) -> None:
    size = 30_000
    data = frame(first | 0x80, b"x" * size)
    reader = parser(limit=1 << 20)
    tracemalloc.start()
    try:
        start = time.process_time()
        events = [event for i in range(len(data)) for event in reader.receive(data[i : i + 1])]
        used = time.process_time() - start
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(events) == 1
    assert peak < 3 * size + 50_000
    assert used < 8


def test_ws11_many_fragments_are_linear() -> None:
    def cost(count: int) -> float:
        data = frame(0x01, b"x") + frame(0x00, b"x") * count + frame(0x80)
        reader = parser(limit=1 << 20)
        start = time.process_time()
        assert reader.receive(data) == ["x" * (count + 1)]
        return time.process_time() - start

    assert cost(40_000) < 20 * (cost(5_000) + 0.01)


def test_ws09_empty_fragments_keep_nothing() -> None:
    reader = parser()
    reader.receive(frame(0x01))
    batch = frame(0x00) * 1000
    tracemalloc.start()
    try:
        for _ in range(20):
            assert reader.receive(batch) == []
        assert tracemalloc.get_traced_memory()[0] < 50_000
    finally:
        tracemalloc.stop()


def test_ws19_after_a_failure_everything_is_thrown_away() -> None:
    reader = parser()
    assert isinstance(reader.receive(frame(0x83))[0], Failed)
    tracemalloc.start()
    try:
        for _ in range(100):
            assert reader.receive(b"x" * 65536) == []
        assert tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()


# --- properties -------------------------------------------------------------------------------

messages = st.lists(st.one_of(st.text(max_size=300), st.binary(max_size=300)), max_size=6)


@settings(max_examples=60, deadline=None)
@given(messages, st.data())
def test_any_message_in_any_fragments_and_any_split(
    sent: list[str | bytes], data: st.DataObject
) -> None:
    wire = b""
    for message in sent:
        payload = message.encode() if isinstance(message, str) else message
        cuts = sorted(data.draw(st.sets(st.integers(0, len(payload)), max_size=3)))
        parts = [payload[a:b] for a, b in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
        opcode = 1 if isinstance(message, str) else 2
        for index, part in enumerate(parts):
            first = (0 if index else opcode) | (0x80 if index == len(parts) - 1 else 0)
            wire += frame(first, part, data.draw(st.binary(min_size=4, max_size=4)))
    reader = parser(limit=10_000)
    received = []
    while wire:
        size = data.draw(st.integers(1, len(wire)))
        received += reader.receive(wire[:size])
        wire = wire[size:]
    assert received == sent


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_fuzz_any_bytes_give_the_same_verdict_in_any_split(data: bytes, compressed: bool) -> None:
    whole, single, threes = (feed(data, split, compressed) for split in SPLITS)
    assert whole == single == threes
    assert all(isinstance(event, str | bytes | Control | Closed | Failed) for event in whole)


SEEDS = [data for data, _ in GOOD.values()] + [data for data, _ in BAD.values()]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SEEDS), st.integers(0, 400), st.integers(0, 255), st.booleans())
def test_fuzz_frames_with_one_byte_changed(
    seed: bytes, place: int, value: int, compressed: bool
) -> None:
    data = bytearray(seed)
    data[place % len(data)] = value
    whole, single, _ = (feed(bytes(data), split, compressed) for split in SPLITS)
    assert whole == single
