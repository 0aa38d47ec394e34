"""Ports for programs that must be told theirs before they start."""

import itertools
import os
import random
import socket

# Below the range the kernel hands out, so that no other program takes one between its choice and
# its use; each process of the test run has a thousand of its own.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 10
_NUMBERS = itertools.cycle(range(1000))
_OFFSET = random.Random(os.getpid()).randrange(1000)


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    for number in _NUMBERS:
        port = 20000 + 1000 * _WORKER + (_OFFSET + number) % 1000
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("unreachable")
