import hashlib
from pathlib import Path
from typing import Any

import pytest

from cyclone.web import RequestHandler, StaticFileHandler

HASH = hashlib.sha512(b"content").hexdigest()


class Url(RequestHandler):
    def get(self, path: str) -> None:
        arguments: dict[str, Any] = {}
        if self.get_argument("v", None):
            arguments["include_version"] = False
        if self.get_argument("h", None):
            arguments["include_host"] = self.get_argument("h") == "1"
        self.write(self.static_url(path, **arguments))


class WithHost(Url):
    include_host = True


@pytest.fixture
def client(serve: Any, tmp_path: Path) -> Any:
    StaticFileHandler.reset()
    (tmp_path / "a.txt").write_bytes(b"content")
    return serve([("/u/(.*)", Url), ("/h/(.*)", WithHost)], static_path=str(tmp_path))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/u/a.txt", f"/static/a.txt?v={HASH}"),
        ("/u/a.txt?v=no", "/static/a.txt"),
        ("/u/a.txt?v=no&h=1", "http://example.com/static/a.txt"),
        ("/h/a.txt?v=no", "http://example.com/static/a.txt"),
        ("/h/a.txt?v=no&h=0", "/static/a.txt"),
        ("/u/missing", "/static/missing"),
    ],
)
def test_static_url(client: Any, path: str, expected: str) -> None:
    assert client.fetch("GET", path).text == expected


def test_st10_outside_of_the_root(client: Any) -> None:
    assert client.fetch("GET", "/u/../../etc/passwd").status == 403


def test_the_setting_is_needed(serve: Any) -> None:
    assert serve([("/u/(.*)", Url)]).fetch("GET", "/u/a").status == 500
