"""The applications in PORTING.md run as they stand there."""

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import httpx
import pytest

GUIDE = Path(__file__).resolve().parents[3] / "PORTING.md"
pytestmark = pytest.mark.skipif(not GUIDE.is_file(), reason="the guide is not in the sdist")


class Server(Protocol):
    url: str


def program(heading: str) -> str:
    section = GUIDE.read_text("utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    (found,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    return str(found)


@pytest.mark.parametrize(
    ("heading", "answers"),
    [
        ("From Tornado 6", {"/": "Hello, world"}),
        ("From Cyclone 1.3", {"/?name=you": "Hello, you", "/later": "later"}),
        ("In place of modules that are not there", {"/hello/you": "Good morning, you"}),
    ],
)
def test_it_runs(
    start: Callable[..., Server],
    tmp_path: Path,
    heading: str,
    answers: dict[str, str],
) -> None:
    app = tmp_path / "app.py"
    app.write_text(program(heading), "utf-8")
    server = start("-m", "cyclone.cli", "run", app, "--port", "0")
    for path, text in answers.items():
        assert httpx.get(server.url + path).text == text


def test_json_rpc(start: Callable[..., Server], tmp_path: Path) -> None:
    app = tmp_path / "app.py"
    app.write_text(program("In place of modules that are not there"), "utf-8")
    server = start("-m", "cyclone.cli", "run", app, "--port", "0")

    def call(method: str, *params: object) -> object:
        call = {"id": 1, "method": method, "params": params}
        answer = httpx.post(f"{server.url}/jsonrpc", json=call).json()
        return answer["error"] or answer["result"]

    assert call("sort", [3, 1, 2]) == [1, 2, 3]
    assert call("later", "text") == "text"
    assert call("__class__") == {"code": 0, "message": "KeyError"}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("jsonrpc", id="LG-12-jsonrpc"),
        pytest.param("xmlrpc", id="LG-12-xmlrpc"),
        pytest.param("mail", id="LG-13-mail"),
        pytest.param("redis", id="LG-14-redis"),
        "sqlite",
        "bottle",
        "options",
        "util",
        "app",
    ],
)
def test_modules_of_1_3_that_are_gone(name: str) -> None:
    """LG-12, LG-13: nothing of ours calls methods that clients name, or writes letters.

    What takes their place is said, and none of them can be imported by half.
    """
    assert f"`cyclone.{name}`" in GUIDE.read_text("utf-8")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(f"cyclone.{name}")
