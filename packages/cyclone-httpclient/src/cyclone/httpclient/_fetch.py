"""Cyclone's way of asking: ``fetch(url)`` gives a response whatever its status is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from twisted.internet.defer import Deferred, fail

from ._client import AsyncHTTPClient
from ._errors import HTTPClientError
from ._request import HTTPRequest
from ._response import HTTPResponse

if TYPE_CHECKING:
    from ._options import BodyLike, HeadersLike, RequestOptions


def fetch(
    url: str | bytes | HTTPRequest,
    method: str | bytes | None = None,
    headers: HeadersLike | None = None,
    body: BodyLike | None = None,
    *,
    client: AsyncHTTPClient | None = None,
    **options: Unpack[RequestOptions],
) -> Deferred[HTTPResponse]:
    """Fetch a URL with the shared client, or with ``client``.

    The method is POST when there is a body, else GET. The response comes for every status;
    ``response.error`` is the exception for 400 and above, else ``None``. Redirects are followed
    only with ``followRedirect=True`` (``follow_redirects``), then at most three. Any method may
    have a body, or none.

    Fails with `ValueError` for a request that cannot be sent, and as `AsyncHTTPClient.fetch` does
    when no response came.
    """
    try:
        request = (
            url if isinstance(url, HTTPRequest) else _request(url, method, headers, body, options)
        )
        chosen = client or AsyncHTTPClient()
    except Exception as error:
        return fail(error)
    return chosen.fetch(request, raise_error=False).addCallback(_forgive)


def _request(
    url: str | bytes,
    method: str | bytes | None,
    headers: HeadersLike | None,
    body: BodyLike | None,
    options: RequestOptions,
) -> HTTPRequest:
    request = HTTPRequest(url, method, headers, body, **options)
    if method is None and (request.body is not None or request.body_producer is not None):
        request.method = "POST"
    if request.follow_redirects is None:
        request.follow_redirects = False
    if request.max_redirects is None:
        request.max_redirects = 3
    if request.allow_nonstandard_methods is None:
        request.allow_nonstandard_methods = True
    return request


def _forgive(response: HTTPResponse) -> HTTPResponse:
    """A status below 400 is no error here, as it never was in Cyclone."""
    if response.code < 400:
        response.error = None
    return response


class HTTPClient:
    """One request in Cyclone's form: ``HTTPClient(url, ...).fetch()``."""

    def __init__(
        self,
        url: str | bytes,
        method: str | bytes | None = None,
        headers: HeadersLike | None = None,
        body: BodyLike | None = None,
        *,
        client: AsyncHTTPClient | None = None,
        **options: Unpack[RequestOptions],
    ) -> None:
        self.request: HTTPRequest = _request(url, method, headers, body, options)
        self._client = client

    def fetch(self) -> Deferred[HTTPResponse]:
        """Send it; may be called again."""
        return fetch(self.request, client=self._client)


def getPage(
    url: str | bytes,
    method: str | bytes | None = None,
    headers: HeadersLike | None = None,
    body: BodyLike | None = None,
    *,
    client: AsyncHTTPClient | None = None,
    **options: Unpack[RequestOptions],
) -> Deferred[bytes]:
    """The body of a page: what Twisted's function of this name did before it was removed.

    Redirects are followed; a status of 400 and above fails with `HTTPClientError`.
    """

    def body_of(response: HTTPResponse) -> bytes:
        if response.code >= 400:
            raise HTTPClientError(response.code, response.reason, response)
        return response.body

    if "follow_redirects" not in options and "followRedirect" not in options:
        options["follow_redirects"] = True
    if "max_redirects" not in options and "maxRedirects" not in options:
        options["max_redirects"] = 5
    return fetch(url, method, headers, body, client=client, **options).addCallback(body_of)
