"""AsyncHTTPTestCase: an application on a real port, and a client that fetches from it."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred

from cyclone.httpclient import AsyncHTTPClient, HTTPResponse
from cyclone.httpserver import HTTPServer, ServerOptions
from cyclone.httputil import HTTPHeaders
from cyclone.web import Application

from ._case import AsyncTestCase
from ._reactor import get_async_test_timeout, run_sync, turn
from ._sockets import bind_unused_port


def server_for(app: Callable[[Any], object], **options: Any) -> HTTPServer:
    """A server for an application (with the limits its settings say) or another callback.

    ``options``: keywords of `HTTPServer`, which go before the settings.
    """
    settings = getattr(app, "settings", {}) if isinstance(app, Application) else {}
    names = {field.name for field in dataclasses.fields(ServerOptions) if field.init}
    limits = {name: options.pop(name) for name in names & options.keys()}
    options.setdefault("ssl_options", settings.get("ssl_options"))
    return HTTPServer(app, options=ServerOptions.from_settings({**settings, **limits}), **options)


def _asks_for_gzip(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a fetch, with gzip as the one coding the client takes if it names none."""
    if not options.get("decompress_response", options.get("use_gzip", True)):
        return options
    headers = options.get("headers")
    if headers is None:
        return {**options, "headers": {"Accept-Encoding": "gzip"}}
    if not isinstance(headers, Mapping) or "accept-encoding" in map(str.lower, headers):
        return options
    more = headers.copy() if isinstance(headers, HTTPHeaders) else dict(headers)
    more["Accept-Encoding"] = "gzip"
    return {**options, "headers": more}


class AsyncHTTPTestCase(AsyncTestCase):
    """A test case with an HTTP server: define `get_app`, and `fetch` from it.

    ::

        class TestHello(AsyncHTTPTestCase):
            def get_app(self):
                return hello.make_app()

            def test_homepage(self):
                response = self.fetch("/")
                self.assertEqual((response.code, response.body), (200, b"Hello"))

    Each test has a server on a port of its own (``self.http_server``) and a client
    (``self.http_client``). In a `gen_test` the client is awaited:
    ``await self.http_client.fetch(self.get_url("/"))``.
    """

    def setUp(self) -> None:
        """Start the server."""
        super().setUp()
        sock, self.__port = bind_unused_port()
        with sock:
            self.http_client: AsyncHTTPClient = self.get_http_client()
            self._app = self.get_app()
            self.http_server: HTTPServer = self.get_http_server()
            self.http_server.add_sockets([sock])

    def get_app(self) -> Application:
        """The application to test (or another callback for `HTTPServer`): define it."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_app()")

    def get_http_client(self) -> AsyncHTTPClient:
        """The client; closed after the test."""
        return AsyncHTTPClient(force_instance=True)

    def get_http_server(self) -> HTTPServer:
        """The server; stopped after the test."""
        return server_for(self._app, **self.get_httpserver_options())

    def get_httpserver_options(self) -> dict[str, Any]:
        """Keywords for the server, beside what the application's settings say."""
        return {}

    def get_http_port(self) -> int:
        """The port of the server."""
        return self.__port

    def get_protocol(self) -> str:
        """The scheme of the server's URLs."""
        return "http"

    def get_url(self, path: str) -> str:
        """The URL of a path on the server."""
        return f"{self.get_protocol()}://127.0.0.1:{self.get_http_port()}{path}"

    def fetch(self, path: str, raise_error: bool = False, **kwargs: Any) -> HTTPResponse:
        """Fetch a path of the server, or a whole URL, and return when the response is there.

        Keywords are those of `cyclone.httpclient.AsyncHTTPClient.fetch`. With ``raise_error`` a
        status outside 2xx raises. Other failures always do: no connection, a bad request.
        The client asks for gzip, as Tornado's does, whatever other codings it could undo.
        """
        url = path if path.lower().startswith(("http://", "https://")) else self.get_url(path)
        fetch = functools.partial(
            self.http_client.fetch, url, raise_error, **_asks_for_gzip(kwargs)
        )
        response: HTTPResponse = run_sync(fetch, get_async_test_timeout())
        return response

    def tearDown(self) -> None:
        """Stop the server, whatever it is doing, and close the client."""
        server, client = self.http_server, self.http_client

        async def stop() -> None:
            client.close()
            stopped: Deferred[Any] = server.stop(idle_grace=0)
            await server.close_all_connections()
            await stopped
            await turn()

        run_sync(stop, get_async_test_timeout())
        del self.http_server
        del self._app
        super().tearDown()


class AsyncHTTPSTestCase(AsyncHTTPTestCase):
    """`AsyncHTTPTestCase` with TLS: the server has a certificate that is made for the tests.

    Needs ``cyclone-testing[ssl]``.
    """

    def get_http_client(self) -> AsyncHTTPClient:
        """A client that believes any certificate."""
        return AsyncHTTPClient(force_instance=True, defaults={"validate_cert": False})

    def get_httpserver_options(self) -> dict[str, Any]:
        """The server's keywords: ``ssl_options``."""
        return {"ssl_options": self.get_ssl_options()}

    def get_ssl_options(self) -> dict[str, Any]:
        """``certfile`` and ``keyfile`` of the server's certificate, or a context factory."""
        return self.default_ssl_options()

    @staticmethod
    def default_ssl_options() -> dict[str, Any]:
        """A certificate for ``localhost``, ``127.0.0.1``, ``::1`` and ``foo.example.com``."""
        from ._certificate import certificate_files

        certfile, keyfile = certificate_files()
        return {"certfile": certfile, "keyfile": keyfile}

    def get_protocol(self) -> str:
        """The scheme of the server's URLs."""
        return "https"
