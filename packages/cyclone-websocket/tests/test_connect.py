"""websocket_connect over the network, and every way it can fail."""

from __future__ import annotations

import contextvars
import socket
from collections.abc import Callable
from typing import Any, cast

import pytest
from twisted.internet import defer, protocol
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IReactorTCP
from twisted.internet.task import Clock
from twisted.trial import unittest
from ws_support import Log

from cyclone.httpclient import HTTPConnectError, HTTPError, HTTPRequest, HTTPTimeoutError
from cyclone.httpserver import HTTPConnection
from cyclone.web import Application, RequestHandler
from cyclone.websocket import (
    WebSocketError,
    WebSocketHandler,
    websocket_connect,
)

caller: contextvars.ContextVar[str] = contextvars.ContextVar("caller", default="nobody")

# --- arguments --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"url": "http:"}, ValueError),
        ({"url": "ws://h", "subprotocols": "chat"}, TypeError),
        ({"url": "ws://h", "subprotocols": ["a b"]}, ValueError),
        ({"url": "ws://h", "headers": {"X": "a\r\nb"}}, ValueError),
        ({"url": "ws://h", "compression_options": {"x": 1}}, ValueError),
    ],
)
def test_arguments_that_cannot_be(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        websocket_connect(**arguments, reactor=Clock())


# --- over sockets -----------------------------------------------------------------------------


class Echo(WebSocketHandler):
    def get_compression_options(self) -> dict[str, Any] | None:
        return {} if self.request.path == "/packed" else None

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return "good" if "good" in subprotocols else None

    def on_message(self, message: str | bytes) -> Any:
        if message == "headers":
            return self.write_message(dict(self.request.headers))
        return self.write_message(message, isinstance(message, bytes))

    def on_ping(self, data: bytes) -> None:
        self.write_message(b"ping " + data, binary=True)


class CloseReason(WebSocketHandler):
    def open(self) -> None:
        self.write_message("last words")
        self.close(1001, "goodbye")


class Page(RequestHandler):
    def get(self) -> None:
        self.write("page")


class Redirect(RequestHandler):
    def get(self) -> None:
        self.redirect("/echo")


class NetworkTest(unittest.TestCase):
    def setUp(self) -> None:
        from twisted.internet import reactor

        self.reactor = reactor
        application = Application(
            [
                ("/echo", Echo),
                ("/packed", Echo),
                ("/close", CloseReason),
                ("/page", Page),
                ("/redirect", Redirect),
            ],
            log_function=lambda handler: None,
        )
        self.port = cast("IReactorTCP", reactor).listenTCP(0, application, interface="127.0.0.1")
        self.application = application
        self.url = f"ws://127.0.0.1:{self.port.getHost().port}"  # type: ignore[attr-defined]

    async def tearDown(self) -> None:  # type: ignore[override]
        await self.application.stop(deadline=1, idle_grace=0)
        await defer.maybeDeferred(self.port.stopListening)

    async def test_echo(self) -> None:
        async with await websocket_connect(self.url + "/echo") as ws:
            for message in ("hello", "", "é" * 50_000):
                await ws.write_message(message)
                assert await ws.read_message() == message
            await ws.write_message(b"\x00" * 1_000_000, binary=True)
            assert await ws.read_message() == b"\x00" * 1_000_000
            ws.write_message({"a": 1})
            assert await ws.read_message() == '{"a": 1}'

    async def test_behind_what_the_transport_still_has(self) -> None:
        write_headers = HTTPConnection.write_headers

        def not_yet(self: HTTPConnection, *args: Any) -> Deferred[None]:
            write_headers(self, *args)
            return Deferred()

        self.patch(HTTPConnection, "write_headers", not_yet)  # type: ignore[no-untyped-call]
        async with await websocket_connect(self.url + "/echo") as ws:
            for message in ("hello", "x" * 1_000_000):
                await ws.write_message(message)
                assert await ws.read_message() == message

    async def test_callbacks_run_in_the_context_of_who_connected(self) -> None:
        seen: list[tuple[object, str]] = []
        done: Deferred[None] = Deferred()

        def note(message: object) -> None:
            seen.append((message, caller.get()))
            if message is None:
                done.callback(None)

        token = caller.set("me")
        try:
            await websocket_connect(self.url + "/close", on_message_callback=note)
        finally:
            caller.reset(token)
        await done
        assert seen == [("last words", "me"), (None, "me")]

    async def test_compression(self) -> None:
        async with await websocket_connect(self.url + "/packed", compression_options={}) as ws:
            assert "permessage-deflate" in ws.headers["Sec-WebSocket-Extensions"]
            for message in ("x" * 100_000, "y"):
                ws.write_message(message)
                assert await ws.read_message() == message

    async def test_compression_that_only_one_side_wants(self) -> None:
        async with await websocket_connect(self.url + "/echo", compression_options={}) as ws:
            assert "Sec-WebSocket-Extensions" not in ws.headers
        async with await websocket_connect(self.url + "/packed") as ws:
            assert "Sec-WebSocket-Extensions" not in ws.headers

    async def test_headers_and_subprotocols(self) -> None:
        request = HTTPRequest(self.url + "/echo", headers={"X-Test": "hello"})
        ws = await websocket_connect(request, headers={"X-More": "1"}, subprotocols=["bad", "good"])
        assert ws.selected_subprotocol == "good"
        assert ws.headers["Sec-WebSocket-Protocol"] == "good"
        ws.write_message("headers")
        answer = str(await ws.read_message())
        assert '"X-Test": "hello"' in answer
        assert '"X-More": "1"' in answer
        assert "X-More" not in request.headers
        await ws.close()

    async def test_the_server_closes(self) -> None:
        ws = await websocket_connect(self.url + "/close")
        assert [message async for message in ws] == ["last words"]
        assert (ws.close_code, ws.close_reason) == (1001, "goodbye")
        assert await ws.read_message() is None

    async def test_pings(self) -> None:
        ws = await websocket_connect(self.url + "/echo")
        pong: Deferred[bytes] = Deferred()
        ws.on_pong = pong.callback  # type: ignore[method-assign, assignment]
        ws.ping("data")
        assert await ws.read_message() == b"ping data"
        assert await pong == b"data"
        await ws.close()

    async def test_periodic_pings(self) -> None:
        ws = await websocket_connect(self.url + "/echo", ping_interval=0.01, ping_timeout=0)
        for _ in range(3):
            assert await ws.read_message() == b"ping "
        await ws.close()

    async def test_callbacks(self) -> None:
        messages: list[Any] = []
        end: Deferred[None] = Deferred()

        def on_message(message: str | bytes | None) -> None:
            messages.append(message)
            if message == "b":
                ws.close()
            if message is None:
                end.callback(None)

        called: list[Any] = []
        ws = await websocket_connect(
            self.url + "/echo", callback=called.append, on_message_callback=on_message
        )
        assert called[0].result() is ws
        ws.write_message("a")
        ws.write_message("b")
        await end
        assert messages == ["a", "b", None]

    async def _fails(self, kind: type[Exception], path: str, **options: Any) -> Any:
        try:
            await websocket_connect(self.url + path, **options)
        except kind as error:
            return error
        raise AssertionError(f"no {kind}")

    async def test_answers_that_are_no_websocket(self) -> None:
        error = await self._fails(HTTPError, "/nothing")
        assert error.code == 404
        assert b"404" in error.response.body
        assert (await self._fails(HTTPError, "/redirect")).code == 302
        assert (
            await self._fails(HTTPError, "/echo", headers={"Origin": "http://evil"})
        ).code == 403
        await self._fails(WebSocketError, "/page")

    async def test_nobody_there(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        called: list[Any] = []
        with pytest.raises(ConnectionRefusedError, match="refused") as caught:
            await websocket_connect(f"ws://127.0.0.1:{port}/")
        assert isinstance(caught.value, HTTPConnectError)
        assert isinstance(caught.value.__cause__, ConnectError)
        websocket_connect(f"ws://127.0.0.1:{port}/", callback=called.append).addErrback(
            lambda _: None
        )
        while not called:
            await _turn(self.reactor)
        assert isinstance(called[0].exception(), HTTPConnectError)

    async def test_a_server_that_says_nothing(self) -> None:
        silent = self._serve(lambda data: None)
        with pytest.raises(HTTPTimeoutError) as caught:
            await websocket_connect(silent, connect_timeout=0.05)
        assert caught.value.option == "connect_timeout"
        waiting = websocket_connect(silent)
        await _turn(self.reactor)
        waiting.cancel()
        with pytest.raises(CancelledError):
            await waiting

    async def test_a_resolver(self) -> None:
        from twisted.internet.address import IPv4Address

        port = self.port.getHost().port  # type: ignore[attr-defined]

        class Resolver:
            def resolveHostName(self, receiver: Any, hostName: str, *args: Any, **kw: Any) -> Any:
                receiver.resolutionBegan(self)
                assert hostName == "nowhere.test"
                receiver.addressResolved(IPv4Address("TCP", "127.0.0.1", port))
                receiver.resolutionComplete()
                return receiver

        ws = await websocket_connect(f"ws://nowhere.test:{port}/echo", resolver=Resolver())
        await ws.close()

    async def test_a_server_that_lies(self) -> None:
        for answer in (
            b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
            b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
            b"Sec-WebSocket-Accept: x\r\n\r\n",
        ):
            lying = self._serve(lambda data, answer=answer: answer)  # type: ignore[misc]
            with pytest.raises(WebSocketError):
                await websocket_connect(lying)

    async def test_what_the_server_says_and_did_not_negotiate(self) -> None:
        from cyclone.websocket._handshake import compute_accept_value

        def answer(extra: bytes) -> Callable[[bytes], bytes]:
            def to(data: bytes) -> bytes:
                key = data.partition(b"Sec-Websocket-Key: ")[2].partition(b"\r\n")[0]
                accept = compute_accept_value(key).encode()
                return (
                    b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
                    b"Sec-WebSocket-Accept: " + accept + b"\r\n" + extra
                )

            return to

        for extra in (
            b"Sec-WebSocket-Protocol: x\r\n\r\n",
            b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
        ):
            with pytest.raises(WebSocketError):
                await websocket_connect(self._serve(answer(extra)))
        # WS-19: a bad frame with the handshake, then more and more
        ws = await websocket_connect(self._serve(answer(b"\r\n\x83\x00" + b"x" * 100_000)))
        assert await ws.read_message() is None
        assert ws.close_code == 1002

    async def test_an_error_in_a_callback(self) -> None:
        def broken(message: str | bytes | None) -> None:
            if message is not None:
                raise ValueError("boom")
            end.callback(None)

        end: Deferred[None] = Deferred()
        with Log() as log:
            ws = await websocket_connect(self.url + "/echo", on_message_callback=broken)
            ws.write_message("x")
            await end
        assert len(log.records) == 1
        assert ws.close_code == 1011

    async def test_stop_of_the_server(self) -> None:
        ws = await websocket_connect(self.url + "/echo")
        stopped = self.application.stop(deadline=5, idle_grace=0)
        assert await ws.read_message() is None
        assert ws.close_code == 1001
        assert await stopped == 0

    def _serve(self, respond: Callable[[bytes], bytes | None]) -> str:
        class Raw(protocol.Protocol):
            def dataReceived(self, data: bytes) -> None:
                answer = respond(data)
                if answer is not None and self.transport is not None:
                    self.transport.write(answer)

        factory: Any = protocol.ServerFactory.forProtocol(Raw)
        port = cast("IReactorTCP", self.reactor).listenTCP(0, factory, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        return f"ws://127.0.0.1:{port.getHost().port}/"  # type: ignore[attr-defined]


def _turn(reactor: Any) -> Deferred[None]:
    turned: Deferred[None] = Deferred()
    reactor.callLater(0.01, turned.callback, None)
    return turned
