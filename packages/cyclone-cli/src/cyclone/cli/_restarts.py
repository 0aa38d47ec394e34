"""When a worker that died is replaced: a rule without a clock of its own."""

from __future__ import annotations

import collections
from typing import Final

#: A worker that dies sooner than this many seconds after it was ready died at boot.
BOOT: Final = 1.0
#: One that served longer than this is replaced at once, however others fared.
STEADY: Final = 10.0
#: So many deaths at boot within `WINDOW` seconds, and the supervisor gives up.
DEATHS: Final = 5
WINDOW: Final = 10.0
#: The first pause and the longest one, in seconds.
FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 10.0


class Restarts:
    """Counts deaths, and says how long to wait before a replacement."""

    def __init__(self) -> None:
        self._at_boot: collections.deque[float] = collections.deque(maxlen=DEATHS)
        self._quick = 0
        self._ever_ready = False

    def ready(self) -> None:
        """A worker serves."""
        self._ever_ready = True

    def died(self, now: float, ready_since: float | None) -> float | None:
        """A worker died at *now*; it was ready since then, or never (None).

        Returns the seconds until it is to be replaced, or None to give up.
        """
        if ready_since is not None and now - ready_since >= STEADY:
            self._quick = 0
            return 0.0
        if ready_since is None or now - ready_since < BOOT:
            self._at_boot.append(now)
            if len(self._at_boot) == DEATHS and (
                not self._ever_ready or now - self._at_boot[0] <= WINDOW
            ):
                return None
        self._quick += 1
        if self._quick == 1:
            return 0.0
        return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._quick - 2, 16))
