"""Matchers: the conditions under which a rule takes a request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes, urlencode

from ._routing_pattern import Group, reverse_parts

if TYPE_CHECKING:
    from typing import Protocol

    from cyclone.httpserver import HTTPRequest

    class _HasDefaultHost(Protocol):
        default_host: str | None


class URLReverseError(ValueError):
    """A route's URL cannot be built: the pattern has no way back, or arguments are missing."""


class Matcher:
    """A condition on a request.

    Subclass it, define :meth:`match`, and use it in a :class:`Rule`.
    """

    def match(self, request: HTTPRequest) -> dict[str, Any] | None:
        """Return the parameters for the target, or None if the request does not match.

        An empty dictionary is a match. ``path_args`` (a list of bytes) and ``path_kwargs`` (a
        dictionary) become the arguments of a handler's method.
        """
        raise NotImplementedError

    def reverse(self, *args: Any, **kwargs: Any) -> str | None:
        """Return the URL that these arguments come from, or None if the matcher knows none.

        Raises :class:`URLReverseError` when the arguments do not fit.
        """
        return None


class AnyMatches(Matcher):
    """Matches every request."""

    def match(self, request: HTTPRequest) -> dict[str, Any] | None:
        """Return an empty dictionary."""
        return {}


class HostMatches(Matcher):
    """Matches the host name of a request (without its port) against a regular expression.

    A ``str`` has to match to its end, a compiled pattern is used as it is.
    """

    def __init__(self, host_pattern: str | re.Pattern[str]) -> None:
        self.host_pattern: re.Pattern[str] = _compiled(host_pattern)

    def match(self, request: HTTPRequest) -> dict[str, Any] | None:
        """Return an empty dictionary if the host matches, else None."""
        return {} if self.host_pattern.match(request.host_name) else None


class DefaultHostMatches(Matcher):
    """Matches when the application's ``default_host`` does and no proxy says who the client is.

    A request that came through a proxy (it has ``X-Real-Ip``) was meant for the host it names.
    """

    def __init__(self, application: _HasDefaultHost, host_pattern: re.Pattern[str]) -> None:
        self.application = application
        self.host_pattern = host_pattern

    def match(self, request: HTTPRequest) -> dict[str, Any] | None:
        """Return an empty dictionary if the default host matches, else None."""
        default_host = self.application.default_host
        if "X-Real-Ip" in request.headers or not default_host:
            return None
        return {} if self.host_pattern.match(default_host) else None


class PathMatches(Matcher):
    """Matches the path of a request against a regular expression.

    A ``str`` has to match the whole path: a ``$`` is added. What its groups catch becomes the
    arguments of the target, percent-decoded once, as bytes; a ``+`` stays a ``+``.

    Raises ValueError for a pattern with both named and unnamed groups.
    """

    def __init__(self, path_pattern: str | re.Pattern[str]) -> None:
        self.regex: re.Pattern[str] = _compiled(path_pattern)
        if len(self.regex.groupindex) not in (0, self.regex.groups):
            raise ValueError(
                f"groups of a path must be all named or all positional: {self.regex.pattern!r}"
            )
        self._parts = reverse_parts(self.regex)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.regex.pattern!r})"

    def match(self, request: HTTPRequest) -> dict[str, Any] | None:
        """Return ``path_args`` and ``path_kwargs`` from the groups, or None."""
        match = self.regex.match(request.path)
        if match is None:
            return None
        if not self.regex.groups:
            return {}
        args, kwargs = path_arguments(match)
        return {"path_args": args, "path_kwargs": kwargs}

    def reverse(self, *args: Any, **kwargs: Any) -> str | None:
        """Return the path these arguments come from.

        Positional arguments fill the groups in order. A keyword fills the group of that name; the
        others become the query string. A group that may be absent takes None.

        Raises :class:`URLReverseError` if the pattern cannot be reversed or an argument is missing
        or left over.
        """
        if self._parts is None:
            raise URLReverseError(f"cannot reverse the pattern {self.regex.pattern!r}")
        values = list(reversed(args))
        path = "".join(
            part if isinstance(part, str) else self._fill(part, values, kwargs)
            for part in self._parts
        )
        if values:
            raise URLReverseError(f"too many arguments for the pattern {self.regex.pattern!r}")
        return f"{path}?{urlencode(kwargs, doseq=True)}" if kwargs else path

    def _fill(self, group: Group, values: list[Any], keywords: dict[str, Any]) -> str:
        if group.name is not None and group.name in keywords:
            value = keywords.pop(group.name)
        elif values:
            value = values.pop()
        else:
            raise URLReverseError(f"not enough arguments for the pattern {self.regex.pattern!r}")
        if value is None and group.optional:
            return ""
        return quote(value if isinstance(value, (str, bytes)) else str(value))


def path_arguments(
    match: re.Match[str],
) -> tuple[list[bytes | None], dict[str, bytes | None]]:
    """Return the decoded groups of *match*.

    A list of unnamed ones, or a dictionary of named ones.
    """
    named = match.re.groupindex
    if named:
        return [], {name: unquote_group(match[name]) for name in named}
    return [unquote_group(text) for text in match.groups()], {}


def unquote_group(text: str | None) -> bytes | None:
    """Percent-decode a part of a path once, keeping ``+``; None (a group left out) stays None.

    A path carries its bytes as Latin-1, as it came off the wire; text that does not fit in Latin-1
    was made by a program and counts as UTF-8.
    """
    if text is None:
        return None
    try:
        raw = text.encode("latin-1")
    except UnicodeEncodeError:
        raw = text.encode("utf-8")
    return unquote_to_bytes(raw) if "%" in text else raw


def _compiled(pattern: str | re.Pattern[str]) -> re.Pattern[str]:
    if isinstance(pattern, str):
        try:
            return re.compile(pattern if pattern.endswith("$") else pattern + "$")
        except re.error as error:
            error.add_note(f"in the pattern {pattern!r} of a route")
            raise
    return pattern
