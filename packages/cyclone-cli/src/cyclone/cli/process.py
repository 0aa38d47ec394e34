"""Processes, under Tornado's names: several on one listening socket, and those one talks to.

`cyclone run --workers N` is the way that is looked after: it replaces workers that die, reloads
without a refused connection, and drains. These functions are for programs that fork by themselves.
"""

from __future__ import annotations

import logging
import os
import random
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._subprocess import Subprocess as Subprocess

__all__ = ["Subprocess", "cpu_count", "fork_processes", "task_id"]

log: logging.Logger = logging.getLogger("cyclone.general")
_task_id: int | None = None
#: Set for the workers of ``cyclone run --workers``.
TASK_VARIABLE = "CYCLONE_TASK_ID"


if not TYPE_CHECKING:  # or each misspelled name would pass for an attribute

    def __getattr__(name: str) -> object:
        """What needs Twisted is loaded when it is asked for."""
        if name == "Subprocess":
            from ._subprocess import Subprocess

            return Subprocess
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]


def cpu_count() -> int:
    """The number of processors this process may use; at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def task_id() -> int | None:
    """The number of this process, from 0, among those that were started together.

    It is set in the children of `fork_processes` and in the workers of ``cyclone run --workers``,
    where a replacement has the number of the worker it replaces. None in any other process.
    """
    if _task_id is not None:
        return _task_id
    text = os.environ.get(TASK_VARIABLE, "")
    return int(text) if text.isdecimal() else None


def fork_processes(num_processes: int | None, max_restarts: int | None = None) -> int:
    """Fork *num_processes* children, one for each processor if it is None or not above 0.

    Returns the number of the child, in each child. The parent never returns: it starts a child
    anew that died of a signal or with a code other than 0, at most *max_restarts* times (100) in
    all, and exits with 0 when all have ended well. Listen before, and import the reactor after.

    :raises RuntimeError: when the reactor is there already, in a child, or, in the parent, after
        too many restarts.
    """
    global _task_id
    if _task_id is not None:
        raise RuntimeError("fork_processes cannot be called twice")
    if "twisted.internet.reactor" in sys.modules:
        raise RuntimeError("call fork_processes before the reactor is imported")
    count = num_processes if num_processes is not None and num_processes > 0 else cpu_count()
    left = 100 if max_restarts is None else max_restarts
    children: dict[int, int] = {}
    for number in range(count):
        if (child := _fork(number, children)) is not None:
            return child
    while children:
        pid, status = os.wait()
        if pid not in children:
            continue
        number = children.pop(pid)
        if status == 0:
            log.info("child %d (pid %d) exited normally", number, pid)
            continue
        log.warning("child %d (pid %d) ended with status %d, restarting", number, pid, status)
        left -= 1
        if left < 0:
            raise RuntimeError("too many child restarts, giving up")
        if (child := _fork(number, children)) is not None:
            return child
    raise SystemExit(0)


def _fork(number: int, children: dict[int, int]) -> int | None:
    """Fork one child: its number in the child, None in the parent."""
    global _task_id
    pid = os.fork()
    if pid == 0:
        random.seed(int.from_bytes(os.urandom(16), "big"))
        _task_id = number
        return number
    children[pid] = number
    return None
