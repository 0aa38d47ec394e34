"""Methods that applications override to add something of their own."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, assert_type

from twisted.internet.defer import Deferred

import cyclone.web
from cyclone.template import BaseLoader, Loader
from cyclone.web import HTTPError, HubMixin, RequestHandler
from cyclone.websocket import WebSocketHandler

H = TypeVar("H", bound=RequestHandler)
P = ParamSpec("P")
R = TypeVar("R")
Row = TypeVar("Row")
Method = Callable[Concatenate[H, P], Awaitable[R]]


def for_role(role: str) -> Callable[[Method[H, P, R]], Method[H, P, R]]:
    def decorate(method: Method[H, P, R]) -> Method[H, P, R]:
        @functools.wraps(method)
        async def wrapper(self: H, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if self.current_user != role:
                raise HTTPError(403)
            return await method(self, *args, **kwargs)

        return wrapper

    return decorate


class Base(RequestHandler):
    SUPPORTED_METHODS = (*RequestHandler.SUPPORTED_METHODS, "PROPFIND")
    no_keep_alive = True

    def prepare(self) -> Awaitable[None] | None:
        return super().prepare()

    @for_role("reader")
    async def get(self, name: str) -> None:
        self.write(name)

    @cyclone.web.authenticated
    @for_role("writer")
    async def post(self, name: str, *, part: str = "") -> None:
        self.write(name + part)

    put = post
    head = get

    def propfind(self) -> None:
        self.set_status(207)

    def default(self, *args: str, **kwargs: str) -> None:
        self.set_status(501)

    def write_error(self, status_code: int, exc_info: Any = None, **kwargs: Any) -> None:
        super().write_error(status_code, exc_info=exc_info, **kwargs)

    def get_argument(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return super().get_argument(name, *args, **kwargs)

    def render(self, template_name: str, **kwargs: Any) -> Deferred[None]:
        return super().render(template_name, year=2026, **kwargs)

    def render_linked_js(self, js_files: Iterable[str]) -> str:
        return super().render_linked_js(sorted(js_files))

    def render_embed_css(self, css_embed: Iterable[bytes]) -> bytes:
        return super().render_embed_css(css_embed)

    def redirect(self, url: str, permanent: bool = False, status: int | None = None) -> None:
        super().redirect(url, permanent, status)

    def set_status(self, status_code: int, reason: str | None = None) -> None:
        super().set_status(status_code, reason)

    def set_cookie(self, name: str, value: str | bytes, *args: Any, **kwargs: Any) -> None:
        super().set_cookie(name, value, *args, secure=True, **kwargs)

    def static_url(self, path: str, include_host: bool | None = None, **kwargs: Any) -> str:
        return super().static_url(path, include_host, **kwargs)

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        super().send_error(status_code, **kwargs)

    def create_template_loader(self, template_path: str) -> BaseLoader:
        return Loader(template_path, autoescape=None)


class Repository(Generic[Row]):
    pass


class Table(RequestHandler, Generic[Row]):
    def initialize(self, rows: Repository[Row]) -> None:
        self.rows = rows


class Numbers(HubMixin, Table[int]):
    async def get(self) -> None:
        assert_type(self.rows, Repository[int])
        self.join("numbers")


class Guarded(WebSocketHandler):
    @cyclone.web.authenticated
    async def get(self, room: str) -> None:
        await super().get(room)

    def open(self, *args: str, **kwargs: str) -> Awaitable[None] | None:
        return None

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        return self.write_message(message)
