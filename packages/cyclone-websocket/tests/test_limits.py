"""The defaults, as the documentation has them."""

from __future__ import annotations

import pytest

from cyclone.websocket._limits import Limits


def test_the_defaults() -> None:
    assert Limits()._asdict() == {
        "max_message_size": 10 * 1024 * 1024,
        "max_queue_size": 1024 * 1024,
        "write_high_water": 65536,
        "max_buffer_size": 8 * 1024 * 1024,
        "ping_interval": None,
        "ping_timeout": None,
        "close_timeout": 10.0,
        "write_timeout": 60.0,
    }


@pytest.mark.parametrize(
    ("interval", "timeout", "expected"),
    [(None, None, 0), (30, None, 30), (30, 10, 10), (30, 60, 30), (30, 0, 0), (0, 5, 0)],
)
def test_the_time_for_a_pong(
    interval: float | None, timeout: float | None, expected: float
) -> None:
    limits = Limits(ping_interval=interval, ping_timeout=timeout)
    assert limits.pong_timeout() == expected
