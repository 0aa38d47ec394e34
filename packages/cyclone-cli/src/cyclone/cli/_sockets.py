"""Listening sockets: made here, so that several processes can share them."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import socket
import stat
from typing import Any

from ._errors import StartError
from ._options import RunOptions

DEFAULT_PORT = 8888


@dataclasses.dataclass(frozen=True)
class Listener:
    """A listening socket, and whether TLS is spoken on it. ``made`` is false for inherited ones."""

    sock: socket.socket
    tls: bool = False
    made: bool = True

    @property
    def url(self) -> str:
        """Where a client finds it."""
        name: Any = self.sock.getsockname()
        if self.sock.family == getattr(socket, "AF_UNIX", None):
            path = name.decode() if isinstance(name, bytes) else name
            return "unix:" + path.replace("\0", "@", 1)
        host, port = name[:2]
        if host in ("0.0.0.0", "::"):
            host = "localhost"
        return f"{'https' if self.tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"

    def close(self) -> None:
        """Close it here; the file of a UNIX socket that was made here is removed."""
        path = self._path()
        self.sock.close()
        if path is not None:
            with contextlib.suppress(OSError):
                os.unlink(path)

    def _path(self) -> str | None:
        if not self.made or self.sock.family != getattr(socket, "AF_UNIX", None):
            return None
        name = self.sock.getsockname()
        return name if isinstance(name, str) and name else None


def open_listeners(options: RunOptions) -> list[Listener]:
    """Open what the options ask for; all of it or nothing.

    :raises StartError: when an address cannot be had.
    """
    found: list[Listener] = []
    try:
        if options.unix is not None:
            found.append(Listener(_unix(options.unix, options.unix_mode, options.backlog)))
        other = options.unix is not None or options.endpoints or options.ssl_port is not None
        if options.port is not None or not other:
            port = DEFAULT_PORT if options.port is None else options.port
            found.append(Listener(_tcp(options.listen, port, options.backlog)))
        if options.ssl_port is not None:
            host = options.ssl_listen or options.listen
            found.append(Listener(_tcp(host, options.ssl_port, options.backlog), tls=True))
    except BaseException:
        for listener in found:
            listener.close()
        raise
    return found


def _tcp(host: str, port: int, backlog: int) -> socket.socket:
    host = host.removeprefix("[").removesuffix("]") or "0.0.0.0"
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise StartError(f"cannot listen on {host}:{port}: {_reason(error)}") from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(backlog)
        sock.setblocking(False)
    except (OSError, OverflowError) as error:
        sock.close()
        raise StartError(f"cannot listen on {host}:{port}: {_reason(error)}") from error
    return sock


def _unix(path: str, mode: int, backlog: int) -> socket.socket:
    """A UNIX socket; ``@name`` is an abstract one. Only a socket nobody answers on is replaced."""
    if path in ("", "@"):
        raise StartError("a UNIX socket has a path, or a name behind the @", 2)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.startswith("@"):
            sock.bind("\0" + path[1:])
        else:
            _clear(path)
            previous = os.umask(0o777 & ~mode)
            try:
                sock.bind(path)
            finally:
                os.umask(previous)
            os.chmod(path, mode)
        sock.listen(backlog)
        sock.setblocking(False)
    except StartError:
        sock.close()
        raise
    except OSError as error:
        sock.close()
        raise StartError(f"cannot listen on unix:{path}: {_reason(error)}") from error
    return sock


def _clear(path: str) -> None:
    """Remove a stale socket. :raises StartError: if anything else is in its place."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise StartError(f"cannot listen on unix:{path}: there is a file that is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except OSError as error:
            raise StartError(f"cannot listen on unix:{path}: {_reason(error)}") from error
    raise StartError(f"cannot listen on unix:{path}: another server answers there")


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def from_descriptor(descriptor: int, *, tls: bool) -> Listener:
    """A socket that another process opened.

    :raises StartError: if the descriptor is no listening stream socket.
    """
    try:
        sock = socket.socket(fileno=descriptor)
        listens = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise StartError(f"file descriptor {descriptor}: {_reason(error)}") from error
    if not listens or sock.type != socket.SOCK_STREAM:
        sock.detach()
        raise StartError(f"file descriptor {descriptor} is no listening stream socket")
    sock.set_inheritable(False)
    sock.setblocking(False)
    return Listener(sock, tls=tls, made=False)
