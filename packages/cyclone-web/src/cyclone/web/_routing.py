"""Routers: which target takes a request, and what URL leads to a target.

Every router is a callback for :class:`cyclone.httpserver.HTTPServer`. A :class:`RuleRouter` holds
rules and takes the first that matches. Routers nest: a target that is a router is asked in turn,
and if it has no answer the search goes on behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self, SupportsIndex

from ._routing_delegates import (
    CallableDelegate,
    NotFoundDelegate,
    logger,
    serve_delegate,
    serve_delegate_headers,
)
from ._routing_entries import Entry, LiteralEntry, Route, is_handler, make_entry, plain
from ._routing_index import PrefixIndex, rule_ending, rule_literal
from ._routing_rules import Rule, as_rule

if TYPE_CHECKING:
    from cyclone.httpserver import HTTPRequest

    from ._application import Application

    # list[object] is what mypy takes a variable with both tuples and URLSpecs for
    RuleSequence = Iterable[Rule | Sequence[Any]] | list[object]


class Router:
    """Something that knows who serves a request. Subclasses define :meth:`find_handler`."""

    def find_handler(self, request: HTTPRequest, **kwargs: Any) -> Any:
        """Return the delegate that serves *request* (see ``cyclone.httputil.HTTPMessageDelegate``).

        None means that this router has no answer.
        """
        raise NotImplementedError

    def start_request(self, server_conn: object, request_conn: Any) -> Any:
        """Return a message delegate that routes once it has the head of the request."""
        return _RoutingDelegate(self, request_conn)

    def __call__(self, request: HTTPRequest) -> None:
        """Serve a complete *request*: the server's callback."""
        serve_delegate(self.find_handler(request) or NotFoundDelegate(), request)

    def headers_received(self, request: HTTPRequest) -> Any:
        """Return who receives the body of *request*; None to have it collected first."""
        return serve_delegate_headers(self.find_handler(request) or NotFoundDelegate(), request)


class ReversibleRouter(Router):
    """A router that can build the URL of a named route."""

    def reverse_url(self, name: str, *args: Any, **kwargs: Any) -> str | None:
        """Return the URL of the route *name* for these arguments, or None if there is none."""
        raise NotImplementedError


class RuleRouter(Router):
    """A router made of rules: the first that matches takes the request.

    *rules* are :class:`Rule` objects or tuples ``(pattern or matcher, target[, kwargs[, name]])``.
    A target is a handler class (inside an application), a router, a list of rules, a callable that
    takes the request, or an object with ``start_request``. ``rules`` is a list and may be changed.
    """

    def __init__(self, rules: RuleSequence | None = None) -> None:
        self._rules = _RuleList(self._forget)
        self._index: PrefixIndex[Entry] | None = None
        if rules:
            self.add_rules(rules)

    @property
    def rules(self) -> list[Rule]:
        """The rules in their order."""
        return self._rules

    @rules.setter
    def rules(self, rules: Iterable[Rule]) -> None:
        self._rules = _RuleList(self._forget, rules)
        self._forget()

    def add_rules(self, rules: RuleSequence) -> None:
        """Append *rules*. Raises ValueError or TypeError for what is no rule."""
        if not isinstance(rules, Iterable):
            raise TypeError(f"routes are a list of rules or tuples, not {rules!r}")
        for rule in rules:
            self._rules.append(self.process_rule(as_rule(rule)))

    def process_rule(self, rule: Rule) -> Rule:
        """Return the rule to add in place of *rule*.

        Override it to look at each rule as it is added.
        """
        if isinstance(rule.target, (list, tuple)):
            rule.target = self._nested(rule.target)
        return rule

    def _nested(self, rules: RuleSequence) -> RuleRouter:
        """Return the router for a list of rules that stands as a target."""
        return ReversibleRuleRouter(rules)

    @plain
    def find_handler(self, request: HTTPRequest, **kwargs: Any) -> Any:
        """Return the delegate of the first rule that matches and has one."""
        for rule in self._candidate_rules(request.path):
            parameters = rule.matcher.match(request)
            if parameters is None:
                continue
            if rule.target_kwargs:
                parameters["target_kwargs"] = rule.target_kwargs
            delegate = self.get_target_delegate(rule.target, request, **parameters)
            if delegate is not None:
                return delegate
        return None

    @plain
    def get_target_delegate(self, target: Any, request: HTTPRequest, **target_params: Any) -> Any:
        """Return the delegate of *target* for *request*; override it for targets of other kinds."""
        if isinstance(target, Router):
            return target.find_handler(request, **target_params)
        if hasattr(target, "start_request"):
            connection = request.connection
            return target.start_request(getattr(request, "server_connection", None), connection)
        if callable(target):
            return CallableDelegate(target, target_params)
        return None

    def _resolve(self, request: HTTPRequest) -> Route | None:
        """Return the route of *request* through this router and the plain routers in it."""
        path = request.path
        for entry in (self._index or self._build_index()).candidates(path):
            route = entry.resolve(request, path)
            if route is not None:
                return route
        return None

    def _unconditional(self, path: str) -> Route | None:
        """Return the route of *path* if it does not depend on anything else in a request."""
        candidates = (self._index or self._build_index()).candidates(path)
        first = candidates[0] if candidates else None
        return first.route if type(first) is LiteralEntry else None

    def _candidate_rules(self, path: str) -> Iterator[Rule]:
        for entry in (self._index or self._build_index()).candidates(path):
            yield entry.rule

    def _build_index(self) -> PrefixIndex[Entry]:
        self._index = PrefixIndex(
            [(rule_literal(rule), make_entry(self, rule)) for rule in self._rules],
            lambda entry: rule_ending(entry.rule),
        )
        return self._index

    def _forget(self) -> None:
        self._index = None


class ReversibleRuleRouter(ReversibleRouter, RuleRouter):
    """A :class:`RuleRouter` whose rules may have names, also those of routers nested in it."""

    def __init__(self, rules: RuleSequence | None = None) -> None:
        self.named_rules: dict[str, Rule] = {}
        super().__init__(rules)

    def process_rule(self, rule: Rule) -> Rule:
        """Note the rule's name.

        A name that was taken already goes to the later rule, with a warning.
        """
        rule = super().process_rule(rule)
        if rule.name:
            if rule.name in self.named_rules:
                logger("cyclone.application").warning(
                    "Multiple handlers named {name}; replacing previous value", name=rule.name
                )
            self.named_rules[rule.name] = rule
        return rule

    def reverse_url(self, name: str, *args: Any, **kwargs: Any) -> str | None:
        """Return the URL of the route *name*, or None if no router here has that name.

        Raises :class:`URLReverseError` when the arguments do not fit the route's pattern.
        """
        rule = self.named_rules.get(name)
        if rule is not None:
            return rule.matcher.reverse(*args, **kwargs)
        for rule in self._rules:
            if isinstance(rule.target, ReversibleRouter):
                url = rule.target.reverse_url(name, *args, **kwargs)
                if url is not None:
                    return url
        return None


class HandlerRouter(ReversibleRuleRouter):
    """The router inside an application: handler classes are targets that its *application* runs."""

    def __init__(self, application: Application, rules: RuleSequence | None = None) -> None:
        self.application = application
        super().__init__(rules)

    def _nested(self, rules: RuleSequence) -> RuleRouter:
        return HandlerRouter(self.application, rules)

    def _forget(self) -> None:
        super()._forget()
        application = self.application
        application._top_router = None
        known = getattr(application, "_literal_routes", None)
        if known:
            known.clear()

    @plain
    def get_target_delegate(self, target: Any, request: HTTPRequest, **target_params: Any) -> Any:
        """Return the application's delegate for a handler class, else what any router returns."""
        if is_handler(target):
            return self.application.get_handler_delegate(request, target, **target_params)
        return super().get_target_delegate(target, request, **target_params)


class _RuleList(list[Rule]):
    """A list that says when it changes."""

    def __init__(self, changed: Callable[[], None], rules: Iterable[Rule] = ()) -> None:
        super().__init__(rules)
        self._changed = changed

    def append(self, rule: Rule) -> None:
        super().append(rule)
        self._changed()

    def extend(self, rules: Iterable[Rule]) -> None:
        super().extend(rules)
        self._changed()

    def insert(self, index: SupportsIndex, rule: Rule) -> None:
        super().insert(index, rule)
        self._changed()

    def remove(self, rule: Rule) -> None:
        super().remove(rule)
        self._changed()

    def pop(self, index: SupportsIndex = -1) -> Rule:
        self._changed()
        return super().pop(index)

    def clear(self) -> None:
        super().clear()
        self._changed()

    def reverse(self) -> None:
        super().reverse()
        self._changed()

    def sort(self, **kwargs: Any) -> None:
        super().sort(**kwargs)
        self._changed()

    def __setitem__(self, index: Any, rule: Any) -> None:
        super().__setitem__(index, rule)
        self._changed()

    def __delitem__(self, index: Any) -> None:
        super().__delitem__(index)
        self._changed()

    def __iadd__(self, rules: Iterable[Rule]) -> Self:  # type: ignore[override,misc]
        self.extend(rules)
        return self


class _RoutingDelegate:
    """Finds the real delegate when the head of a request is in, then passes everything on to it."""

    def __init__(self, router: Router, request_conn: Any) -> None:
        self._router = router
        self._request_conn = request_conn
        self._request: Any = None
        self._delegate: Any = None
        self._body: list[bytes] = []

    def headers_received(self, start_line: Any, headers: Any) -> Any:
        """Route the request that the connection is at, or one made of what is given."""
        self._request = getattr(self._request_conn, "request", None)
        if self._request is None:
            from cyclone.httpserver import HTTPRequest

            self._request = HTTPRequest(
                connection=self._request_conn, start_line=start_line, headers=headers
            )
        delegate: Any = self._router.find_handler(self._request) or NotFoundDelegate()
        self._delegate = delegate
        return (
            None if hasattr(delegate, "serve") else delegate.headers_received(start_line, headers)
        )

    def data_received(self, chunk: bytes) -> Any:
        """Pass a piece of the body on, or keep it for a delegate that wants all of it."""
        if hasattr(self._delegate, "serve"):
            self._body.append(chunk)
            return None
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        """Pass on the end of the request."""
        if hasattr(self._delegate, "serve"):
            self._request.body = b"".join(self._body)
            self._delegate.serve(self._request)
        else:
            self._delegate.finish()

    def on_connection_close(self) -> None:
        """Pass on that the client went away."""
        if self._delegate is not None and not hasattr(self._delegate, "serve"):
            self._delegate.on_connection_close()
