"""A WSGI application beside Cyclone's handlers."""

from collections.abc import Callable, Iterable

from cyclone.web import Application, FallbackHandler, RequestHandler, WSGIContainer

Environ = dict[str, object]
StartResponse = Callable[[str, list[tuple[str, str]]], object]


def wsgi_application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"WSGI at {environ['PATH_INFO']}".encode()]


class MainHandler(RequestHandler):
    def get(self) -> None:
        self.write("Cyclone")


application = Application(
    [
        (r"/", MainHandler),
        (r".*", FallbackHandler, {"fallback": WSGIContainer(wsgi_application)}),
    ]
)
