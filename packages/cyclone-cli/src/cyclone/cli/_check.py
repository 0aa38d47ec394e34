"""Looking an application over before it is put to work."""

from __future__ import annotations

import collections
import dataclasses
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cyclone.httpserver import HTTPServer
from cyclone.template import Loader, TemplateError
from cyclone.web import Application, PathMatches, RequestHandler

from ._errors import StartError, in_one_line
from ._routes import RouteLine, routes_of

#: Bytes of a secret that is worth the name.
MIN_SECRET = 32
_DEBUG = ("debug", "autoreload", "serve_traceback")
_VERBS = ("get", "head", "post", "delete", "patch", "put", "options")
_BINARY = frozenset(b"\0")


@dataclasses.dataclass(frozen=True)
class Finding:
    """Something about an application that is wrong (an error) or not wise (a warning)."""

    level: str
    message: str

    @property
    def is_error(self) -> bool:
        """Whether it is more than a warning."""
        return self.level == "error"

    def __str__(self) -> str:
        return f"{self.level}: {self.message}"


def error(message: str) -> Finding:
    """Something that will not work."""
    return Finding("error", message)


def warning(message: str) -> Finding:
    """Something that works, but should not be so."""
    return Finding("warning", message)


def check_application(server: HTTPServer) -> list[Finding]:
    """All there is to say about an application; errors first.

    :raises StartError: when *server* is no application.
    """
    if not isinstance(server, Application):
        raise StartError("this is an HTTPServer around a callback: there is nothing to check", 2)
    settings = server.settings
    found = [
        *check_secret(settings),
        *check_settings(settings),
        *check_templates(settings),
        *check_routes(server),
    ]
    return sorted(found, key=lambda finding: not finding.is_error)


def check_secret(settings: Mapping[str, Any]) -> Iterator[Finding]:
    """The cookie secret: there, long, and not easy to guess."""
    secret = settings.get("cookie_secret")
    if secret is None:
        if settings.get("login_url"):
            yield warning("login_url without cookie_secret: signed cookies will not work")
        return
    secrets = secret if isinstance(secret, dict) else {None: secret}
    if isinstance(secret, dict) and settings.get("key_version") not in secret:
        yield error("cookie_secret has versions, and key_version names none of them")
    for version, value in secrets.items():
        which = "cookie_secret" if version is None else f"cookie_secret {version}"
        data = value.encode() if isinstance(value, str) else value
        if not isinstance(data, bytes):
            yield error(f"{which} is neither text nor bytes")
        elif len(data) < MIN_SECRET:
            yield warning(f"{which} is short ({len(data)} bytes): make one with `cyclone secret`")
        elif len(set(data)) < 10:
            yield warning(f"{which} is easy to guess: make one with `cyclone secret`")
    if settings.get("min_version", 1) < 2:
        yield warning("signed values of version 1 are accepted: set min_version=2")


def check_settings(settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Settings that are not secure, or name what is not there."""
    for name in _DEBUG:
        if settings.get(name):
            yield warning(f"{name} is on: not for the public")
    if settings.get("cookie_secret") and not settings.get("xsrf_cookies"):
        yield warning("xsrf_cookies is off: other sites can send forms in your users' names")
    if settings.get("xheaders") and not settings.get("trusted_downstream"):
        yield warning("xheaders without trusted_downstream: any client can forge its address")
    if "autoescape" in settings and settings["autoescape"] is None:
        yield warning("autoescape is off: templates do not escape what they print")
    for name in ("template_path", "static_path"):
        path = settings.get(name)
        if path is None:
            continue
        if not isinstance(path, str | os.PathLike):
            yield error(f"{name} is {path!r}, which is no path")
        elif not os.path.isdir(path):
            yield error(f"{name}: there is no folder {os.fspath(path)!r}")


def check_templates(settings: Mapping[str, Any]) -> Iterator[Finding]:
    """Each template below ``template_path`` compiles."""
    folder = settings.get("template_path")
    if not isinstance(folder, str | os.PathLike) or not os.path.isdir(folder):
        return
    loader = settings.get("template_loader")
    if loader is None:
        options = {"autoescape": settings["autoescape"]} if "autoescape" in settings else {}
        loader = Loader(os.fspath(folder), **options)
    for name in template_names(os.fspath(folder)):
        try:
            loader.load(name)
        except TemplateError as problem:
            text = " ".join(str(problem).split())
            yield error(f"template {name}: {text}")
        except Exception as problem:
            yield error(f"template {name}: {in_one_line(problem)}")


def template_names(folder: str) -> Iterator[str]:
    """The text files below *folder*, without hidden ones, in order."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for file in sorted(files):
            path = os.path.join(place, file)
            if not file.startswith(".") and not _is_binary(path):
                yield os.path.relpath(path, folder).replace(os.sep, "/")


def _is_binary(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return not _BINARY.isdisjoint(file.read(4096))
    except OSError:
        return False


def check_routes(application: Application) -> Iterator[Finding]:
    """Routes that are never reached, handlers that answer nothing, names used twice."""
    seen: set[tuple[str, str]] = set()
    names: collections.Counter[str] = collections.Counter()
    lines = routes_of(application)
    for line in lines:
        if isinstance(line.rule.matcher, PathMatches):
            if (line.host, line.pattern) in seen or _is_hidden(line, lines):
                yield warning(f"route {line.pattern} to {line.target} is never reached")
            seen.add((line.host, line.pattern))
        if line.name:
            names[line.name] += 1
        target = line.rule.target
        if isinstance(target, type) and issubclass(target, RequestHandler) and not _answers(target):
            yield warning(f"{line.target} ({line.pattern}) has no method for any request")
    for name, count in names.items():
        if count > 1:
            yield warning(f"{count} routes are called {name!r}")
    login = application.settings.get("login_url")
    if isinstance(login, str) and login.startswith("/"):
        path = login.partition("?")[0]
        matchers = [line.rule.matcher for line in lines]
        if not any(isinstance(one, PathMatches) and one.regex.match(path) for one in matchers):
            yield error(f"login_url: no route takes {path!r}")


def _is_hidden(line: RouteLine, lines: Sequence[RouteLine]) -> bool:
    """Whether an earlier route takes the one path that this one is for."""
    pattern = line.pattern
    if re.search(r"[^\w/-]", pattern):
        return False  # more than one path, or hard to say which
    for other in lines:
        if other is line:
            return False
        matcher, target = other.rule.matcher, other.rule.target
        if (
            other.host == line.host
            and type(matcher) is PathMatches
            and isinstance(target, type)
            and issubclass(target, RequestHandler)
            and matcher.regex.match(pattern)
        ):
            return True
    return False


def _answers(handler: type[RequestHandler]) -> bool:
    return any(getattr(handler, verb) is not getattr(RequestHandler, verb) for verb in _VERBS) or (
        handler._execute is not RequestHandler._execute
    )
