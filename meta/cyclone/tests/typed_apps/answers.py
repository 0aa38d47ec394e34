"""Pages, errors, and what may be overridden around them."""

from __future__ import annotations

from types import TracebackType
from typing import Any, assert_type

from store import Database

import cyclone.locale
import cyclone.web


class NotAllowed(cyclone.web.HTTPError):
    def __init__(self, what: str) -> None:
        super().__init__(403, "not allowed: %s", what, reason="Not Allowed")


class Page(cyclone.web.RequestHandler):
    @property
    def db(self) -> Database:
        db: Database = self.settings["db"]
        return db

    def get(self) -> None:
        port: int = self.settings.get("port", 80)
        name: str = self.application.settings.name
        assert_type(self.reverse_url("page", port, name), str)
        assert_type(self.static_url("app.js", include_host=True), str)
        assert_type(self.render_string("page.html", name=name), bytes)
        assert_type(self.locale, cyclone.locale.Locale)
        assert_type(self.locale.translate("Hello"), str)
        self.locale = cyclone.locale.get("de")
        self.require_setting("db", "this page")
        self.render("page.html", name=name, rows=[1, 2])

    async def post(self) -> None:
        part = await self.render_string_async("part.html", db=self.db)
        assert_type(part, bytes)
        await self.render("page.html", part=part)

    def put(self) -> None:
        try:
            raise NotAllowed("put")
        except cyclone.web.MissingArgumentError as error:
            self.send_error(error.status_code, reason=error.arg_name)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        if "exc_info" in kwargs:
            self.set_header("X-Error", type(kwargs["exc_info"][1]).__name__)
        super().write_error(status_code, **kwargs)

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        super().log_exception(typ, value, tb)

    def set_default_headers(self) -> None:
        self.set_header("Server", "mine")

    def compute_etag(self) -> str | None:
        return None

    def get_template_path(self) -> str | None:
        return "templates"

    def get_template_namespace(self) -> dict[str, Any]:
        return {**super().get_template_namespace(), "year": 2026}

    def get_user_locale(self) -> cyclone.locale.Locale | None:
        return cyclone.locale.get("en")

    def on_finish(self) -> None:
        assert_type(self.request_id, str)


class Slashes(cyclone.web.RequestHandler):
    @cyclone.web.addslash
    def get(self) -> None:
        self.write("x")

    @cyclone.web.removeslash
    async def post(self, name: str) -> None:
        self.write(name)

    async def both(self) -> None:
        self.get()
        await self.post("x")
