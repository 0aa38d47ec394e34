"""Clients of applications in memory: bytes in, bytes out, a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cyclone.testing import Client, VirtualClock
from cyclone.web import Application


@pytest.fixture
def clock() -> VirtualClock:
    """The reactor's time in a test that uses ``serve``."""
    return VirtualClock()


@pytest.fixture
def serve(clock: VirtualClock) -> Callable[..., Client]:
    """``serve(handlers, **settings)``: a client of an application with these handlers.

    It keeps no cookies: each request is what its test says.
    """

    def make(
        handlers: Any = None, *, application: type[Application] = Application, **settings: Any
    ) -> Client:
        settings.setdefault("reactor", clock)
        app = application(handlers, **settings)
        return Client(app, clock, host="example.com", keep_cookies=False)

    return make
