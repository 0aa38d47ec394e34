from typing import Any

import pytest
from twisted.web.resource import Resource

from cyclone.httpserver import HTTPServer
from cyclone.testing import Client
from cyclone.web import (
    Application,
    FallbackHandler,
    HTTPError,
    RequestHandler,
    WSGIContainer,
)
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


# --- forms whose bytes somebody wants (BP-20) -------------------------------------------------

MULTIPART = {"Content-Type": "multipart/form-data; boundary=B"}
FORM = b'--B\r\nContent-Disposition: form-data; name="f"; filename="n"\r\n\r\n%b\r\n--B--\r\n'
LARGE = FORM % bytes(5000)


class Inline(WSGIContainer):
    """Runs its application without a thread, and sends what it gives."""

    async def handle_request(self, request: Any) -> None:
        body = b"".join(self.wsgi_application(self.environ(request), lambda *_: None))
        request.connection.write_response(request, 200, None, b"", body)


def wsgi(environ: Any, start: Any) -> list[bytes]:
    return [environ["wsgi.input"].read()]


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": message["body"]})


class Content(Resource):
    isLeaf = True

    def render_POST(self, request: Any) -> bytes:
        return bytes(request.content.read())


class Raw(RequestHandler):
    parses_forms = False

    def prepare(self) -> None:
        if self.request.headers.get("Authorization") is None:
            raise HTTPError(401)

    def post(self) -> None:
        self.write(self.request.body)


def fallback(target: Any) -> Any:
    return [("/.*", FallbackHandler, {"fallback": target})]


WANT_BYTES: dict[str, Any] = {
    "wsgi": fallback(Inline(wsgi)),
    "wsgi-as-target": [("/.*", Inline(wsgi))],
    "asgi": fallback(asgi),
    "resource": fallback(Content()),  # type: ignore[no-untyped-call]
    "handler": [("/.*", Raw)],
}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(FORM % b"small", id="small"),
        pytest.param(LARGE, id="large"),
        pytest.param(b"--B\r\nno form at all" + bytes(5000), id="malformed"),
        pytest.param((FORM % b"")[:-8] * 1500, id="many-parts"),
    ],
)
@pytest.mark.parametrize("routes", WANT_BYTES.values(), ids=WANT_BYTES)
def test_a_form_arrives_as_it_came_BP_20(serve: Any, routes: Any, body: bytes) -> None:
    """BP-20: who has a parser of its own gets the bytes, also of forms too large for the memory."""
    client = serve(routes, spool_threshold=1000)
    headers = {**MULTIPART, "Authorization": "x"}
    response = client.fetch("POST", "/", headers=headers, body=body)
    assert (response.status, response.body == body) == (200, True)


def test_who_has_its_own_server_BP_20(clock: Any) -> None:
    """BP-20: a container that is the server's callback."""
    client = Client(HTTPServer(Inline(wsgi), reactor=clock, spool_threshold=1000), clock)
    assert client.fetch("POST", "/", headers=MULTIPART, body=LARGE).body == LARGE


@pytest.mark.parametrize("body", [LARGE, LARGE[:-20], FORM % b"x"])
def test_a_form_is_read_when_it_is_asked_for_BP_20(serve: Any, body: bytes) -> None:
    """BP-20: not before prepare() has let it in, and then with a 400 if it is malformed."""

    class Lazy(Raw):
        def post(self) -> None:
            self.write(str(self.request.files["f"][0].size))

    client = serve([("/", Lazy)], spool_threshold=1000)
    assert client.fetch("POST", "/", headers=MULTIPART, body=body).status == 401
    response = client.fetch("POST", "/", headers={**MULTIPART, "Authorization": "x"}, body=body)
    whole = body.endswith(b"--B--\r\n")
    assert response.status == (200 if whole else 400)


def test_an_application_behind_has_its_files_on_disk(serve: Any) -> None:
    class Upload(RequestHandler):
        def post(self) -> None:
            (file,) = self.request.files["f"]
            self.write(f"{file.size} {file.spooled} {len(self.request.body)}")

    routes = fallback(Application([("/", Upload)]))
    client = serve(routes, spool_threshold=1000)
    assert client.fetch("POST", "/", headers=MULTIPART, body=LARGE).text == "5000 True 0"
