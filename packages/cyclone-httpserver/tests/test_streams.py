"""Producers: they write at the client's pace."""

# mypy: allow-untyped-calls, no-warn-unreachable

from __future__ import annotations

import pytest
from http_support import SlowClient, begin
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from cyclone.httpserver import HTTPRequest


@implementer(IPushProducer)
class Push:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def pauseProducing(self) -> None:
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        self.calls.append("resume")

    def stopProducing(self) -> None:
        self.calls.append("stop")


class TestProducers:
    def test_push(self) -> None:
        waiting: list[HTTPRequest] = []
        client = SlowClient(waiting.append)
        client.slow = False
        connection = begin(client, waiting)
        client.slow = True
        producer = Push()
        connection.registerProducer(producer, True)
        with pytest.raises(RuntimeError):
            connection.registerProducer(producer, True)
        connection.write(b"x")
        assert producer.calls == ["pause"]
        client.drain()
        assert producer.calls == ["pause", "resume"]
        connection.unregisterProducer()
        connection.write(b"x")
        client.drain()
        assert producer.calls == ["pause", "resume"]

    def test_pull(self) -> None:
        waiting: list[HTTPRequest] = []
        client = SlowClient(waiting.append)
        client.slow = False
        connection = begin(client, waiting)
        client.slow = True

        class Pull:
            left = 3

            def resumeProducing(self) -> None:
                if not self.left:
                    connection.unregisterProducer()
                    connection.finish()
                    return
                self.left -= 1
                connection.write(b"x")

            def stopProducing(self) -> None:
                raise AssertionError

        producer = Pull()
        connection.registerProducer(producer, False)
        for left in (2, 1, 0):
            client.clock.advance(0)
            client.clock.advance(0)
            assert producer.left == left
            client.drain()
        client.clock.advance(0)
        client.drain()
        assert client.received.endswith(b"1\r\nx\r\n0\r\n\r\n")

    def test_lost(self) -> None:
        waiting: list[HTTPRequest] = []
        client = SlowClient(waiting.append)
        connection = begin(client, waiting)
        producer = Push()
        connection.registerProducer(producer, True)
        client.hang_up()
        assert producer.calls == ["pause", "stop"]
        connection.registerProducer(producer, True)
        assert producer.calls == ["pause", "stop", "stop"]

    def test_goes_on_for_a_client_that_closed_its_side_F19(self) -> None:
        waiting: list[HTTPRequest] = []
        client = SlowClient(waiting.append)
        connection = begin(client, waiting)
        connection.write(b"x")
        client.drain()
        producer = Push()
        connection.registerProducer(producer, True)
        told = waiting[0].notifyFinish()
        connection.readConnectionLost()
        assert told.called
        assert "stop" not in producer.calls
        connection.write(b"the rest")
        connection.unregisterProducer()
        connection.finish()
        client.drain()
        assert client.received.endswith(b"8\r\nthe rest\r\n0\r\n\r\n")

    def test_is_stopped_when_such_a_client_waits_too_long_F19(self) -> None:
        waiting: list[HTTPRequest] = []
        client = SlowClient(waiting.append)
        client.slow = False
        connection = begin(client, waiting)
        producer = Push()
        connection.registerProducer(producer, True)
        connection.readConnectionLost()
        client.advance(6.5)
        assert client.wire.aborted
        client.hang_up()
        assert producer.calls == ["stop"]
