"""The examples of the README run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sse_support import Site

README = Path(__file__).resolve().parent.parent / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README.read_text("utf-8"), re.DOTALL | re.MULTILINE)

# Of each example: the path of its stream, and what it says within two seconds.
STREAMS = [("/clock", b"data: "), ("/events/news", b'data: {"title": "Hello"}\n\n')]


@pytest.mark.parametrize(("code", "stream"), [*zip(BLOCKS, STREAMS, strict=True)])
def test_example(code: str, stream: tuple[str, bytes]) -> None:
    names: dict[str, Any] = {"__name__": "readme"}
    exec(compile(code, str(README), "exec"), names)
    site = Site(names["application"])
    path, expected = stream
    connection = site.get(path)
    if "hub" in names:
        names["hub"].publish("news", {"title": "Hello"})
    site.advance(2)
    assert expected in connection.body
    connection.lose()
    site.advance(1)
    assert site.clock.getDelayedCalls() == []
