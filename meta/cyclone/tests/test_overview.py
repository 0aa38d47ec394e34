"""The overview's examples (examples/overview/), each in its own process, over real sockets."""

from collections.abc import Callable
from typing import Protocol

import httpx
import pytest


class Server(Protocol):
    url: str

    def log(self) -> str: ...


Open = Callable[[str], httpx.Client]


@pytest.fixture
def client_of(start_example: Callable[[str], Server], request: pytest.FixtureRequest) -> Open:
    """Returns a function that serves examples/overview/NAME.py and gives a client for it."""

    def open_client(name: str) -> httpx.Client:
        client = httpx.Client(base_url=start_example(f"overview/{name}.py").url)
        request.addfinalizer(client.close)
        return client

    return open_client


def test_upload(client_of: Open) -> None:
    client = client_of("upload")
    picture = {"picture": ("cat.png", b"\x89PNG" * 100, "image/png")}
    answer = client.post("/", files=picture)
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert answer.json() == {"filename": "cat.png", "content_type": "image/png", "size": 400}
    assert client.post("/", data={"picture": "x"}).status_code == 400


def test_initialize(client_of: Open) -> None:
    client = client_of("initialize")
    assert client.get("/user/ada").text == "Countess of Lovelace"
    assert client.get("/user/bob").text == "nobody"
    assert client.get("/user/ada", headers={"X-Blocked": "1"}).status_code == 403
    assert client.get("/finished").json() == {"finished": ["/user/ada", "/user/bob", "/user/ada"]}


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [("/old", 302, "/new"), ("/moved", 302, "/new"), ("/pictures/a%20b", 301, "/photos/a%20b")],
)
def test_redirects(client_of: Open, path: str, status: int, location: str) -> None:
    answer = client_of("redirects").get(path)
    assert (answer.status_code, answer.headers["Location"]) == (status, location)


def test_templates(client_of: Open) -> None:
    page = client_of("templates").get("/").text
    assert "<title>My title</title>" in page
    assert '<span style="color: green">Item &lt;3&gt;</span>' in page
    assert page.count("<li>") == 3
    assert "1 + 2 = 3" in page
    assert "not shown" not in page


@pytest.mark.parametrize(
    ("path", "second"), [("/", "Your cookie was set!"), ("/signed", "Your cookie was signed value")]
)
def test_cookies(client_of: Open, path: str, second: str) -> None:
    client = client_of("cookies")
    assert client.get(path).text == "Your cookie was not set yet!"
    assert client.get(path).text == second
    for name, value in list(client.cookies.items()):
        client.cookies.set(name, value[:-1] + "!")
    if path == "/signed":
        client.cookies = httpx.Cookies({"mysigned": "2|1:0|10:1|8:mysigned|4:eA==|00"})
        assert client.get(path).text == "Your cookie was not set yet!"


def test_login(client_of: Open) -> None:
    client = client_of("login")
    sent_away = client.get("/?page=1")
    assert sent_away.status_code == 302
    assert sent_away.headers["Location"] == "/login?next=%2F%3Fpage%3D1"
    form = client.get("/login").text
    token = form.split('name="_xsrf" value="')[1].split('"')[0]
    assert client.post("/login", data={"name": "Ada"}).status_code == 403
    entered = client.post("/login", data={"name": "Ada <A>", "_xsrf": token})
    assert (entered.status_code, entered.headers["Location"]) == (302, "/")
    assert client.get("/").text == "Hello, Ada &lt;A&gt;"
    assert client.post("/", headers={"X-XSRFToken": token}).text == "posted"
    assert client.post("/", headers={"X-XSRFToken": "2|00|00|1"}).status_code == 403
    elsewhere = {"name": "Ada", "_xsrf": token, "next": "//evil.example"}
    assert client.post("/login", data=elsewhere).headers["Location"] == "/"


def test_login_is_needed_to_post(client_of: Open) -> None:
    client = client_of("login")
    token = client.get("/login").text.split('name="_xsrf" value="')[1].split('"')[0]
    assert client.post("/", data={"_xsrf": token}).status_code == 403


def test_static_files(client_of: Open) -> None:
    client = client_of("static_files")
    link = client.get("/").text.split('"')[1]
    assert link.startswith("/static/logo.svg?v=")
    answer = client.get(link)
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert "max-age=315360000" in answer.headers["Cache-Control"]
    part = client.get(link, headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.text) == (206, "<svg")
    assert "Disallow: /private" in client.get("/robots.txt").text
    assert client.get("/static/../static_files.py").status_code in (403, 404)


def test_localization(client_of: Open) -> None:
    client = client_of("localization")
    assert 'lang="en_US"' in client.get("/").text
    assert "Iniciar sesión" in client.get("/", headers={"Accept-Language": "es-ES"}).text
    page = client.get("/", params={"user": "ana", "people": "2"}).text
    assert 'lang="es"' in page
    assert "A Ana y Bob les gustó esto" in page
    assert "A Ana le gustó esto" in client.get("/?user=ana").text


def test_ui_modules(client_of: Open) -> None:
    page = client_of("ui_modules").get("/").text
    assert "<p>2 entries</p>" in page
    assert '<div class="entry">First &lt;entry&gt; (comments)</div>' in page
    assert page.count(".entry { margin-bottom: 1em; }") == 1
    assert page.index(".entry { margin-bottom") < page.index("</head>")
    assert page.count('src="/shared.js"') == 1
    assert page.index('src="/shared.js"') < page.index("</body>")


@pytest.mark.parametrize("style", ["callback", "inline", "coroutine"])
def test_asynchronous(client_of: Open, style: str) -> None:
    client = client_of("asynchronous")
    assert client.get(f"/{style}").text == "Fetched 2 entries from the feed"
    assert client.get(f"/{style}?broken=1").status_code == 502


def test_wsgi(client_of: Open) -> None:
    client = client_of("wsgi")
    assert client.get("/").text == "Cyclone"
    assert client.get("/anything/else").text == "WSGI at /anything/else"
