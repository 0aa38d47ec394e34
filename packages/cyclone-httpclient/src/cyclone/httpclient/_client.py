"""AsyncHTTPClient: the object that holds the pool, the cookies and the defaults."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Self, Unpack, cast

from twisted.internet.defer import Deferred, fail

from ._errors import OptionConflictError
from ._flight import Flight, Transport
from ._pool import Pool
from ._request import HTTPRequest
from ._response import HTTPResponse
from ._settings import Settings
from ._timeouts import Clock, clock_of

if TYPE_CHECKING:
    from twisted.internet.interfaces import IHostnameResolver, IReactorTime
    from twisted.web.iweb import IAgent

    from ._cookies import CookieJar
    from ._endpoints import AddressFilter, HostMapping
    from ._options import BodyLike, HeadersLike, RequestOptions


def default_reactor() -> IReactorTime:
    """The global reactor, taken as late as possible so that importing installs none."""
    from twisted.internet import reactor

    return cast("IReactorTime", reactor)


def under_trial() -> bool:
    """Whether a trial test case is what runs: it fails tests that leave a socket or timer."""
    return "twisted.trial.unittest" in sys.modules


class AsyncHTTPClient:
    """An HTTP client.

    ``AsyncHTTPClient()`` gives the same object each time (one for each reactor), so that
    connections are shared; ``AsyncHTTPClient(force_instance=True, ...)`` gives one of your own,
    which you `close`. Subclasses may override `initialize`, as in Tornado.
    """

    _shared: ClassVar[dict[tuple[type, int], AsyncHTTPClient]] = {}
    _implementation: ClassVar[type[AsyncHTTPClient] | None] = None
    _configured: ClassVar[Mapping[str, object]] = {}

    _transport: Transport
    _pool: Pool | None
    _agent: IAgent | None
    _shared_key: tuple[type, int] | None = None

    def __new__(cls, force_instance: bool = False, **options: object) -> Self:
        kind: type[AsyncHTTPClient] = cls
        if cls is AsyncHTTPClient:
            options = {**AsyncHTTPClient._configured, **options}
            kind = AsyncHTTPClient._implementation or cls
        reactor = options.get("reactor") or default_reactor()
        key = (kind, id(reactor))
        if not force_instance:
            shared = AsyncHTTPClient._shared.get(key)
            if shared is not None:
                return cast(Self, shared)
            if under_trial():
                options.setdefault("idle_timeout", 0)
        client = object.__new__(kind)
        client.initialize(**options)  # type: ignore[arg-type]
        if not force_instance:
            client._shared_key = key
            AsyncHTTPClient._shared[key] = client
        return cast(Self, client)

    def initialize(
        self,
        max_clients: int = 100,
        *,
        max_clients_per_host: int | None = None,
        max_queue_size: int = 10_000,
        idle_timeout: float = 240.0,
        max_body_size: int | None = None,
        max_header_size: int | None = None,
        max_buffer_size: int | None = None,
        defaults: Mapping[str, object] | None = None,
        cookie_jar: CookieJar | bool | None = None,
        hostname_mapping: HostMapping | None = None,
        resolver: IHostnameResolver | None = None,
        allow_address: AddressFilter | None = None,
        agent: IAgent | None = None,
        reactor: IReactorTime | None = None,
        monotonic: Clock | None = None,
    ) -> None:
        """Set the client up; called by the constructor with its keywords.

        :param max_clients: how many requests are under way at once; the others wait.
        :param max_clients_per_host: the same for one host (and one set of TLS and proxy options);
            10, or `max_clients` when only that is given.
        :param max_queue_size: how many may wait; more fail at once.
        :param idle_timeout: seconds that an unused connection is kept, 0 for not at all. The shared
            client keeps none in a trial run, where a socket left behind fails the test.
        :param max_body_size: bytes of a response's body after decoding; 0 for no limit.
        :param max_header_size: bytes of a response's head.
        :param max_buffer_size: Tornado's name for a limit of its stream: the `max_body_size` where
            none is given.
        :param defaults: values for request options that a request does not give.
        :param cookie_jar: a `CookieJar`, or true for a new one; without it cookies are not kept.
        :param hostname_mapping: ``host`` or ``(host, port)`` to the address to connect to instead.
        :param resolver: resolves names instead of the reactor's resolver.
        :param allow_address: ``(host, ip, port) -> bool``, asked for each resolved address.
        :param agent: an `IAgent` that sends the requests instead of this package's pool.
        :param reactor: another reactor than the global one.
        :param monotonic: the clock of the deadlines.
        :raises ValueError: for a limit below 1.
        """
        self._settings = _client_settings(defaults, max_body_size, max_buffer_size, max_header_size)
        self._closed = False
        self._reactor = reactor or default_reactor()
        self._clock = monotonic or clock_of(self._reactor)
        self.cookie_jar: CookieJar | None = _jar(cookie_jar)
        self._pool = None
        self._agent = agent
        self.max_clients = max_clients
        if agent is not None:
            if resolver or hostname_mapping or allow_address:
                raise OptionConflictError("an 'agent' makes its own connections")
            from ._foreign import AgentTransport

            self._transport = AgentTransport(agent)
            return
        if max_clients < 1 or (max_clients_per_host is not None and max_clients_per_host < 1):
            raise ValueError("max_clients and max_clients_per_host are at least 1")
        from ._endpoints import Connector

        connector = Connector(
            self._reactor,
            resolver=resolver,
            hostname_mapping=hostname_mapping,
            allow_address=allow_address,
        )
        per_host = max_clients_per_host or (10 if max_clients == 100 else max_clients)
        self._pool = self._transport = Pool(
            self._reactor,
            self._clock,
            connector,
            max_total=max_clients,
            max_per_route=per_host,
            max_queue=max_queue_size,
            idle_timeout=idle_timeout,
        )

    @classmethod
    def configure(cls, impl: type[AsyncHTTPClient] | str | None, **options: object) -> None:
        """Choose the class and the keywords that ``AsyncHTTPClient()`` uses from now on.

        :param impl: a subclass, its dotted name, or ``None`` for this class.
        :raises ValueError: for a class that is no subclass.
        """
        if isinstance(impl, str):
            from importlib import import_module

            module, _, name = impl.rpartition(".")
            impl = cast("type[AsyncHTTPClient]", getattr(import_module(module), name))
        if impl is not None and not issubclass(impl, AsyncHTTPClient):
            raise ValueError(f"{impl!r} is not a subclass of AsyncHTTPClient")
        AsyncHTTPClient._implementation = impl
        AsyncHTTPClient._configured = dict(options)

    def fetch(
        self,
        request: HTTPRequest | str | bytes,
        raise_error: bool = True,
        *,
        method: str | bytes | None = None,
        headers: HeadersLike | None = None,
        body: BodyLike | None = None,
        **options: Unpack[RequestOptions],
    ) -> Deferred[HTTPResponse]:
        """Send a request (an `HTTPRequest`, or a URL and its options).

        The Deferred fires with the response. With ``raise_error`` (the default) a status outside
        2xx fails with `HTTPClientError`; what is not a matter of status always fails: `ValueError`
        for a request that cannot be sent, `HTTPTimeoutError`, `HTTPConnectError`,
        `HTTPStreamClosedError`. Cancelling the Deferred ends the request.
        """
        try:
            if not isinstance(request, HTTPRequest):
                request = HTTPRequest(request, method, headers, body, **options)
            elif options or method is not None or headers is not None or body is not None:
                raise ValueError("the options belong into the HTTPRequest that is given")
            if self._closed:
                raise RuntimeError("fetch() called on a closed client")
            settings = self._settings.merged(request)
            flight = Flight(
                request,
                settings,
                self._transport,
                self._reactor,
                self._clock,
                self.cookie_jar,
                raise_error,
            )
            flight.start()
        except Exception as error:
            return fail(error)
        return flight.result

    @property
    def agent(self) -> IAgent:
        """This client's connections as an `IAgent` (without redirects, decoding and cookies)."""
        if self._agent is None:
            from ._agent import PoolAgent

            self._agent = PoolAgent(cast(Pool, self._pool), self._settings)
        return self._agent

    def close(self) -> None:
        """Close the connections; what is still under way fails. The client is of no more use."""
        self._closed = True
        if self._pool is not None:
            self._pool.close()
        if self._shared_key is not None:
            AsyncHTTPClient._shared.pop(self._shared_key, None)
            self._shared_key = None

    def close_idle_connections(self) -> None:
        """Close the connections that are kept for reuse; the client goes on."""
        if self._pool is not None:
            self._pool.close_idle()


class SimpleAsyncHTTPClient(AsyncHTTPClient):
    """Tornado's name for the implementation; here the same as its base."""


def _client_settings(
    defaults: Mapping[str, object] | None,
    max_body_size: int | None,
    max_buffer_size: int | None,
    max_header_size: int | None,
) -> Settings:
    """The defaults of a client, with the limits that have a keyword of their own."""
    values = dict(defaults or {})
    if max_body_size is not None:
        values["max_body_size"] = max_body_size
    elif max_buffer_size is not None:
        values.setdefault("max_body_size", max_buffer_size)
    if max_header_size is not None:
        values["max_header_size"] = max_header_size
    return Settings(values)


def _jar(value: CookieJar | bool | None) -> CookieJar | None:
    if value is True:
        from ._cookies import CookieJar

        return CookieJar()
    return None if value is None or value is False else value
