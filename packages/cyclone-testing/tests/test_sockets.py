"""Sockets on free ports."""

from __future__ import annotations

import socket

import pytest

from cyclone.testing import bind_unused_port


def test_a_listening_socket_and_its_port() -> None:
    sock, port = bind_unused_port()
    with sock:
        assert sock.getsockname() == ("127.0.0.1", port)
        assert not sock.getblocking()
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass


def test_another_address() -> None:
    sock, port = bind_unused_port(address="127.0.0.2")
    with sock:
        assert sock.getsockname() == ("127.0.0.2", port)


def test_reuse_port_shares_the_port() -> None:
    first, port = bind_unused_port(reuse_port=True)
    with first, socket.socket() as second:
        second.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        second.bind(("127.0.0.1", port))


def test_an_address_that_cannot_be_had_leaves_no_socket() -> None:
    with pytest.raises(OSError, match=r".+"):
        bind_unused_port(address="192.0.2.1")
