"""Connections in memory."""

from __future__ import annotations

import pytest
from client_support import Waits, make_app, outcome

from cyclone.httpclient import HTTPProtocolError, HTTPStreamClosedError
from cyclone.testing import Client, MemoryConnection, _connection


@pytest.fixture
def client() -> Client:
    return Client(make_app())


@pytest.fixture
def connection(client: Client) -> MemoryConnection:
    return client.connect()


def test_it_stays_open_between_requests(client: Client, connection: MemoryConnection) -> None:
    for number in range(3):
        response = outcome(client.get(f"/echo?n={number}", connection=connection))
        assert response.json()["uri"] == f"/echo?n={number}"
    assert not connection.closed
    assert connection.received.count(b"HTTP/1.1 200 OK") == 3


def test_requests_may_be_pipelined(client: Client, connection: MemoryConnection) -> None:
    first = client.get("/waits", connection=connection)
    second = client.get("/old", connection=connection)
    assert not second.called
    Waits.waiting.pop().callback("first")
    assert (outcome(first).body, outcome(second).body) == (b"first", b"inline")


def test_raw_bytes(connection: MemoryConnection) -> None:
    for byte in b"GET /old HTTP/1.1\r\nHost: x\r\n\r\n":
        connection.send(bytes([byte]))
    assert connection.received.startswith(b"HTTP/1.1 200 OK\r\n")
    connection.send(b"\0\0\0\r\n\r\n")
    assert b"HTTP/1.1 400 " in connection.received
    assert connection.closed


def test_a_closed_connection_sends_nothing(client: Client, connection: MemoryConnection) -> None:
    connection.close()
    assert connection.closed
    with pytest.raises(HTTPStreamClosedError, match="is closed"):
        outcome(client.get("/echo", connection=connection))
    assert outcome(connection.when_closed()) is True


def test_when_closed(client: Client, connection: MemoryConnection) -> None:
    waiting = connection.when_closed()
    assert not waiting.called
    connection.lose(clean=False)
    assert outcome(waiting) is False


def test_the_client_leaves_in_a_request(client: Client, connection: MemoryConnection) -> None:
    Waits.gone.clear()
    pending = client.get("/waits", connection=connection)
    connection.lose(clean=False)
    with pytest.raises(HTTPStreamClosedError):
        outcome(pending)
    assert Waits.gone == ["gone"]
    Waits.waiting.pop().callback("")


def test_half_closed(client: Client, connection: MemoryConnection) -> None:
    pending = client.get("/waits", connection=connection)
    connection.half_close()
    assert not connection.closed
    Waits.waiting.pop().callback("still answered")
    assert outcome(pending).body == b"still answered"
    assert connection.closed


def test_a_stalled_client(client: Client, connection: MemoryConnection) -> None:
    connection.pause_reading()
    pending = client.get("/old", connection=connection)
    assert connection.received == b""
    connection.resume_reading()
    assert outcome(pending).body == b"inline"


def test_the_size_of_a_body_is_bounded(
    client: Client, connection: MemoryConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_connection, "MAX_BODY", 1000)
    with pytest.raises(HTTPProtocolError, match="more than 1000 bytes"):
        outcome(client.post("/echo", body="x" * 2000, connection=connection))
    assert connection.closed


def test_a_server_that_speaks_something_else(client: Client) -> None:
    connection = client.connect()
    pending = client.get("/waits", connection=connection)
    connection.transport.write(b"220 smtp ready\r\n\r\n")
    with pytest.raises(HTTPProtocolError, match="no status line"):
        outcome(pending)
    assert connection.closed
    Waits.waiting.pop().callback("")


def test_a_server_that_refuses_connections() -> None:
    class Full:
        def buildProtocol(self, address: object) -> None:
            return None

    from cyclone.testing._pump import Pump

    with pytest.raises(HTTPStreamClosedError, match="accepts no connection"):
        MemoryConnection(Full(), Pump())


def test_each_has_a_port_of_its_own(client: Client) -> None:
    ports = {client.connect().transport.getPeer().port for _ in range(5)}
    assert len(ports) == 5
