"""Listening sockets of all kinds."""

from __future__ import annotations

import errno
import os
import socket
import stat
from typing import TYPE_CHECKING, Any

from twisted.internet.error import CannotListenError

if TYPE_CHECKING:
    from ._server import HTTPServer


def any_address(family: int) -> str:
    """All addresses of a family: of IPv4 unless it is ``AF_INET6``."""
    return "::" if family == socket.AF_INET6 else ""


def bound_socket(port: int, address: str, backlog: int, *, reuse_port: bool) -> socket.socket:
    """A listening, non-blocking TCP socket. CannotListenError if it cannot be had."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((address, port))
        sock.listen(backlog)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise _cannot(address, port, error) from error
    return sock


def _cannot(address: str, port: int, error: OSError) -> CannotListenError:
    return CannotListenError(address, port, error)  # type: ignore[no-untyped-call]


def wrapped(server: HTTPServer) -> Any:
    """The factory to listen with: with TLS around it if the server has ``ssl_options``."""
    if server.ssl_options is None:
        return server
    from ._tlspreface import tls_factory

    return tls_factory(server)


def listen_tcp(server: HTTPServer, port: int, address: str, backlog: int, reuse_port: bool) -> Any:
    """A listening TCP port of the reactor."""
    factory = wrapped(server)
    if not reuse_port:
        return server.reactor.listenTCP(port, factory, backlog=backlog, interface=address)
    with bound_socket(port, address, backlog, reuse_port=True) as sock:
        return _adopt(server, sock, factory)


def adopt(server: HTTPServer, sock: socket.socket) -> Any:
    """A port of the reactor for a socket that listens already; the caller keeps the socket."""
    return _adopt(server, sock, wrapped(server))


def _adopt(server: HTTPServer, sock: socket.socket, factory: Any) -> Any:
    sock.setblocking(False)
    if sock.family == getattr(socket, "AF_UNIX", None):
        from ._unixport import AdoptedUNIXPort

        make: Any = AdoptedUNIXPort._fromListeningDescriptor
        port = make(server.reactor, sock.fileno(), factory)
        port.startListening()
        return port
    return server.reactor.adoptStreamPort(sock.fileno(), sock.family, factory)


def listen_unix(server: HTTPServer, path: str, mode: int, backlog: int) -> Any:
    """A listening UNIX socket; a stale one in its place is removed (and nothing else is).

    CannotListenError if the path is taken by a living socket or by anything else.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        pass
    else:
        if not stat.S_ISSOCK(found.st_mode) or _answers(path):
            raise _cannot(path, 0, FileExistsError(errno.EADDRINUSE, "path is taken"))
        os.unlink(path)
    return server.reactor.listenUNIX(path, wrapped(server), backlog=backlog, mode=mode)


def _answers(path: str) -> bool:
    """Whether somebody listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except BlockingIOError:
            return True
        except OSError:
            return False
    return True
