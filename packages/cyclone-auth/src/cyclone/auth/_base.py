"""What every mixin has: its handler, an HTTP client, and the address it answers at."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from urllib.parse import urljoin

from cyclone.httpclient import AsyncHTTPClient

if TYPE_CHECKING:
    from cyclone.web import RequestHandler


class AuthMixin:
    """Base of the mixins: combine them with :class:`cyclone.web.RequestHandler`."""

    @property
    def _handler(self) -> RequestHandler:
        return cast("RequestHandler", self)

    def get_auth_http_client(self) -> AsyncHTTPClient:
        """The HTTP client that talks to the provider; override it to use one of your own."""
        return AsyncHTTPClient()

    def _public_url(self, uri: str | None = None) -> str:
        """*uri* (this request's without it) as an absolute address of this server.

        The setting ``redirect_base_uri`` says where the server is; without it the request's
        ``Host`` is believed, which is fit for development only (AU-08).
        """
        handler = self._handler
        base = handler.settings.get("redirect_base_uri")
        if base is None:
            here: str = handler.request.full_url()
            return urljoin(here, uri or here)
        return urljoin(urljoin(str(base), handler.request.uri), uri or handler.request.uri)
