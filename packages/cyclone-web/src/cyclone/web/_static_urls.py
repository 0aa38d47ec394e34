"""URLs of static files, for handlers and templates."""

from __future__ import annotations

from typing import Any

from ._base import HandlerBase


class StaticUrlMixin(HandlerBase):
    """Gives a handler :meth:`static_url`."""

    def static_url(self, path: str, include_host: bool | None = None, **kwargs: Any) -> str:
        """Return the URL of the static file *path*, with a version that changes with its content.

        With *include_host* (or, if that is None, an attribute ``include_host`` of the handler) it
        is absolute. More keywords, such as ``include_version``, go to ``make_static_url`` of the
        setting ``static_handler_class``. Needs the setting ``static_path``; HTTPError 403 if *path*
        leads out of it.
        """
        self.require_setting("static_path", "static_url")
        from ._static import StaticFileHandler

        settings = self.settings
        handler_class = settings.get("static_handler_class", StaticFileHandler)
        url: str = handler_class.make_static_url(settings, path, **kwargs)
        if include_host is None:
            include_host = getattr(self, "include_host", False)
        if not include_host:
            return url
        return f"{self.request.protocol}://{self.request.host}{url}"
