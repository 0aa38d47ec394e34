"""What waits for a slow reader: order, pieces, bounds."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from cyclone.websocket import WebSocketClosedError
from cyclone.websocket._outlet import PIECE, Outlet


class Sink:
    """A socket, its transport, and the connection above."""

    def __init__(self) -> None:
        self.room = 0
        self.sent = b""
        self.buffered = b""
        self.producer: Any = None
        self.broken = False
        self.calls: list[str] = []

    def send(self, data: bytes | memoryview) -> int:
        if self.broken or not self.room:
            raise OSError
        piece = bytes(data[: self.room])
        self.room -= len(piece)
        self.sent += piece
        return len(piece)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        assert self.producer is None
        self.producer = producer
        if not streaming:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:
        self.producer = None

    def write(self, data: bytes) -> None:
        assert len(data) <= PIECE
        self.buffered += data

    def drain(self, room: int = 0) -> None:
        """The kernel took what the transport had, and has ``room`` for more."""
        self.sent += self.buffered
        self.buffered = b""
        self.room = room
        self.producer.resumeProducing()

    def output_progressed(self) -> None:
        self.calls.append("progress")

    def output_drained(self) -> None:
        self.calls.append("drained")


def test_the_order_holds_and_pieces_are_bounded() -> None:
    sink = Sink()
    outlet = Outlet(sink, sink, sink.send)
    whole = bytes(range(256)) * 2000
    outlet.put(whole)
    assert outlet.size == len(whole)
    for _ in range(100):
        outlet.put(b"small")
    for _ in range(50):
        if not outlet.size:
            break
        sink.drain(1000)
    assert sink.sent == whole + b"small" * 100
    assert outlet.size == 0
    assert sink.calls[-1] == "drained"


def test_small_frames_leave_together() -> None:
    sink = Sink()
    outlet = Outlet(sink, sink, sink.send)
    outlet.put(b"first")
    for _ in range(1000):
        outlet.put(b"x" * 100)
    sink.drain()
    assert len(sink.buffered) > PIECE - 200


def test_waiting_for_the_size_to_fall() -> None:
    sink = Sink()
    outlet = Outlet(sink, sink, sink.send)
    outlet.put(bytes(200_000))
    fired: list[None] = []
    outlet.wait(32768).addCallback(fired.append)
    sink.drain(100_000)
    assert not fired
    sink.drain(100_000)
    assert fired == [None]


def test_a_transport_that_is_not_ours_pauses_and_resumes() -> None:
    sink = Sink()
    outlet = Outlet(sink, sink, None)
    outlet.open()
    outlet.put(b"one")
    assert sink.buffered == b"one"
    assert outlet.size == 0
    outlet.pauseProducing()
    outlet.put(b"two")
    assert outlet.size == 3
    outlet.resumeProducing()
    assert sink.buffered == b"onetwo"
    outlet.release()
    assert sink.producer is None


def test_a_loss_tells_those_who_wait_and_who_ask_later() -> None:
    sink = Sink()
    outlet = Outlet(sink, sink, sink.send)
    outlet.put(bytes(200_000))
    failures: list[Failure] = []
    early, late = outlet.wait(0), outlet.wait(0)
    early.addErrback(failures.append)
    outlet.stopProducing()
    outlet.fail()
    late.addErrback(failures.append)
    assert [failure.type for failure in failures] == [WebSocketClosedError] * 2


def test_who_asks_when_all_was_taken_need_not_wait() -> None:
    sink = Sink()
    outlet = Outlet(sink, sink, sink.send)
    outlet.put(b"x")
    waiter = outlet.wait(0)
    sink.drain(10)
    fired: list[None] = []
    waiter.addCallback(fired.append)
    assert fired == [None]


def test_what_waits_costs_little_more_than_its_bytes() -> None:
    """Small frames that nobody waits for, to a peer that does not read."""
    sink = Sink()
    outlet = Outlet(sink, sink, sink.send)
    outlet.put(b"first")
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(50_000):
            outlet.put(b"%06d" % number)
            outlet.wait(0)
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert used < 2 * outlet.size
    while outlet.size:
        sink.drain(PIECE)
    assert sink.sent == b"first" + b"".join(b"%06d" % number for number in range(50_000))


@pytest.mark.parametrize("method", ["addCallback", "addErrback", "addBoth", "addCallbacks"])
def test_all_ways_of_waiting_count(method: str) -> None:
    sink = Sink()
    outlet = Outlet(sink, sink, sink.send)
    outlet.put(b"x")
    waiter: Deferred[Any] = outlet.wait(0)
    getattr(waiter, method)(lambda result: result)
    outlet.fail()
    failures: list[Failure] = []
    waiter.addErrback(failures.append)
    assert len(failures) == 1
