from typing import Any

import pytest
from twisted.web.resource import Resource

from cyclone.web import Application, FallbackHandler, RequestHandler
from cyclone.web._fallback import as_callback


class Inner(RequestHandler):
    def get(self) -> None:
        self.write("inner")


def test_an_application(serve: Any) -> None:
    inner = Application([("/inner", Inner)])
    client = serve([(".*", FallbackHandler, {"fallback": inner})])
    assert client.fetch("GET", "/inner").body == b"inner"
    assert client.fetch("GET", "/other").status == 404


def test_a_callable_answers_and_the_handler_ends(serve: Any) -> None:
    ended = []

    class Mine(FallbackHandler):
        def on_finish(self) -> None:
            ended.append(self.request.path)

    def answer(request: Any) -> None:
        request.connection.write_response(request, 200, None, b"", b"called " + request.body)

    client = serve([(".*", Mine, {"fallback": answer})], xsrf_cookies=True)
    assert client.fetch("POST", "/x", body="body").body == b"called body"
    assert ended == ["/x"]


def test_a_callable_that_raises(serve: Any) -> None:
    def answer(request: Any) -> None:
        raise ValueError("broken")

    assert serve([(".*", FallbackHandler, {"fallback": answer})]).fetch("GET", "/").status == 500


def test_kinds() -> None:
    async def asgi(scope: Any, receive: Any, send: Any) -> None: ...

    class ASGI:
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...

    async def plain(request: Any) -> None: ...

    assert as_callback(plain) is plain
    specials: list[Any] = [asgi, ASGI(), Resource()]  # type: ignore[no-untyped-call]
    for special in specials:
        assert as_callback(special) is not special
    with pytest.raises(TypeError, match="not int"):
        as_callback(5)
