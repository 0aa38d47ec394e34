"""The examples of the README run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from cyclone.testing import Client

README = Path(__file__).resolve().parent.parent / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README.read_text("utf-8"), re.DOTALL | re.MULTILINE)

# What the application of each example answers: path, status, a piece of the body.
ANSWERS = [
    [("/", 200, "Hello, world")],
    [
        ("/story/1", 200, '"Once upon a time"'),
        ("/story/1?length=4", 200, '"Once"'),
        ("/story/1?length=x", 400, "length"),
        ("/story/2", 404, "404"),
    ],
    [("/none", 404, "404")],
    [("/", 500, "500")],
    [("/", 302, ""), ("/login", 200, '<input type="hidden" name="_xsrf"')],
    [("/", 200, '<p class="weather">Oslo: 21</p><p class="weather">Rome: 21</p>')],
    [
        ("/entry/5", 200, "entry 5"),
        ("/entry/" + "9" * 5000, 404, "404"),
        ("/old/7", 301, ""),
        ("/only/here/1", 404, "404"),
    ],
    [("/elsewhere", 404, "404")],
    [("/docs/../x", 403, "403"), ("/static/missing", 404, "404")],
    [("/updates?after=0", 200, '"data": {"body": "welcome"}}]}')],
    [("/order", 200, '"trace": "'), ("/metrics", 200, 'route="/order",status="200"')],
]


@pytest.mark.parametrize(("code", "answers"), [*zip(BLOCKS, ANSWERS, strict=True)])
def test_example(code: str, answers: list[tuple[str, int, str]]) -> None:
    names: dict[str, Any] = {"__name__": "readme"}
    exec(compile(code, str(README), "exec"), names)
    client = Client(names["application"])
    for path, status, piece in answers:
        response = client.fetch(uri=path)
        assert (response.status, piece in response.text) == (status, True), response.text
