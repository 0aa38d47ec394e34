"""The overview's first examples, each in a process of its own, fetched with a real HTTP client."""

import socket
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Protocol

import httpx
import pytest

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


class Server(Protocol):
    url: str

    def log(self) -> str: ...


StartExample = Callable[[str], Server]


def test_hello_world(start_example: StartExample) -> None:
    server = start_example("hello_world.py")
    with httpx.Client(base_url=server.url) as client:
        response = client.get("/")
        assert response.status_code == 200
        assert response.text == "Hello, world"
        assert response.headers["Content-Type"] == "text/html; charset=UTF-8"
        cached = client.get("/", headers={"If-None-Match": response.headers["ETag"]})
        assert (cached.status_code, cached.content) == (304, b"")
        assert client.get("/nothing").status_code == 404
        refused = client.post("/")
        assert refused.status_code == 405
        assert "GET" in refused.headers["Allow"]


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_hello_world_as_its_file_says() -> None:
    if not port_is_free(8888):
        pytest.skip("port 8888, which the example names, is taken")
    with Popen([sys.executable, EXAMPLES / "hello_world.py"], stderr=PIPE) as process:
        try:
            transport = httpx.HTTPTransport(retries=8)
            with httpx.Client(transport=transport) as client:
                assert client.get("http://127.0.0.1:8888/").text == "Hello, world"
        finally:
            process.terminate()


def first_example() -> str:
    readme = (EXAMPLES.parent / "README.md").read_text("utf-8")
    return readme.partition("```python\n")[2].partition("```")[0]


def test_the_readmes_first_example(start: Callable[..., Server], tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text(first_example(), "utf-8")
    server = start("-m", "cyclone.cli", "run", app, "--port", "0")
    assert httpx.get(server.url).text == "Hello, world"


def test_story(start_example: StartExample) -> None:
    server = start_example("story.py")
    with httpx.Client(base_url=server.url) as client:
        assert client.get("/").text == "You requested the main page"
        assert client.get("/story/42").text == "You requested the story 42"
        assert client.get("/story/x").status_code == 404


def test_form(start_example: StartExample) -> None:
    server = start_example("form.py")
    with httpx.Client(base_url=server.url) as client:
        assert 'action="/myform"' in client.get("/myform").text
        answer = client.post("/myform", data={"message": "hello <b>"})
        assert answer.headers["Content-Type"] == "text/plain"
        assert answer.text == "You wrote hello <b>"
        assert client.post("/myform").status_code == 400
        bad = client.post(
            "/myform",
            content=b"message=%ff",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert bad.status_code == 400


def test_error(start_example: StartExample) -> None:
    server = start_example("error.py")
    with httpx.Client(base_url=server.url) as client:
        refused = client.get("/")
        assert refused.status_code == 403
        assert "403: Forbidden" in refused.text
        assert "not a member" not in refused.text
        assert client.get("/?member=yes").text == "Welcome back"
        broken = client.get("/broken")
        assert (broken.status_code, broken.text) == (500, "Something went wrong (500)")
    log = server.log()
    assert "RuntimeError: a secret detail that only the log shows" in log
    assert "not a member: 127.0.0.1" in log
