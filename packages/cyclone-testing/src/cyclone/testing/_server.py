"""ServedApplication: an application on a real port whose time is virtual."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from cyclone.httpclient import AsyncHTTPClient, HTTPResponse

from ._clock import ClockedReactor, VirtualClock
from ._httpcase import server_for
from ._reactor import turn
from ._sockets import bind_unused_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from cyclone.httpserver import HTTPRequest, HTTPServer


class ServedApplication:
    """An application served on a free port of 127.0.0.1, and a client that fetches from it.

    The sockets are real; the server's timeouts (and those of its WebSockets and event streams) run
    on ``clock``, a `VirtualClock`. With ``clock=None`` they take the time they take. ``options``
    are keywords of `HTTPServer`.
    """

    def __init__(
        self,
        app: Callable[[HTTPRequest], object],
        clock: VirtualClock | None = None,
        **options: Any,
    ) -> None:
        from twisted.internet import reactor

        self.app: Any = app
        self.clock = clock
        if clock is not None:
            options["reactor"] = ClockedReactor(reactor, clock)
            options["monotonic"] = clock.seconds
            if hasattr(app, "reactor") and hasattr(app, "monotonic"):
                app.reactor, app.monotonic = options["reactor"], clock.seconds
        self.scheme = "https" if options.get("ssl_options") else "http"
        self.server: HTTPServer = server_for(app, **options)
        self.client: AsyncHTTPClient = AsyncHTTPClient(
            force_instance=True, defaults={"validate_cert": False}
        )
        self.port: int
        sock, self.port = bind_unused_port()
        with sock:
            self.server.add_socket(sock)

    @property
    def url(self) -> str:
        """The address, without a path."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def get_url(self, path: str) -> str:
        """The URL of a path."""
        return self.url + path

    def fetch(self, path: str, raise_error: bool = False, **options: Any) -> Deferred[HTTPResponse]:
        """Fetch a path; keywords are those of `cyclone.httpclient.AsyncHTTPClient.fetch`."""
        return self.client.fetch(self.get_url(path), raise_error, **options)

    async def stop(self) -> None:
        """Stop, whatever is going on."""
        self.client.close()
        stopped = self.server.stop(idle_grace=0)
        await self.server.close_all_connections()
        await stopped
        await turn()
