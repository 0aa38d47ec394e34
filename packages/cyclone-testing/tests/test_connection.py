"""Connections in memory."""

from __future__ import annotations

import pytest
from client_support import Open, Waits, make_app, outcome

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


def test_responses_one_by_one(client: Client) -> None:
    connection = client.start("GET", "/old")
    client.start("HEAD", "/head", connection=connection)
    client.start("GET", "/open", connection=connection)
    old, head, streamed = connection.responses()
    assert (old.code, old.body, old.uri, old.complete) == (200, b"inline", "/old", True)
    assert (head.headers["X-Answer"], head.body, head.complete) == ("head", b"", True)
    assert (streamed.body, streamed.complete) == (b"first", False)
    assert b"".join(found.raw for found in (old, head, streamed)) == connection.received
    Open.current.finish("second")
    last = connection.responses()[-1]
    assert (last.body, last.complete) == (b"firstsecond", True)
    assert last.raw.endswith(b"6\r\nsecond\r\n0\r\n\r\n")
    assert connection.unasked == b""


def test_responses_to_raw_bytes(connection: MemoryConnection) -> None:
    assert connection.responses() == []
    connection.send(b"GET /old HTTP/1.1\r\nHost: x\r\n\r\n" * 3 + b"?\r\n\r\n")
    assert [found.code for found in connection.responses()] == [200, 200, 200, 400]
    assert connection.closed
    assert connection.clean


def test_a_response_that_ends_with_the_connection(client: Client) -> None:
    connection = client.start("GET", "/open", version="HTTP/1.0")
    assert not connection.responses()[0].complete
    Open.current.finish()
    assert connection.responses()[0].complete
    assert connection.clean


def test_a_response_that_breaks_off(client: Client) -> None:
    connection = client.start("GET", "/aborts")
    (found,) = connection.responses()
    assert (found.body, found.complete) == (b"part", False)
    assert connection.closed


def test_half_a_head_is_no_response(client: Client, connection: MemoryConnection) -> None:
    client.start("GET", "/waits", connection=connection)
    connection.transport.write(b"HTTP/1.1 200 OK\r\nX: ")
    assert connection.responses() == []
    Waits.waiting.pop().callback("")


def test_what_is_no_http_is_no_response(client: Client, connection: MemoryConnection) -> None:
    connection.transport.write(b"220 smtp ready\r\n\r\n")
    with pytest.raises(HTTPProtocolError):
        connection.responses()


def test_what_nobody_asked_for(client: Client, connection: MemoryConnection) -> None:
    connection.transport.write(b"early")
    client.start("GET", "/old", connection=connection)
    assert connection.unasked == b""
    connection.transport.write(b"HTTP/1.1 408 Too late\r\n\r\n")
    assert connection.unasked == b"HTTP/1.1 408 Too late\r\n\r\n"


def test_what_a_stalled_client_has_not_taken(client: Client, connection: MemoryConnection) -> None:
    connection.pause_reading()
    client.start("GET", "/old", connection=connection)
    assert (connection.received, connection.responses()) == (b"", [])
    assert connection.written.endswith(b"inline")
    connection.resume_reading()
    assert connection.written == connection.received


def test_whether_the_server_reads(connection: MemoryConnection) -> None:
    before = connection.server_paused
    connection.send(b"GET /waits HTTP/1.1\r\nHost: x\r\n\r\n" + b"x" * 100_000)
    assert (before, connection.server_paused) == (False, True)
    Waits.waiting.pop().callback("")


def test_much_is_received_in_linear_time(client: Client) -> None:
    connection = client.start("GET", "/open")
    for _ in range(500):
        Open.current.write(b"x" * 20_000)
        Open.current.flush()
    assert len(connection.responses()[0].body) == 10_000_005
    Open.current.finish()
