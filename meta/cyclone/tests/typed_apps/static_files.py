"""Subclasses of the handlers that come with the package."""

from __future__ import annotations

import datetime
from collections.abc import Generator
from typing import Any

from cyclone.web import ErrorHandler, FallbackHandler, RedirectHandler, StaticFileHandler


class Downloads(StaticFileHandler):
    def initialize(self, path: str, default_filename: str | None = None, days: int = 1) -> None:
        super().initialize(path, default_filename)
        self.days = days

    async def get(self, path: str, include_body: bool = True) -> None:
        await super().get(path, include_body)

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Content-Disposition", "attachment")

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        return super().get_absolute_path(root, path.lower())

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        return super().validate_absolute_path(root, absolute_path)

    def get_cache_time(self, path: str, modified: datetime.datetime | None, mime_type: str) -> int:
        return self.days * 86400

    def get_content_type(self) -> str:
        return "text/plain"

    def parse_url_path(self, url_path: str) -> str:
        return url_path.strip("/")


class Database(StaticFileHandler):
    def initialize(self) -> None:
        self.root = ""

    def get(self, name: str) -> Any:
        return super().get(f"{name}.html")

    @classmethod
    def get_content(
        cls, abspath: str, start: int | None = None, end: int | None = None
    ) -> Generator[bytes, None, None]:
        yield abspath.encode()[start:end]

    def get_content_size(self) -> int:
        return 3

    def get_modified_time(self) -> datetime.datetime | None:
        return None


class Moved(RedirectHandler):
    def initialize(self, host: str) -> None:
        super().initialize(f"https://{host}/", permanent=True)

    async def get(self) -> None:
        super().get()


class Gone(ErrorHandler):
    def initialize(self) -> None:
        super().initialize(410)


class Legacy(FallbackHandler):
    def initialize(self) -> None:
        super().initialize(fallback=print)
