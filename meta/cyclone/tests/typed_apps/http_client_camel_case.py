"""The HTTP client under the names of Cyclone 1.3."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks

import cyclone.httpclient
import cyclone.web
from cyclone.httpclient import HTTPResponse, JsonRPC, fetch, getPage


class Index(cyclone.web.RequestHandler):
    @inlineCallbacks
    def get(self) -> Generator[Deferred[HTTPResponse], HTTPResponse, None]:
        response = yield fetch("http://localhost/", followRedirect=True, maxRedirects=3)
        self.write(response.body)
        response = yield cyclone.httpclient.fetch(
            b"http://localhost/", method=b"POST", postdata="a=1", headers={"A": ["b"]}
        )
        self.write(response.phrase)

    def post(self) -> Deferred[None]:
        return getPage("http://localhost/").addCallback(self.write)

    @inlineCallbacks
    def put(self) -> Generator[Deferred[Any], Any, None]:
        result = yield JsonRPC("http://localhost/rpc").add(1, 2)
        self.write(str(result))
