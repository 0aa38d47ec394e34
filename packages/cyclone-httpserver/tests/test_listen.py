"""Sockets to listen on."""

from __future__ import annotations

import os
import socket
import tempfile

import pytest
from twisted.internet.error import CannotListenError

from cyclone.httpserver import HTTPServer
from cyclone.httpserver._listen import bound_socket, listen_unix


def test_bound_socket() -> None:
    with bound_socket(0, "127.0.0.1", 5, reuse_port=True) as sock:
        assert not sock.getblocking()
        port = sock.getsockname()[1]
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)
        with pytest.raises(CannotListenError):
            bound_socket(port, "127.0.0.1", 5, reuse_port=False)


def test_a_living_unix_socket_is_left_alone_F46() -> None:
    path = os.path.join(tempfile.mkdtemp(dir="/tmp"), "s")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
        sock.listen()
        with pytest.raises(CannotListenError):
            listen_unix(HTTPServer(lambda request: None), path, 0o600, 5)
        assert os.path.exists(path)
