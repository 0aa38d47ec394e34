"""Test doubles: a server in memory, with a clock of its own, and the wire probes."""

# mypy: allow-untyped-calls

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from cyclone.httpserver import HTTPConnection, HTTPRequest, HTTPServer
from cyclone.httputil import HTTPHeaders, ResponseStartLine

HEADERS = HTTPHeaders({"Content-Type": "text/plain"})
OK = ResponseStartLine("HTTP/1.1", 200, "OK")


class Wire(StringTransport):
    """A transport in memory that knows how it was closed."""

    def __init__(self, peer: Any = None) -> None:
        super().__init__(peerAddress=peer)
        self.write_closed = False
        self.aborted = False

    def loseWriteConnection(self) -> None:
        self.write_closed = True

    def abortConnection(self) -> None:
        self.aborted = True
        self.disconnecting = True

    @property
    def closing(self) -> bool:
        """Whether the server wants no more."""
        return self.disconnecting or self.write_closed or self.aborted


class Client:
    """A client of an `HTTPServer`, in memory. Time passes with `advance`."""

    def __init__(
        self,
        callback: Any = None,
        *,
        server: HTTPServer | None = None,
        peer: Any = None,
        **options: Any,
    ) -> None:
        self.requests: list[HTTPRequest] = []
        self.clock = Clock()
        if server is None:
            server = HTTPServer(
                callback or self.echo,
                reactor=self.clock,
                monotonic=self.clock.seconds,
                **options,
            )
        self.server = server
        self.wire = Wire(peer)
        protocol = server.buildProtocol(None)
        assert protocol is not None
        self.connection: HTTPConnection = protocol
        self.connection.makeConnection(self.wire)
        self.lost = False

    def echo(self, request: HTTPRequest) -> None:
        """The usual handler: the path and the size of the body."""
        self.requests.append(request)
        body = f"{request.path} {len(request.body)}".encode()
        request.connection.write_response(request, 200, None, HEADERS, body)

    def send(self, *segments: bytes) -> bytes:
        """Send segments while the server listens; returns everything that came back so far."""
        for segment in segments:
            if self.wire.disconnecting or self.lost:
                break
            self.connection.dataReceived(segment)
        return self.received

    @property
    def received(self) -> bytes:
        return bytes(self.wire.value())

    def take(self) -> bytes:
        """What came back since the last time."""
        value = bytes(self.wire.value())
        self.wire.clear()
        return value

    def advance(self, seconds: float) -> None:
        """Let time pass in steps, as a reactor would."""
        steps = max(1, round(seconds * 2))
        self.clock.pump([seconds / steps] * steps)

    def hang_up(self, clean: bool = True) -> None:
        """The connection is gone."""
        self.lost = True
        reason = ConnectionDone() if clean else ConnectionLost()
        self.connection.connectionLost(Failure(reason))

    @property
    def statuses(self) -> list[int]:
        """The status codes that came back, in order (answers whose bodies have a length)."""
        return statuses(self.received)


class SlowClient(Client):
    """A client that takes nothing until it is told to; the transport says so (as TLS does)."""

    def __init__(self, callback: Any, **options: Any) -> None:
        super().__init__(callback, **options)
        self.slow = True
        write = self.wire.write

        def slow_write(data: bytes) -> None:
            write(data)
            producer = self.wire.producer
            if self.slow and producer is not None:
                producer.pauseProducing()

        self.wire.write = slow_write  # type: ignore[method-assign]

    def drain(self) -> None:
        """Take what the transport has."""
        producer: Any = self.wire.producer
        if producer is not None:
            producer.resumeProducing()


def begin(client: Client, waiting: list[HTTPRequest]) -> Any:
    client.send(G + H + b"\r\n")
    connection = waiting[0].connection
    connection.write_headers(OK, HTTPHeaders())
    return connection


def statuses(data: bytes) -> list[int]:
    """The status codes of a stream of responses."""
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", data)]


def whole(data: bytes) -> list[bytes]:
    return [data]


def bytewise(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


def linewise(data: bytes) -> list[bytes]:
    """Cut behind each CRLF."""
    return [part for part in re.split(rb"(?<=\r\n)", data) if part]


SPLITS: dict[str, Callable[[bytes], list[bytes]]] = {
    "whole": whole,
    "bytewise": bytewise,
    "linewise": linewise,
}

G = b"GET / HTTP/1.1\r\n"
P = b"POST / HTTP/1.1\r\n"
H = b"Host: x\r\n"
TC = b"Transfer-Encoding: chunked\r\n"
S = b"GET /smug HTTP/1.1\r\nHost: x\r\n\r\n"

REJECT = "reject"
#: Never a request for the handler; an error or silence.
NEVER = "never"


def _te(value: bytes, body: bytes = b"0\r\n\r\n") -> bytes:
    return P + H + b"Transfer-Encoding: " + value + b"\r\n\r\n" + body


def _chunks(body: bytes) -> bytes:
    return P + H + TC + b"\r\n" + body


def _length(value: bytes, body: bytes = b"abc") -> bytes:
    return P + H + b"Content-Length: " + value + b"\r\n\r\n" + body


def _host(value: bytes) -> bytes:
    return G + b"Host: " + value + b"\r\n\r\n"


def _field(line: bytes) -> bytes:
    return G + H + line + b"\r\n\r\n"


def _line(line: bytes) -> bytes:
    return line + b"\r\n" + H + b"\r\n"


#: id -> (bytes, verdict): REJECT, NEVER, or how many requests are served.
PROBES: dict[str, tuple[bytes, str | int]] = {
    "S01": (P + H + b"Content-Length: 0\r\nContent-Length: 31\r\n\r\n" + S, REJECT),
    "S02": (P + H + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", REJECT),
    "S03": (_length(b"3, 3"), REJECT),
    "S04": (_length(b"+3"), REJECT),
    "S05": (_length(b"-3"), REJECT),
    "S06": (_length(b"1_0", b"abcdefghij"), REJECT),
    "S07": (_length(b"0x3"), REJECT),
    "S08": (P + H + b"Content-Length:\r\n\r\n", REJECT),
    "S09": (_length(b"3x"), REJECT),
    "S10": (_length(b"\x0b3"), REJECT),
    "S11": (_length(b"\xa03"), REJECT),
    "S12": (_length("٣".encode()), REJECT),
    "S13": (_length(b"9" * 5000, b""), REJECT),
    "S14": (_length(b"18446744073709551619"), REJECT),
    "S15": (_length(b"003"), 1),
    "S16": (_length(b"\t3\t"), 1),
    "S17": (P + H + b"Content-Length : 3\r\n\r\nabc", REJECT),
    "S18": (P + H + b"Content-Length\t: 3\r\n\r\nabc", REJECT),
    "S19": (P + H + b"Content_Length: 31\r\n\r\n" + S, 2),
    "S20": (G + H + b"Content-Length: 31\r\n\r\n" + S, 1),
    "S21": (b"HEAD / HTTP/1.1\r\n" + H + b"Content-Length: 31\r\n\r\n" + S, 1),
    "S22": (b"OPTIONS / HTTP/1.1\r\n" + H + TC + b"\r\n3\r\nabc\r\n0\r\n\r\n", 1),
    "T01": (P + H + b"Content-Length: 4\r\n" + TC + b"\r\n0\r\n\r\n" + S, REJECT),
    "T02": (P + H + TC + b"Content-Length: 4\r\n\r\n0\r\n\r\n" + S, REJECT),
    "T03": (P + H + TC + TC + b"\r\n1\r\nZ\r\n0\r\n\r\n", REJECT),
    "T04": (_te(b"chunked, chunked", b"1\r\nZ\r\n0\r\n\r\n"), REJECT),
    "T05": (_te(b"identity"), REJECT),
    "T06": (_te(b"chunked, identity"), REJECT),
    "T07": (_te(b"identity, chunked"), REJECT),
    "T08": (_te(b"gzip"), REJECT),
    "T09": (_te(b"gzip, chunked"), REJECT),
    "T10": (_te(b"xchunked"), REJECT),
    "T11": (_te(b"chunkedx"), REJECT),
    "T12": (_te(b"chunked;q=1"), REJECT),
    "T13": (_te(b'"chunked"'), REJECT),
    "T14": (_te(b"\x0bchunked"), REJECT),
    "T15": (_te(b"\xa0chunked"), REJECT),
    "T16": (_te(b"chun\xe2\x84\xaaed"), REJECT),
    "T17": (P + H + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", REJECT),
    "T18": (P + H + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", REJECT),
    "T19": (_field(b"X-A: a\r\n b"), REJECT),
    "T20": (_chunks(b"3\r\nabc\r\n0\r\n\r\n"), 1),
    "T21": (
        b"POST / HTTP/1.0\r\n"
        + H
        + b"Connection: keep-alive\r\n"
        + TC
        + b"\r\n3\r\nabc\r\n0\r\n\r\n",
        REJECT,
    ),
    "T22": (P + H + b"Transfer-Encoding:\r\n\r\n0\r\n\r\n", REJECT),
    "T23": (_te(b", chunked"), REJECT),
    "T24": (P + H + b"Transfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 1),
    "T25": (P + H + b"X-Abc: \rx" + TC + b"\r\n1\r\nA\r\n0\r\n\r\n", REJECT),
    "C01": (_chunks(b"+3\r\nabc\r\n0\r\n\r\n"), REJECT),
    "C02": (_chunks(b"-1\r\nabc\r\n0\r\n\r\n"), REJECT),
    "C03": (_chunks(b"0x3\r\nabc\r\n0\r\n\r\n"), REJECT),
    "C04": (_chunks(b"0_2e\r\nabc\r\n0\r\n\r\n"), REJECT),
    "C05": (_chunks(b"\r\nabc\r\n0\r\n\r\n"), REJECT),
    "C06": (_chunks(b" 3\r\nabc\r\n0\r\n\r\n"), REJECT),
    "C07": (_chunks(b"3 \r\nabc\r\n0\r\n\r\n"), REJECT),
    "C08": (_chunks(b"3\nabc\r\n0\r\n\r\n"), REJECT),
    "C09": (_chunks(b"3\r\nabc\n0\r\n\r\n"), REJECT),
    "C10": (_chunks(b"3\r\nabc0\r\n\r\n"), REJECT),
    "C11": (_chunks(b"3\r\nabcd\r\n0\r\n\r\n"), REJECT),
    "C12": (_chunks(b"3\r\nabc\r\n0\n\n"), REJECT),
    "C13": (_chunks(b"g\r\nabc\r\n0\r\n\r\n"), REJECT),
    "C14": (_chunks(b"10000000000000003\r\nabc\r\n0\r\n\r\n"), REJECT),
    "C15": (_chunks(b"3;a=b\r\nabc\r\n0\r\n\r\n"), 1),
    "C16": (_chunks(b"3;a\nb\r\nabc\r\n0\r\n\r\n"), REJECT),
    "C17": (_chunks(b"3;a\rb\r\nabc\r\n0\r\n\r\n"), REJECT),
    "C18": (_chunks(b"3;a\x00b\r\nabc\r\n0\r\n\r\n"), REJECT),
    "C19": (_chunks(b"3;a=" + b"b" * 5000 + b"\r\nabc\r\n0\r\n\r\n"), REJECT),
    "C20": (_chunks(b'3;a="b\r\nabc\r\n0\r\n\r\n'), REJECT),
    "C21": (_chunks(b"3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"), 1),
    "C22": (_chunks(b"3\r\nabc\r\n0\r\nContent-Length: 5\r\n\r\n"), REJECT),
    "C22h": (_chunks(b"3\r\nabc\r\n0\r\nHost: y\r\n\r\n"), REJECT),
    "C22t": (_chunks(b"3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"), REJECT),
    "C23": (
        _chunks(
            b"3\r\nabc\r\n0\r\n"
            + b"".join(b"X-%d: %b\r\n" % (i, b"a" * 90) for i in range(1000))
            + b"\r\n"
        ),
        REJECT,
    ),
    "C24": (_chunks(b"3\r\nabc\r\n0\r\nbad name: 1\r\n\r\n"), REJECT),
    "C25": (_chunks(b"003\r\nabc\r\n0\r\n\r\n"), 1),
    "C26": (_chunks(b"0" * 653 + b"3\r\nabc\r\n0\r\n\r\n"), REJECT),
    "C27": (_chunks(b"3\r\nabc\r\n0\r\n" + S), REJECT),
    "C28": (_chunks(b"5\r\r;ABCD\r\n0\r\n\r\n"), REJECT),
    "L01": (b"GET / HTTP/1.1\nHost: x\n\n", REJECT),
    "L02": (b"GET / HTTP/1.1\rHost: x\r\r", NEVER),
    "L03": (_line(b"GET  / HTTP/1.1"), REJECT),
    "L04": (_line(b"GET\t/ HTTP/1.1"), REJECT),
    "L05": (_line(b" GET / HTTP/1.1"), REJECT),
    "L06": (b"\r\n" + G + H + b"\r\n", 1),
    "L07": (b"\r\n" * 1000 + G + H + b"\r\n", REJECT),
    "L07n": (b"\n" + G + H + b"\r\n", REJECT),
    "L08": (b"GET /\r\n\r\n", REJECT),
    "L09": (_line(b"GET / http/1.1"), REJECT),
    "L10": (_line(b"GET / HTTP/2.0"), REJECT),
    "L11": (_line(b"GET / HTTP/1.2"), REJECT),
    "L12": (_line(b"GET / HTTP/1.10"), REJECT),
    "L13": (_line(b"GET / HTTP/4294967295.255"), REJECT),
    "L14": (_line(b"GET / HTTP/ 1.1"), REJECT),
    "L15": (_line(b"GE(T / HTTP/1.1"), REJECT),
    "L16": (_line(b"G" * 300 + b" / HTTP/1.1"), REJECT),
    "L17": (_line(b"get / HTTP/1.1"), 1),  # for the handler to refuse: never taken for GET
    "L18": (_line(b"FOO / HTTP/1.1"), 1),
    "L19": (_line(b"GET / HTTP/1.1 "), REJECT),
    "L20": (_line(b"GET /a\x00b HTTP/1.1"), REJECT),
    "L21": (_line(b"GET /a b HTTP/1.1"), REJECT),
    "L22": (b"GET / HTTP/1.1\r\n" + H + b"\r\rX", REJECT),
    "L23": (_line(b"GET /\xff HTTP/1.1"), REJECT),
    "L24": (_line(b"GET /\x7f HTTP/1.1"), REJECT),
    "L25": (_line(b"GET /a#b HTTP/1.1"), REJECT),
    "L26": (_line(b"GET x:80 HTTP/1.1"), REJECT),
    "L27": (_line(b"GET * HTTP/1.1"), REJECT),
    "L28": (_line(b"OPTIONS * HTTP/1.1"), 1),
    "L29": (_line(b"GET a/b HTTP/1.1"), REJECT),
    "L30": (_line(b"GET http://x/a HTTP/1.1"), 1),
    "L31": (_line(b"GET http://y/a HTTP/1.1"), REJECT),
    "L31u": (_line(b"GET http://u@x/a HTTP/1.1"), REJECT),
    "L31f": (_line(b"GET ftp://x/a HTTP/1.1"), REJECT),
    "L32": (_line(b"CONNECT x:80 HTTP/1.1") + S, REJECT),
    "L32p": (_line(b"CONNECT / HTTP/1.1") + S, REJECT),
    "L33": (_line(b"GET /" + b"a" * 70000 + b" HTTP/1.1"), REJECT),
    "L34": (_line(b"GET ! HTTP/1.1"), REJECT),
    "L34a": (_line(b"GET @google.com HTTP/1.1"), REJECT),
    "L35": (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + b"\x00" * 120, REJECT),
    "L36": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", REJECT),
    "L37": (_line(b"GET http://[::1 HTTP/1.1"), REJECT),
    "H01": (G + b"\r\n", REJECT),
    "H02": (G + H + H + b"\r\n", REJECT),
    "H03": (G + H + b"Host: y\r\n\r\n", REJECT),
    "H04": (_host(b"a, b"), REJECT),
    "H05": (_host(b"x/admin"), REJECT),
    "H06": (_host(b"u@x"), REJECT),
    "H07": (_host(b"a b"), REJECT),
    "H08": (G + b"Host:\r\n\r\n", REJECT),
    "H09": (_host(b"x:65536"), REJECT),
    "H10": (_host(b"x:80abc"), REJECT),
    "H11": (_host(b"x?a#b"), REJECT),
    "H12": (_host(b"<script>"), REJECT),
    "H12b": (_host(b"[::1"), REJECT),
    "H12c": (_host(b"[::1]:80"), 1),
    "H13": (b"GET / HTTP/1.0\r\n\r\n", 1),
    "H14": (_field(b"NoColon"), REJECT),
    "H15": (_field(b": empty"), REJECT),
    "H16": (_field(b"X A: 1"), REJECT),
    "H17": (_field(b"X\x00A: 1"), REJECT),
    "H18": (_field(b"X\x80: 1"), REJECT),
    "H19": (_field(b"X(: 1"), REJECT),
    "H20": (_field(b"X-A: a\x00b"), REJECT),
    "H21": (_field(b"X-A: a\rb"), REJECT),
    "H22": (P + H + b"X-A: x\nContent-Length: 31\r\n\r\n" + S, REJECT),
    "H23": (_field(b"X-A: a\x01b"), REJECT),
    "H24": (_field(b"X-A: a\x7fb"), REJECT),
    "H25": (_field(b"X-A: caf\xe9"), 1),
    "H26": (G + b" " + H + H + b"\r\n", REJECT),
    "H27": (G + H + b"".join(b"X-%d: 1\r\n" % i for i in range(5000)) + b"\r\n", REJECT),
    "H28": (_field(b"X-A: " + b"a" * 100000), REJECT),
    "H29": (
        P + H + b"Content-Type: text/plain\r\nContent-Type: application/json\r\n"
        b"Content-Length: 0\r\n\r\n",
        REJECT,
    ),
    "H30": (G + H + b"\r\rGET /smug HTTP/1.1\r\n" + H + b"\r\n", REJECT),
    "H31": (G + H + b"\r\nGET /2 HTTP/1.1\r\n" + H + b"\r\n", 2),
    "H32": (G + H + b"Connection: close\r\n\r\n" + S, 1),
    "H33": (b"GET / HTTP/1.0\r\n" + H + b"\r\n" + S, 1),
    "H34": (P + H + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc", 1),
    "H35": (P + H + b"Expect: 200-ok\r\nContent-Length: 3\r\n\r\nabc", REJECT),
    "H36": (
        G + H + b"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 31\r\n\r\n" + S,
        1,
    ),
    "H37": (
        P + H + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc" + S,
        2,
    ),
    "H38": (G + H + b"Connection: Upgrade\r\nUpgrade: foo\r\n\r\n" + S, 2),
    "SM-13": (G + H + b"\r\nBAD\r\n\r\n" + S, REJECT),
    "SM-23": (P + H + b"Content-Length 10\r\n\r\nabc", REJECT),
    "SM-23b": (P + H + b"Transfer-\r\nEncoding: chunked\r\n\r\n0\r\n\r\n", REJECT),
    "SM-11": (P + H + b"X:a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", REJECT),
}


def served_before(probe: str) -> int:
    """How many good requests a rejected probe has in front of its bad one."""
    return 1 if probe == "SM-13" else 0


def joined(parts: Iterable[bytes]) -> bytes:
    return b"".join(parts)
