"""What may be used once only: spent states and nonces, remembered until they expire."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable


class OnceOnly:
    """Remembers values for *seconds*, at most *capacity* of them.

    When full the oldest is forgotten: the memory is bounded, and what is forgotten early is still
    refused by the provider, which takes a code once.
    """

    def __init__(
        self,
        seconds: float,
        capacity: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if seconds <= 0 or capacity < 1:
            raise ValueError("seconds and capacity must be positive")
        self._seconds = seconds
        self._capacity = capacity
        self._clock = clock
        self._seen: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    def spend(self, value: str) -> bool:
        """Use *value*; False when it was used before."""
        now = self._clock()
        seen = self._seen
        while seen:
            oldest = next(iter(seen))
            if seen[oldest] > now and len(seen) < self._capacity:
                break
            del seen[oldest]
        if value in seen:
            return False
        seen[value] = now + self._seconds
        return True
