"""The servers of http_web.py: the same small application in each framework.

    python benchmarks/http_web_servers.py FRAMEWORK PORT FOLDER ROUTES

FOLDER holds the static files, ROUTES is how many routes with a group stand before the others.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import sys
from typing import Any

import template_sources as sources

GREETING = "Hello, world"
MESSAGE = {"message": GREETING, "numbers": list(range(10)), "nested": {"a": True, "b": None}}
ROWS = [
    {"number": n, "name": f"Name & {n}", "email": f"user{n}@example.com", "price": n * 1.25}
    for n in range(100)
]
HEAD = "<html><head><title>{{ title }}</title></head><body><table>\n"
ROW = (
    '<tr><td>{{ row["number"] }}</td><td>{{ row["name"] }}</td>'
    '<td>{{ row["email"] }}</td><td class="p">{{ row["price"] }}</td></tr>\n'
)
TAIL = "</table></body></html>\n"
CYCLONE_ROWS = HEAD + "{% for row in rows %}" + ROW + "{% end %}" + TAIL
JINJA_ROWS = HEAD + "{% for row in rows %}" + ROW + "{% endfor %}" + TAIL
PAGE = sources.page_data()
DICTS = sources.dicts_data()
SECRET = "a secret of thirty-two characters"


def sign(value: str) -> str:
    return f"{value}|{hmac.new(SECRET.encode(), value.encode(), hashlib.sha256).hexdigest()}"


def unsign(cookie: str | None) -> str:
    value, _, signature = (cookie or "").rpartition("|")
    good = hmac.new(SECRET.encode(), value.encode(), hashlib.sha256).hexdigest()
    return value if value and hmac.compare_digest(good, signature) else "0"


def jinja_environment() -> Any:
    import jinja2

    loader = jinja2.DictLoader({**sources.JINJA, "rows.html": JINJA_ROWS})
    return jinja2.Environment(loader=loader, autoescape=True)


def jinja_pages() -> list[Any]:
    environment = jinja_environment()
    return [environment.get_template(f"{name}.html") for name in ("page", "dicts", "rows")]


def tornado_like(web: Any, template: Any, folder: str, routes: int, wait: Any) -> list[Any]:
    """The handlers for Cyclone and for Tornado, which have the same API."""

    class Hello(web.RequestHandler):
        def get(self, *groups: str) -> None:
            self.write(GREETING)

    class Json(web.RequestHandler):
        def get(self) -> None:
            self.write(MESSAGE)

    class Page(web.RequestHandler):
        def get(self) -> None:
            self.render("page.html", **PAGE)

    class Dicts(web.RequestHandler):
        def get(self) -> None:
            self.render("dicts.html", **DICTS)

    class Rows(web.RequestHandler):
        def get(self) -> None:
            self.render("rows.html", title="Page", rows=ROWS)

    class Form(web.RequestHandler):
        def post(self) -> None:
            self.write(f"{self.get_body_argument('name')} {int(self.get_body_argument('age'))}")

    class Cookie(web.RequestHandler):
        def get(self) -> None:
            count = int(self.get_secure_cookie("count") or 0) + 1
            self.set_secure_cookie("count", str(count))
            self.write(str(count))

    class Wait(web.RequestHandler):
        async def get(self) -> None:
            await wait()
            self.write(GREETING)

    class Upload(web.RequestHandler):
        def post(self) -> None:
            self.write(str(len(self.request.files["file"][0]["body"])))

    many = [(rf"/route{number}/item/(\d+)", Hello) for number in range(routes)]
    return [
        *many,
        ("/", Hello),
        ("/json", Json),
        ("/page", Page),
        ("/dicts", Dicts),
        ("/rows", Rows),
        ("/form", Form),
        ("/cookie", Cookie),
        ("/wait", Wait),
        ("/upload", Upload),
        (r"/static/(.*)", web.StaticFileHandler, {"path": folder}),
    ]


def cyclone(port: int, folder: str, routes: int) -> None:
    from twisted.internet import reactor, task

    from cyclone import template, web

    loader = template.DictLoader({**sources.CYCLONE, "rows.html": CYCLONE_ROWS})
    handlers = tornado_like(web, template, folder, routes, lambda: task.deferLater(reactor, 0.001))
    application = web.Application(handlers, cookie_secret=SECRET, template_loader=loader)
    application.listen(port, "127.0.0.1")
    reactor.run()  # type: ignore[attr-defined]


def tornado(port: int, folder: str, routes: int) -> None:
    from tornado import template, web

    async def main() -> None:
        loader = template.DictLoader({**sources.CYCLONE, "rows.html": CYCLONE_ROWS})
        handlers = tornado_like(web, template, folder, routes, lambda: asyncio.sleep(0.001))
        application = web.Application(handlers, cookie_secret=SECRET, template_loader=loader)
        application.listen(port, "127.0.0.1", max_buffer_size=2**27)
        await asyncio.Event().wait()

    asyncio.run(main())


def klein(port: int, folder: str, routes: int) -> None:
    import json

    from klein import Klein
    from twisted.internet import reactor, task
    from twisted.web.server import Site
    from twisted.web.static import File

    app, (page, dicts, rows) = Klein(), jinja_pages()

    def hello(request: Any, **groups: Any) -> str:
        return GREETING

    for number in range(routes):
        app.route(f"/route{number}/item/<int:item>", endpoint=f"route{number}")(hello)
    app.route("/")(hello)

    @app.route("/json")
    def as_json(request: Any) -> bytes:
        request.setHeader("Content-Type", "application/json")
        return json.dumps(MESSAGE).encode()

    @app.route("/page")
    def as_page(request: Any) -> str:
        request.setHeader("Content-Type", "text/html; charset=utf-8")
        return str(page.render(**PAGE))

    @app.route("/dicts")
    def as_dicts(request: Any) -> str:
        request.setHeader("Content-Type", "text/html; charset=utf-8")
        return str(dicts.render(**DICTS))

    @app.route("/rows")
    def as_rows(request: Any) -> str:
        request.setHeader("Content-Type", "text/html; charset=utf-8")
        return str(rows.render(title="Page", rows=ROWS))

    @app.route("/form", methods=["POST"])
    def form(request: Any) -> str:
        return f"{request.args[b'name'][0].decode()} {int(request.args[b'age'][0])}"

    @app.route("/cookie")
    def cookie(request: Any) -> str:
        found = request.getCookie(b"count")
        count = int(unsign(found.decode() if found else None)) + 1
        request.addCookie(b"count", sign(str(count)).encode())
        return str(count)

    @app.route("/wait")
    def wait(request: Any) -> Any:
        return task.deferLater(reactor, 0.001, lambda: GREETING)

    @app.route("/upload", methods=["POST"])
    def upload(request: Any) -> str:
        return str(len(request.args[b"file"][0]))

    @app.route("/static/", branch=True)
    def static(request: Any) -> Any:
        return File(folder)

    site: Any = Site(app.resource())
    site.noisy = False
    reactor.listenTCP(port, site, interface="127.0.0.1")  # type: ignore[attr-defined]
    reactor.run()  # type: ignore[attr-defined]


def starlette(port: int, folder: str, routes: int) -> None:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse, PlainTextResponse, Response
    from starlette.routing import Mount, Route
    from starlette.staticfiles import StaticFiles
    from starlette.templating import Jinja2Templates

    templates = Jinja2Templates(env=jinja_environment())

    async def hello(request: Request) -> Response:
        return PlainTextResponse(GREETING)

    async def as_json(request: Request) -> Response:
        return JSONResponse(MESSAGE)

    async def as_page(request: Request) -> Response:
        return templates.TemplateResponse(request, "page.html", PAGE)

    async def as_dicts(request: Request) -> Response:
        return templates.TemplateResponse(request, "dicts.html", DICTS)

    async def as_rows(request: Request) -> Response:
        return templates.TemplateResponse(request, "rows.html", {"title": "Page", "rows": ROWS})

    async def form(request: Request) -> Response:
        fields = await request.form()
        return PlainTextResponse(f"{fields['name']} {int(str(fields['age']))}")

    async def cookie(request: Request) -> Response:
        count = int(unsign(request.cookies.get("count"))) + 1
        response = PlainTextResponse(str(count))
        response.set_cookie("count", sign(str(count)))
        return response

    async def wait(request: Request) -> Response:
        await asyncio.sleep(0.001)
        return PlainTextResponse(GREETING)

    async def upload(request: Request) -> Response:
        fields: Any = await request.form()
        return PlainTextResponse(str(len(await fields["file"].read())))

    many = [Route(f"/route{number}/item/{{item:int}}", hello) for number in range(routes)]
    app = Starlette(
        routes=[
            *many,
            Route("/", hello),
            Route("/json", as_json),
            Route("/page", as_page),
            Route("/dicts", as_dicts),
            Route("/rows", as_rows),
            Route("/form", form, methods=["POST"]),
            Route("/cookie", cookie),
            Route("/wait", wait),
            Route("/upload", upload, methods=["POST"]),
            Mount("/static", StaticFiles(directory=folder)),
        ]
    )
    uvicorn.run(app, port=port, log_level="warning", access_log=False)


def blacksheep(port: int, folder: str, routes: int) -> None:
    import uvicorn
    from blacksheep import Application, Content, Cookie, Request, Response, json, text

    # BlackSheep looks annotations up among the names of the module.
    globals().update(Request=Request, Response=Response)
    app, (page, dicts, rows) = Application(show_error_details=False), jinja_pages()

    async def hello(request: Request) -> Response:
        return text(GREETING)

    async def as_json(request: Request) -> Response:
        return json(MESSAGE)

    async def as_page(request: Request) -> Response:
        html = page.render(**PAGE).encode()
        return Response(200, None, Content(b"text/html; charset=utf-8", html))

    async def as_dicts(request: Request) -> Response:
        html = dicts.render(**DICTS).encode()
        return Response(200, None, Content(b"text/html; charset=utf-8", html))

    async def as_rows(request: Request) -> Response:
        html = rows.render(title="Page", rows=ROWS).encode()
        return Response(200, None, Content(b"text/html; charset=utf-8", html))

    async def form(request: Request) -> Response:
        fields: Any = await request.form()
        return text(f"{fields['name']} {int(fields['age'])}")

    async def cookie(request: Request) -> Response:
        count = int(unsign(request.cookies.get("count"))) + 1
        response = text(str(count))
        response.set_cookie(Cookie("count", sign(str(count))))
        return response

    async def wait(request: Request) -> Response:
        await asyncio.sleep(0.001)
        return text(GREETING)

    async def upload(request: Request) -> Response:
        fields: Any = await request.files()
        data = fields[0].data
        return text(str(len(data if isinstance(data, bytes) else data.read())))

    for number in range(routes):
        app.router.add_get(f"/route{number}/item/{{int:item}}", hello)
    app.router.add_get("/", hello)
    app.router.add_get("/json", as_json)
    app.router.add_get("/page", as_page)
    app.router.add_get("/dicts", as_dicts)
    app.router.add_get("/rows", as_rows)
    app.router.add_post("/form", form)
    app.router.add_get("/cookie", cookie)
    app.router.add_get("/wait", wait)
    app.router.add_post("/upload", upload)
    app.serve_files(folder, root_path="static")
    uvicorn.run(app, port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    servers = {
        "cyclone": cyclone,
        "tornado": tornado,
        "klein": klein,
        "starlette": starlette,
        "blacksheep": blacksheep,
    }
    servers[sys.argv[1]](int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
