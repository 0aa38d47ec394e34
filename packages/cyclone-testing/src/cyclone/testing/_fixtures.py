"""What the pytest fixtures `cyclone_client` and `cyclone_server` give a test."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ._client import Client
from ._clock import VirtualClock
from ._server import ServedApplication

_REAL: Any = object()


class ClientFactory:
    """Makes clients; any other attribute is that of a client of the fixture ``cyclone_app``."""

    def __init__(self, app: Callable[[], Any], clock: VirtualClock) -> None:
        self._app = app
        self.clock = clock
        self._clients: list[Client] = []

    def __call__(self, app: Any = None, **options: Any) -> Client:
        """A client of ``app``, on the test's clock. ``options``: those of `Client`."""
        options.setdefault("clock", self.clock)
        client = Client(self._app() if app is None else app, **options)
        self._clients.append(client)
        return client

    @functools.cached_property
    def default(self) -> Client:
        """The client of the fixture ``cyclone_app``."""
        return self()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.default, name)

    def close(self) -> None:
        """The test is over: the clients go away."""
        for client in self._clients:
            client.close()


class ServerFactory:
    """Makes servers; any other attribute is that of a server of the fixture ``cyclone_app``."""

    def __init__(self, app: Callable[[], Any], clock: VirtualClock) -> None:
        self._app = app
        self.clock = clock
        self._servers: list[ServedApplication] = []

    def __call__(
        self, app: Any = None, *, clock: VirtualClock | None = _REAL, **options: Any
    ) -> ServedApplication:
        """Serve ``app``. ``options``: keywords of `HTTPServer`."""
        chosen = self.clock if clock is _REAL else clock
        server = ServedApplication(self._app() if app is None else app, chosen, **options)
        self._servers.append(server)
        return server

    @functools.cached_property
    def default(self) -> ServedApplication:
        """The server of the fixture ``cyclone_app``."""
        return self()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.default, name)

    @property
    def running(self) -> bool:
        """Whether there is anything to stop."""
        return bool(self._servers)

    async def stop(self) -> None:
        """The test is over."""
        while self._servers:
            server = self._servers.pop()
            await server.stop()
