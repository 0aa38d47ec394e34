"""The HTTP client under Tornado's names."""

from __future__ import annotations

from typing import Any, assert_type

from twisted.internet import defer

from cyclone.httpclient import (
    AsyncHTTPClient,
    CookieJar,
    HTTPClientError,
    HTTPRequest,
    HTTPResponse,
    HTTPTimeoutError,
)
from cyclone.httputil import HTTPHeaders
from cyclone.web import HTTPError, RequestHandler


class Proxy(RequestHandler):
    async def get(self) -> None:
        http = AsyncHTTPClient()
        response = await http.fetch("http://localhost/")
        assert_type(response, HTTPResponse)
        assert_type(response.body, bytes)
        assert_type(response.code, int)
        assert_type(response.reason, str)
        assert_type(response.effective_url, str)
        assert_type(response.headers.get("ETag"), str | None)
        assert_type(response.json(), Any)
        assert_type(response.error, BaseException | None)
        response.rethrow()
        self.write(response.body)

    async def post(self) -> None:
        http = AsyncHTTPClient(force_instance=True, max_clients=3, cookie_jar=CookieJar())
        request = HTTPRequest("http://localhost/", "POST", {"A": "b"}, "body")
        request.headers["X"] = "y"
        request.body = b"other"
        request.headers = {"A": ["b", "c"]}
        try:
            await http.fetch(request, raise_error=True)
            await http.fetch("http://localhost/", method="PUT", body=b"x", headers=HTTPHeaders())
            await http.fetch(
                "http://localhost/",
                False,
                request_timeout=3,
                connect_timeout=0.5,
                follow_redirects=False,
                streaming_callback=self.write,
                header_callback=print,
                auth_username="anna",
                auth_password="x",
                validate_cert=False,
            )
            await http.fetch("http://localhost/", json={"a": [1]})
        except HTTPTimeoutError:
            raise HTTPError(504) from None
        except HTTPClientError as error:
            assert_type(error.code, int)
            assert_type(error.response, HTTPResponse | None)
        http.close()

    async def put(self) -> None:
        http = AsyncHTTPClient()
        both = await defer.gatherResults([http.fetch("http://a/"), http.fetch("http://b/")])
        assert_type(both, list[HTTPResponse])


class OwnClient(AsyncHTTPClient):
    pass


AsyncHTTPClient.configure(OwnClient, max_clients=3)
AsyncHTTPClient.configure(None, defaults={"user_agent": "mine"})
