"""A UNIX socket that several servers share."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from contextlib import ExitStack

import pytest
from twisted.internet import threads
from twisted.internet.defer import inlineCallbacks
from twisted.trial import unittest

from cyclone.httpserver import HTTPRequest, HTTPServer
from cyclone.httputil import HTTPHeaders


def hello(request: HTTPRequest) -> None:
    request.connection.write_response(request, 200, None, HTTPHeaders(), b"hello")


def ask(path: str) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(path)
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while piece := client.recv(65536):
            answer += piece
        return answer


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there are no UNIX sockets")
class Shared(unittest.TestCase):
    def setUp(self) -> None:
        self.path = os.path.join(tempfile.mkdtemp(dir="/tmp"), "s")
        self.sock = socket.socket(socket.AF_UNIX)
        self.addCleanup(self.sock.close)
        self.sock.bind(self.path)
        os.chmod(self.path, 0o600)
        self.sock.listen(200)

    def serve(self) -> HTTPServer:
        server = HTTPServer(hello)
        server.add_socket(self.sock.dup())
        self.addCleanup(server.stop, 0)
        return server

    @inlineCallbacks
    def test_one_of_two_servers_ends(self):  # type: ignore[no-untyped-def]
        first, _second = self.serve(), self.serve()
        yield first.stop(0)
        for _ in range(3):
            answer = yield threads.deferToThread(ask, self.path)
            assert answer.endswith(b"hello")

    @inlineCallbacks
    def test_the_file_is_left_as_it_is(self):  # type: ignore[no-untyped-def]
        server = self.serve()
        assert stat.S_IMODE(os.stat(self.path).st_mode) == 0o600
        yield server.stop(0)
        assert stat.S_ISSOCK(os.stat(self.path).st_mode)

    def test_the_file_may_be_gone_or_somebody_elses(self) -> None:
        os.unlink(self.path)
        self.serve()

    def test_the_backlog_stays(self) -> None:
        self.serve()
        with ExitStack() as stack:
            for _ in range(150):  # nobody accepts meanwhile
                client = stack.enter_context(socket.socket(socket.AF_UNIX))
                client.setblocking(False)
                client.connect(self.path)
