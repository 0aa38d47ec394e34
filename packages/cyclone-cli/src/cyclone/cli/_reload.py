"""Keeping the listening sockets over a reload, so that no connection is refused meanwhile."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import MutableMapping, Sequence

from ._sockets import Listener, from_descriptor

#: Set for the program that replaces this one: its own process id, and the descriptors, with ``s``
#: for TLS and ``m`` for those that were made here, whose files are removed at the end.
VARIABLE = "CYCLONE_KEPT_SOCKETS"


def keep_sockets(
    listeners: Sequence[Listener], environ: MutableMapping[str, str] = os.environ
) -> None:
    """Have the sockets handed over when the program is restarted."""
    from cyclone.web import autoreload

    def hand_over() -> None:
        for listener in listeners:
            listener.sock.set_inheritable(True)
        kept = [
            f"{item.sock.fileno()}{'s' if item.tls else ''}{'m' if item.made else ''}"
            for item in listeners
        ]
        environ[VARIABLE] = ":".join([str(os.getpid()), *kept])

    autoreload.add_reload_hook(hand_over)


def take_sockets(environ: MutableMapping[str, str] = os.environ) -> list[Listener]:
    """What `keep_sockets` of the program before this one, in this same process, left; once."""
    pid, *kept = environ.pop(VARIABLE, "").split(":")
    if pid != str(os.getpid()):
        return []
    return [
        dataclasses.replace(
            from_descriptor(int(item.rstrip("sm")), tls="s" in item), made=item.endswith("m")
        )
        for item in kept
    ]
