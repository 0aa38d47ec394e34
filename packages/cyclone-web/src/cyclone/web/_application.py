"""Application: the handlers, the settings, and the factory of the server's connections."""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from twisted.internet.protocol import ServerFactory

from cyclone.httpserver import HTTPConnection, HTTPServer
from cyclone.httputil import HTTPHeaders, http_date

from ._coroutines import bridge_context, running_loop
from ._handler import ErrorHandler, RequestHandler
from ._log import log_request
from ._observation import make_observer
from ._response import JSON_TYPE, default_headers
from ._routing import HandlerRouter, ReversibleRouter
from ._routing_delegates import serve_delegate, serve_delegate_headers
from ._routing_entries import only_router
from ._routing_matchers import AnyMatches, DefaultHostMatches, HostMatches
from ._routing_rules import Rule, check_targets
from ._settings import SERVER_OPTIONS, Settings, check_settings, warn_near_misses
from ._transforms import GZipContentEncoding, OutputTransform
from ._uimodules import UIModule, load_ui_methods, load_ui_modules
from ._unfinished import OpenRequest, OpenRequests

if TYPE_CHECKING:
    from typing import Unpack

    from twisted.internet.interfaces import IAddress

    from cyclone.httpserver import HTTPRequest, ServerKeywords, ServerOptions
    from cyclone.template import BaseLoader

    from ._known_pages import KnownPages
    from ._rendering import LoaderKey
    from ._routing import RuleRouter, RuleSequence
    from ._routing_entries import Route

    class ListenKeywords(ServerKeywords, total=False):
        """The keywords of :meth:`Application.listen`."""

        family: int
        backlog: int
        flags: int | None
        reuse_port: bool
        ssl_options: Any
        options: ServerOptions | None
        reactor: Any
        monotonic: Callable[[], float]


_copy_context = contextvars.copy_context
_NOTHING: dict[str, Any] = {}
_LISTEN_OPTIONS = frozenset({"backlog", "family", "flags", "reuse_port"})


class Application(HTTPServer, ReversibleRouter, ServerFactory):
    """A web application: routes to handlers, and settings.

    It is a Twisted server factory (``reactor.listenTCP(8888, application)``, or any endpoint), has
    a :meth:`listen` of its own, and is a callback for ``cyclone.httpserver.HTTPServer``.

    :arg handlers: routes in order, the first that matches wins: tuples ``(pattern, handler)``, with
        keywords for ``initialize`` as a third and a name as a fourth item, or ``URLSpec`` and
        ``Rule``.
    :arg default_host: the host whose handlers (see :meth:`add_handlers`) also serve unknown hosts.
    :arg transforms: classes of output transforms, in place of what the settings ask for.
    :arg error_handler: the class that answers for paths without a handler, given
        ``status_code=404``.
    :arg settings: the settings known to the framework and those of the application; also the limits
        of ``cyclone.httpserver.ServerOptions``.
    """

    #: What serves a connection: a subclass may say another.
    protocol: Any = HTTPConnection
    numPorts: int

    @overload
    def __init__(
        self,
        handlers: RuleSequence | None = None,
        default_host: str | None = None,
        transforms: list[type[OutputTransform]] | None = None,
        error_handler: type[RequestHandler] | None = None,
        **settings: Any,
    ) -> None: ...
    @overload  # for ``**settings`` out of a dict with values of several types
    def __init__(self, handlers: RuleSequence | None = None, **settings: Any) -> None: ...
    def __init__(
        self,
        handlers: RuleSequence | None = None,
        default_host: str | None = None,
        transforms: list[type[OutputTransform]] | None = None,
        error_handler: type[RequestHandler] | None = None,
        **settings: Any,
    ) -> None:
        self.settings: Settings
        self.settings = settings = Settings(settings)
        warn_near_misses(settings)
        check_settings(settings)
        _apply_debug(settings)
        if error_handler is not None:
            settings.setdefault("default_handler_class", error_handler)
            settings.setdefault("default_handler_args", {"status_code": 404})
        HTTPServer.__init__(self, self, **_server_options(settings))
        if default_host and not isinstance(default_host, str):
            raise TypeError(f"default_host is a name, not {default_host!r}: settings are keywords")
        self.default_host: str | None = default_host or None
        if transforms is None:
            transforms = []
            if settings.get("compress_response") or settings.get("gzip"):
                transforms.append(GZipContentEncoding)
        self.transforms = transforms
        self.ui_methods: dict[str, Callable[..., Any]] = load_ui_methods(settings.get("ui_methods"))
        self.ui_modules: dict[str, type[UIModule]] = load_ui_modules(settings.get("ui_modules"))
        self._open_requests = OpenRequests(self)
        self._date: str | None = None
        self._defaults = HTTPHeaders()
        self._wire = b""
        # The routes that depend on the path only, by that path; any change of a router clears it.
        self._literal_routes: dict[str, Route] = {}
        self._template_loaders: dict[LoaderKey, BaseLoader] = {}
        self._known_pages: KnownPages = {}
        # Where the search begins; and is the only router here one for any host?
        self._top_router: RuleRouter | None = None
        self._any_host = False
        self.wildcard_router: HandlerRouter = HandlerRouter(self, self._with_static(handlers))
        check_targets(self.wildcard_router.rules)
        self.default_router: HandlerRouter = HandlerRouter(
            self, [Rule(AnyMatches(), self.wildcard_router)]
        )
        self._plain_routing = type(self).find_handler is Application.find_handler
        self._plain_bodies = (
            self._plain_routing and type(self).headers_received is Application.headers_received
        )
        self._forgets_files = not settings.get("static_hash_cache", True)
        self._observe()

    def _observe(self) -> None:
        """What a request enters by: with an observer the way leads through it."""
        self._observer = make_observer(self)
        self._enter: Callable[[HTTPRequest], None] = self._serve
        self._enter_headers: Callable[[HTTPRequest], Any] = self._receive
        if self._observer is not None:
            self._enter = functools.partial(self._observer.serve, self._serve)
            self._enter_headers = functools.partial(self._observer.receive, self._receive)

    def enable_debug(self) -> None:
        """Turn debug mode on, as the setting ``debug`` does, before the application serves.

        Settings that were given by themselves stay as they are.
        """
        self.settings["debug"] = True
        _apply_debug(self.settings)
        self._forgets_files = not self.settings.get("static_hash_cache", True)
        self._open_requests = OpenRequests(self)
        self._observe()

    # --- routes -------------------------------------------------------------------------------

    def _with_static(self, handlers: RuleSequence | None) -> list[Any]:
        if handlers is not None and not isinstance(handlers, Iterable):
            raise TypeError(f"handlers are a list of routes, not {handlers!r}")
        rules = list(handlers or ())
        if self.settings.get("static_path"):
            from ._static_routes import static_routes

            rules[:0] = static_routes(self.settings)
        return rules

    def add_handlers(self, host_pattern: str, host_handlers: RuleSequence) -> None:
        """Add routes for the hosts that match *host_pattern*, before those for any host."""
        matcher = HostMatches(host_pattern)
        router = HandlerRouter(self, host_handlers)
        check_targets(router.rules)
        self.default_router.rules.insert(-1, Rule(matcher, router))
        if self.default_host is not None:
            self.wildcard_router.add_rules(
                [(DefaultHostMatches(self, matcher.host_pattern), host_handlers)]
            )

    def add_transform(self, transform_class: type[OutputTransform]) -> None:
        """Add an output transform, behind the others."""
        self.transforms.append(transform_class)

    def reverse_url(self, name: str, *args: Any, **kwargs: Any) -> str:
        """The path of the route called *name*, its groups filled in.

        :raises KeyError: when no route has that name.
        :raises URLReverseError: when the arguments do not fit the pattern.
        """
        url = self.default_router.reverse_url(name, *args, **kwargs)
        if url is None:
            raise KeyError(f"{name} not found in named urls")
        return url

    def find_handler(self, request: HTTPRequest, **kwargs: Any) -> Any:
        """The delegate that serves *request*. Override it for routing of your own."""
        delegate = self.default_router.find_handler(request, **kwargs)
        if delegate is not None:
            return delegate
        handler_class, handler_kwargs = self._default_handler()
        return self.get_handler_delegate(request, handler_class, handler_kwargs)

    def get_handler_delegate(
        self,
        request: HTTPRequest,
        target_class: type[RequestHandler],
        target_kwargs: Mapping[str, Any] | None = None,
        path_args: Sequence[bytes | None] | None = None,
        path_kwargs: Mapping[str, bytes | None] | None = None,
    ) -> HandlerDelegate:
        """What serves *request* with a handler of *target_class*."""
        return HandlerDelegate(
            self, target_class, target_kwargs or {}, path_args or (), path_kwargs or {}
        )

    def _default_handler(self) -> tuple[type[RequestHandler], dict[str, Any]]:
        handler_class = self.settings.get("default_handler_class")
        if handler_class is not None:
            return handler_class, self.settings.get("default_handler_args") or {}
        return ErrorHandler, {"status_code": 404}

    # --- listening ----------------------------------------------------------------------------

    def listen(  # type: ignore[override]
        self, port: int, address: str | None = None, **kwargs: Unpack[ListenKeywords]
    ) -> HTTPServer:
        """Serve on *port*, and return the server, which has a ``stop()``.

        Keywords are those of ``cyclone.httpserver.HTTPServer.listen`` (``backlog``, ``family``,
        ``reuse_port``), and options of that class, which go before those in the settings.
        """
        options: dict[str, Any] = {**_server_options(self.settings), **kwargs}
        listening = {name: options.pop(name) for name in _LISTEN_OPTIONS if name in options}
        server = HTTPServer(self, **options)
        server.listen(port, address, **listening)
        bridge_context()  # tasks that a main() starts from now on may await Deferreds too
        self._start_autoreload()
        return server

    def doStart(self) -> None:
        """Twisted: a port listens."""
        HTTPServer.doStart(self)
        default_headers(self.settings)  # looks up our version: the first client need not wait
        self.numPorts += 1
        if self.numPorts == 1:
            self.startFactory()  # type: ignore[no-untyped-call]
        self._start_autoreload()

    def doStop(self) -> None:
        """Twisted: a port listens no more."""
        HTTPServer.doStop(self)
        self.numPorts = max(0, self.numPorts - 1)
        if self.numPorts == 0:
            self.stopFactory()  # type: ignore[no-untyped-call]

    def buildProtocol(self, addr: IAddress | None) -> HTTPConnection:
        """Twisted: a connection was accepted."""
        # A program may call something else its protocol
        protocol = self.protocol if callable(self.protocol) else HTTPConnection
        connection: HTTPConnection = protocol(self)
        return connection

    def _start_autoreload(self) -> None:
        if self.settings.get("autoreload"):
            from . import _autoreload

            if self.settings.get("reload_page"):
                from ._reload_page import install

                install(self, _autoreload.reloader)
            _autoreload.start_for(self.settings)

    # --- requests -----------------------------------------------------------------------------

    def __call__(self, request: HTTPRequest) -> None:
        """Serve a complete request, in a context of its own."""
        _copy_context().run(self._enter, request)

    def _serve(self, request: HTTPRequest) -> None:
        if running_loop() is not None:
            bridge_context()
        if not self._plain_routing:
            # It was asked when the head was in, if there is a body: once is enough
            found = vars(request).pop("_delegate", None)
            serve_delegate(self.find_handler(request) if found is None else found, request)
            return
        route = self._literal_routes.get(request.uri) or self._resolve(request)
        if route is None:
            handler_class, handler_kwargs = self._default_handler()
            handler = self._make_handler(handler_class, request, handler_kwargs)
            if handler is not None:
                handler._start_request((), _NOTHING)
            return
        target = route[0]
        if not isinstance(target, type):
            serve_delegate(target, request)
            return
        handler = self._make_handler(target, request, route[1])
        if handler is not None:
            handler._matched_rule = route[4]
            handler._start_request(route[2], route[3])

    def _resolve(self, request: HTTPRequest) -> Route | None:
        top = self._top_router
        if top is None:
            only = only_router(self.default_router)
            self._any_host = only is not None
            self._top_router = top = only or self.default_router
        route = top._resolve(request)
        if route is not None and self._any_host and not (route[2] or route[3]):
            literal = top._unconditional(request.uri)
            if literal is not None:
                # No more of these than routes with a literal path.
                self._literal_routes[request.uri] = literal
        return route

    def collects_body(self, request: HTTPRequest) -> bool:
        """Whether :meth:`headers_received` would only say so: the body is small and here."""
        route = self._literal_routes.get(request.uri)
        if route is None or not self._plain_bodies:
            return False
        target = route[0]
        return (
            isinstance(target, type)
            and target.max_body_size is None  # type: ignore[attr-defined]
            and not target._stream_request_body  # type: ignore[attr-defined]
        )

    def headers_received(self, request: HTTPRequest) -> Any:
        """Decide who takes the body of *request*, whose head is in: None to have it collected."""
        return contextvars.copy_context().run(self._enter_headers, request)

    def _receive(self, request: HTTPRequest) -> Any:
        bridge_context()
        if not self._plain_routing:
            delegate = vars(request)["_delegate"] = self.find_handler(request)
            return serve_delegate_headers(delegate, request)
        route = self._literal_routes.get(request.uri) or self._resolve(request)
        if route is None:
            return None
        target = route.target
        if not isinstance(target, type):
            return serve_delegate_headers(target, request)
        return self._receive_for(
            target, request, route.target_kwargs, route.path_args, route.path_kwargs, route.rule
        )

    def _receive_for(
        self,
        handler_class: type[RequestHandler],
        request: HTTPRequest,
        kwargs: Mapping[str, Any],
        path_args: Sequence[bytes | None],
        path_kwargs: Mapping[str, bytes | None],
        rule: Rule | None = None,
    ) -> Any:
        if handler_class.max_body_size is not None:
            request.connection.set_max_body_size(handler_class.max_body_size)
        if not handler_class._stream_request_body:
            if handler_class._keeps_whole_body(kwargs):
                request.parses_forms = False
            return None
        handler = self._make_handler(handler_class, request, kwargs)
        if handler is None:
            return None
        handler._matched_rule = rule
        return handler._start_streamed(path_args, path_kwargs)

    def _serve_with(
        self,
        handler_class: type[RequestHandler],
        request: HTTPRequest,
        kwargs: Mapping[str, Any],
        path_args: Sequence[bytes | None],
        path_kwargs: Mapping[str, bytes | None],
    ) -> None:
        handler = self._make_handler(handler_class, request, kwargs)
        if handler is not None:
            handler._start_request(path_args, path_kwargs)

    def _make_handler(
        self,
        handler_class: type[RequestHandler],
        request: HTTPRequest,
        kwargs: Mapping[str, Any],
    ) -> RequestHandler | None:
        """Make the handler; when it cannot even be made the client gets the error page."""
        if self._forgets_files:
            self._forget_files()
        try:
            handler = (
                handler_class(self, request, **kwargs) if kwargs else handler_class(self, request)
            )
        except BaseException as error:
            self._answer_failure(request, error)
            return None
        if self._observer is not None:
            self._observer.made(handler)
        if self.transforms:
            handler._transforms = [transform(request) for transform in self.transforms]
        if handler.no_keep_alive:
            request.connection.keep_alive = False
        return handler

    def _forget_files(self) -> None:
        """In debug mode a static file's version is worked out anew for each page."""
        from ._static import StaticFileHandler

        self.settings.get("static_handler_class", StaticFileHandler).reset()

    def _answer_failure(self, request: HTTPRequest, error: BaseException) -> None:
        handler = RequestHandler(self, request)
        if self._observer is not None:
            self._observer.made(handler)
        handler._handle_request_exception(error)

    def _default_headers(self) -> HTTPHeaders:
        """The header fields every answer starts with: to be copied, not changed."""
        date = http_date()
        if date is not self._date:
            self._date = date
            self._defaults = headers = default_headers(self.settings)
            self._wire = headers.wire()
        return self._defaults

    def _default_wire(self) -> bytes:
        """The same fields as bytes."""
        if http_date() is not self._date:
            self._default_headers()
        return self._wire

    @functools.cached_property
    def _plain_wire(self) -> bytes:
        """The same without the date."""
        headers = default_headers(self.settings)
        del headers["Date"]
        return headers.wire()

    @functools.cached_property
    def _plain_json_wire(self) -> bytes:
        """The same for an answer that is JSON."""
        headers = default_headers(self.settings)
        del headers["Date"]
        headers["Content-Type"] = JSON_TYPE
        return headers.wire()

    def log_request(self, handler: RequestHandler) -> None:
        """Log a finished request. Override it, or set ``log_function``, to do that otherwise."""
        log_request(handler)

    def open_requests(self) -> list[OpenRequest]:
        """The requests whose handlers returned without an answer so far, oldest first."""
        return self._open_requests.entries()


class HandlerDelegate:
    """Serves one request with a handler of a given class."""

    def __init__(
        self,
        application: Application,
        handler_class: type[RequestHandler],
        handler_kwargs: Mapping[str, Any],
        path_args: Sequence[bytes | None],
        path_kwargs: Mapping[str, bytes | None],
    ) -> None:
        self.application = application
        self.handler_class = handler_class
        self.handler_kwargs = handler_kwargs
        self.path_args = path_args
        self.path_kwargs = path_kwargs

    def serve(self, request: HTTPRequest) -> None:
        """Serve a complete request."""
        self.application._serve_with(
            self.handler_class, request, self.handler_kwargs, self.path_args, self.path_kwargs
        )

    def serve_headers(self, request: HTTPRequest) -> Any:
        """Decide who takes the body, as the server's ``headers_received`` does."""
        return self.application._receive_for(
            self.handler_class, request, self.handler_kwargs, self.path_args, self.path_kwargs
        )


def _apply_debug(settings: dict[str, Any]) -> None:
    """What ``debug=True`` stands for, unless it is set by itself."""
    if settings.get("debug"):
        settings.setdefault("autoreload", True)
        settings.setdefault("compiled_template_cache", False)
        settings.setdefault("static_hash_cache", False)
        settings.setdefault("serve_traceback", True)


def _server_options(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that are for the server."""
    return {name: settings[name] for name in SERVER_OPTIONS if name in settings}
