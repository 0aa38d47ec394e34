"""What systemd and a service agree on: sockets handed over, and news of the service's state."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import MutableMapping
from typing import Any

from ._sockets import Listener, from_descriptor

FIRST_DESCRIPTOR = 3
_TLS_NAMES = frozenset({"https", "ssl", "tls"})


def take_sockets(environ: MutableMapping[str, str] = os.environ) -> list[Listener]:
    """The sockets systemd opened for this process (``sd_listen_fds(3)``), once.

    One whose ``FileDescriptorName`` is ``https``, ``ssl`` or ``tls`` speaks TLS. The variables are
    removed, so that processes started later do not take them for their own.
    """
    pid, count, names = (
        environ.pop(name, "") for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
    )
    if pid != str(os.getpid()) or not count.isdecimal():
        return []
    found = names.split(":") + [""] * int(count)
    return [
        from_descriptor(FIRST_DESCRIPTOR + index, tls=found[index].lower() in _TLS_NAMES)
        for index in range(int(count))
    ]


def notify(*lines: str, environ: MutableMapping[str, str] = os.environ) -> bool:
    """Tell systemd (``sd_notify(3)``); False if nobody wants to know."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address or address[0] not in "/@":
        return False
    if address[0] == "@":
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect(address)
        sock.send("\n".join(lines).encode())
        return True
    return False


def notify_ready() -> bool:
    """The service serves."""
    return notify("READY=1")


def notify_reloading() -> bool:
    """The service reloads; `notify_ready` follows when it has."""
    return notify("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(1) // 1000}")


def notify_stopping() -> bool:
    """The service drains."""
    return notify("STOPPING=1")


def watchdog_interval(environ: MutableMapping[str, str] = os.environ) -> float | None:
    """How often systemd's watchdog wants a word, in seconds (half of its limit); None if never."""
    limit = environ.get("WATCHDOG_USEC", "")
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()) or not limit.isdecimal():
        return None
    return int(limit) / 2_000_000 or None


def keep_watchdog(reactor: Any) -> None:
    """Give systemd's watchdog its word as long as the reactor runs."""
    interval = watchdog_interval()
    if interval is not None:
        notify("WATCHDOG=1")
        reactor.callLater(interval, keep_watchdog, reactor)
