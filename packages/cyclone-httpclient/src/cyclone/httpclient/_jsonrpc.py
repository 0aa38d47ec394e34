"""A JSON-RPC proxy: attribute access becomes a call over HTTP POST."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any, Unpack

from twisted.internet.defer import Deferred

from ._client import AsyncHTTPClient
from ._errors import HTTPClientError
from ._fetch import fetch
from ._response import HTTPResponse

if TYPE_CHECKING:
    from ._options import HeadersLike, RequestOptions


class JsonRPCError(Exception):
    """The server answered with an error; ``error`` is what it sent, ``code`` its number if any."""

    def __init__(self, error: object) -> None:
        self.error = error
        self.code: Any = error.get("code") if isinstance(error, dict) else None
        message = error.get("message") if isinstance(error, dict) else error
        super().__init__(str(message))


class JsonRPC:
    """Calls the methods of a JSON-RPC server: ``await JsonRPC(url).add(1, 2)``.

    Takes the options of `fetch`. Arguments are positional or by name, not both. The Deferred fires
    with the result, or fails with `JsonRPCError` (the server's error) or `HTTPClientError`.
    """

    def __init__(
        self,
        url: str | bytes,
        *,
        headers: HeadersLike | None = None,
        client: AsyncHTTPClient | None = None,
        **options: Unpack[RequestOptions],
    ) -> None:
        self._url = url
        self._headers = headers
        self._client = client
        self._options = options
        self._ids = count(1)

    def __getattr__(self, name: str) -> Callable[..., Deferred[Any]]:
        if name.startswith("_"):
            raise AttributeError(name)

        def call(*args: object, **named: object) -> Deferred[Any]:
            if args and named:
                raise TypeError("a JSON-RPC call has positional or named arguments, not both")
            return self._call(name, named or list(args))

        call.__name__ = name
        return call

    def _call(self, name: str, params: object) -> Deferred[Any]:
        identity = next(self._ids)
        message = {"jsonrpc": "2.0", "method": name, "params": params, "id": identity}
        options: RequestOptions = {**self._options, "json": message}

        def result_of(response: HTTPResponse) -> Any:
            return _result(response, identity)

        done = fetch(self._url, "POST", self._headers, client=self._client, **options)
        return done.addCallback(result_of)


def _result(response: HTTPResponse, identity: int) -> Any:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if isinstance(answer, dict) and answer.get("error") is not None:
        raise JsonRPCError(answer["error"])
    if response.code != 200:
        raise HTTPClientError(response.code, response.reason, response)
    if not isinstance(answer, dict) or "result" not in answer:
        raise JsonRPCError("the answer is not a JSON-RPC response")
    if answer.get("id") != identity:
        raise JsonRPCError("the answer is for another call")
    return answer["result"]
