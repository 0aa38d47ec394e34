"""The server on real sockets."""

# mypy: allow-untyped-calls

from __future__ import annotations

import inspect
import os
import socket
import tempfile
import time
from typing import Any

from http_support import HEADERS, statuses
from server_support import GET, LAST, ServerCase, reactor, until
from twisted.internet.endpoints import TCP4ServerEndpoint, serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReactorTCP
from twisted.internet.protocol import Protocol
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from cyclone.httpserver import HTTPRequest, HTTPServer, StreamClosedError
from cyclone.httputil import HTTPHeaders, ResponseStartLine

OK = ResponseStartLine("HTTP/1.1", 200, "OK")


class ListeningTests(ServerCase):
    async def test_listen(self) -> None:
        address = self.address(self.server())
        answer = await self.talk(address, GET, LAST)
        self.assertEqual(statuses(answer), [200, 200])
        self.assertIn(b"127.0.0.1 /last 0", answer)

    def test_parameters_in_tornados_order(self) -> None:
        order = ["self", "port", "address", "family", "backlog", "flags", "reuse_port"]
        for method in (HTTPServer.listen, HTTPServer.bind):
            self.assertEqual(list(inspect.signature(method).parameters), order)

    async def test_factory(self) -> None:
        server = self.server()
        declared: IReactorTCP = reactor  # it is in its type, too, that it is a factory
        port: Any = declared.listenTCP(0, server, interface="127.0.0.1")
        address = ("127.0.0.1", port.getHost().port)
        answer = await self.talk(address, LAST)
        self.assertEqual(statuses(answer), [200])
        # stop() knows the port although it was not made by listen()
        self.assertEqual(await server.stop(), 0)
        with self.assertRaises(ConnectionRefusedError):
            await self.talk(address, LAST)

    async def test_endpoint(self) -> None:
        server = self.server()
        endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        port = await endpoint.listen(server)
        answer = await self.talk(("127.0.0.1", port.getHost().port), LAST)
        self.assertEqual(statuses(answer), [200])
        await port.stopListening()

    async def test_reuse_port(self) -> None:
        first, second = self.server(), self.server()
        address = self.address(first, reuse_port=True)
        second.listen(address[1], "127.0.0.1", reuse_port=True)
        for _ in range(6):
            self.assertEqual(statuses(await self.talk(address, LAST)), [200])

    async def test_add_sockets(self) -> None:
        sock = socket.create_server(("127.0.0.1", 0))
        server = self.server()
        server.add_sockets([sock])
        self.assertEqual(statuses(await self.talk(sock.getsockname(), LAST)), [200])
        await server.stop(0)
        self.assertEqual(sock.fileno(), -1)

    async def test_bind_and_start(self) -> None:
        server = self.server()
        server.bind(0, "127.0.0.1", family=socket.AF_INET)
        address = server._bound[0].getsockname()
        with self.assertRaises(ValueError):
            server.start(4)
        server.start()
        self.assertEqual(statuses(await self.talk(address, LAST)), [200])

    async def test_ipv6(self) -> None:
        if not socket.has_ipv6:
            return
        server = self.server()
        try:
            port: Any = server.listen(0, family=socket.AF_INET6, flags=0)
            self.assertEqual(port.getHost().host, "::")
            port = server.listen(0, "::1")
        except Exception:
            return
        answer = await self.talk(("::1", port.getHost().port), LAST)
        self.assertIn(b"::1 /last 0", answer)

    async def test_unix(self) -> None:
        path = os.path.join(tempfile.mkdtemp(dir="/tmp"), "s")
        stale = socket.socket(socket.AF_UNIX)
        stale.bind(path)
        stale.close()
        server = self.server()
        server.listen_unix(path, mode=0o600)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        answer = await self.talk(path, LAST)
        self.assertIn(f"unix:{path} /last 0".encode(), answer)

    async def test_unix_replaces_only_sockets_F46(self) -> None:
        path = os.path.join(tempfile.mkdtemp(), "file")
        with open(path, "w") as file:
            file.write("precious")
        with self.assertRaises(CannotListenError):
            self.server().listen_unix(path)
        with open(path) as file:
            self.assertEqual(file.read(), "precious")


class TrafficTests(ServerCase):
    async def test_pipelined_answers_leave_together(self) -> None:
        address = self.address(self.server())
        answer = await self.talk(address, GET * 500 + LAST)
        self.assertEqual(statuses(answer), [200] * 501)

    async def test_upload_and_download(self) -> None:
        body = os.urandom(3_000_000)

        def callback(request: HTTPRequest) -> None:
            request.connection.write_response(request, 200, None, HEADERS, request.body)

        address = self.address(self.server(callback))
        head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        answer = await self.talk(address, head % len(body), body)
        self.assertEqual(answer.partition(b"\r\n\r\n")[2], body)

    async def test_an_answer_after_the_stream_was_closed_is_dropped(self) -> None:
        answered: list[HTTPRequest] = []
        refused: list[Any] = []

        def callback(request: HTTPRequest) -> None:
            connection = request.connection
            if request.path == "/last":
                connection.write_headers(OK, HTTPHeaders({"Content-Length": "9"}), b"sent ")
            connection.stream.close()
            if request.path == "/last":
                connection.write(b"late").addErrback(refused.append)
            else:
                self.echo(request)
            answered.append(request)

        address = self.address(self.server(callback))
        self.assertEqual(await self.talk(address, GET), b"")
        answer = await self.talk(address, LAST)
        self.assertTrue(answer.endswith(b"\r\n\r\nsent "))
        self.assertEqual((len(answered), len(refused)), (2, 1))

    async def test_413_can_be_read_SM24(self) -> None:
        """The client goes on sending 10 MB; a reset would destroy the answer."""
        address = self.address(self.server(max_body_size=1000))
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n"
        received: list[bytes] = []

        def client() -> None:
            with socket.create_connection(address) as sock:
                sock.settimeout(10)
                sock.sendall(head)
                for _ in range(100):
                    sock.sendall(bytes(100_000))
                sock.shutdown(socket.SHUT_WR)
                while data := sock.recv(65536):
                    received.append(data)

        await deferToThread(client)
        self.assertEqual(statuses(b"".join(received)), [413])

    async def test_an_answer_outlives_what_is_not_read_SM24(self) -> None:
        """More requests than are read at once come before one that is answered with a close."""
        body = os.urandom(200_000)

        def callback(request: HTTPRequest) -> None:
            request.connection.write_response(request, 200, None, HEADERS, body)

        address = self.address(self.server(callback, no_keep_alive=True))
        received: list[bytes] = []

        def client() -> None:
            with socket.socket() as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                sock.settimeout(10)
                sock.connect(address)
                sock.sendall(GET * 5000)
                while data := sock.recv(65536):
                    received.append(data)

        await deferToThread(client)
        head, _, rest = b"".join(received).partition(b"\r\n\r\n")
        self.assertIn(b"Connection: close", head)
        self.assertEqual(rest, body)

    async def test_an_answer_outlives_a_client_that_goes_on_sending_SM24(self) -> None:
        """It reads more slowly than it would be waited for."""
        body = os.urandom(200_000)

        answered: list[HTTPRequest] = []

        def callback(request: HTTPRequest) -> None:
            request.connection.write_response(request, 200, None, HEADERS, body)
            answered.append(request)

        server = self.server(callback, no_keep_alive=True, linger_timeout=0.1)
        address = self.address(server)
        received: list[bytes] = []
        sock = socket.socket()
        self.addCleanup(sock.close)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(10)

        def ask() -> None:
            sock.connect(address)
            sock.sendall(GET * 5000)

        def read() -> None:
            while data := sock.recv(65536):
                received.append(data)

        await deferToThread(ask)
        await until(lambda: answered and not server.open_connections)
        await deferToThread(read)
        self.assertEqual(b"".join(received).partition(b"\r\n\r\n")[2], body)

    async def test_half_close_F19(self) -> None:
        def callback(request: HTTPRequest) -> None:
            reactor.callLater(0.05, self.echo, request)

        address = self.address(self.server(callback))
        answer = await self.talk(address, GET, half_close=True)
        self.assertEqual(statuses(answer), [200])

    async def test_disconnect_is_noticed_F21(self) -> None:
        told: list[float] = []
        waiting: list[HTTPRequest] = []

        def callback(request: HTTPRequest) -> None:
            waiting.append(request)
            request.connection.set_close_callback(lambda: told.append(time.monotonic()))

        server = self.server(callback)
        sock = socket.create_connection(self.address(server))
        sock.sendall(GET)
        await until(lambda: waiting)
        started = time.monotonic()
        sock.close()
        await until(lambda: told)
        self.assertLess(told[0] - started, 0.5)

    async def test_slow_reader_F13(self) -> None:
        """A writer who waits is paused: little is buffered for a client that reads nothing."""
        written = [0]
        failures: list[BaseException] = []

        async def callback(request: HTTPRequest) -> None:
            connection = request.connection
            await connection.write_headers(OK, HTTPHeaders())
            try:
                while True:
                    await connection.write(bytes(65536))
                    written[0] += 65536
            except StreamClosedError as error:
                failures.append(error)

        server = self.server(callback)
        sock = socket.create_connection(self.address(server))
        sock.sendall(GET)
        await until(lambda: written[0])
        before = -1
        while before != written[0]:
            before = written[0]
            await deferLater(reactor, 0.1)
        self.assertLess(written[0], 50_000_000)
        # A reader who goes on gets more
        for _ in range(100):
            await deferToThread(sock.recv, 1_000_000)
            if written[0] > before:
                break
        self.assertGreater(written[0], before)
        sock.close()
        await until(lambda: failures)

    async def test_big_answers_in_order(self) -> None:
        def callback(request: HTTPRequest) -> None:
            size = int(request.path[1:] or 0)
            request.connection.write_response(
                request, 200, None, HEADERS, b"%c" % (size % 256) * size
            )

        address = self.address(self.server(callback))
        sizes = [5_000_000, 10, 3_000_000, 1]
        requests = b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % size for size in sizes)
        answer = await self.talk(
            address, requests + b"GET /7 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        for size in [*sizes, 7]:
            head, _, answer = answer.partition(b"\r\n\r\n")
            self.assertIn(b"Content-Length: %d" % size, head)
            self.assertEqual(answer[:size], b"%c" % (size % 256) * size)
            answer = answer[size:]
        self.assertEqual(answer, b"")

    async def test_detached_transport(self) -> None:
        class Echo(Protocol):
            def dataReceived(self, data: bytes) -> None:
                assert self.transport is not None
                self.transport.write(b"<" + data + b">")
                self.transport.loseConnection()

        def callback(request: HTTPRequest) -> None:
            start = ResponseStartLine("HTTP/1.1", 101, "Switching Protocols")
            request.connection.write_headers(start, HTTPHeaders())
            request.connection.detach(Echo())

        address = self.address(self.server(callback))
        answer = await self.talk(address, GET, b"later")
        self.assertTrue(answer.endswith(b"<later>"))

    async def test_churn_F33(self) -> None:
        """Connect and close, connect and reset, half a request: nothing is left behind."""
        server = self.server()
        address = self.address(server)

        def churn() -> None:
            for i in range(150):
                sock = socket.create_connection(address)
                if i % 3 == 1:
                    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                if i % 2:
                    sock.sendall(GET[: i % len(GET)])
                sock.close()

        await deferToThread(churn)
        await until(lambda: not server.connections)
        self.assertEqual(statuses(await self.talk(address, LAST)), [200])


class LargeBodyTests(ServerCase):
    async def test_it_is_read_in_larger_pieces(self) -> None:
        sizes: list[int] = []

        def answer(request: HTTPRequest) -> None:
            sizes.append(request.connection.transport.bufferSize)
            self.echo(request)

        server = self.server(answer)
        head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        body = b"x" * 700_000
        received = await self.talk(self.address(server), head % len(body) + body)
        self.assertTrue(received.endswith(b" 700000"), received)
        self.assertEqual(sizes, [65536])


class EndpointStringTests(ServerCase):
    async def test_strings(self) -> None:
        server = self.server()
        port = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(server)
        answer = await self.talk(("127.0.0.1", port.getHost().port), LAST)
        self.assertEqual(statuses(answer), [200])
        await port.stopListening()
