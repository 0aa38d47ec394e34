"""The README's Python blocks run."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

from http_support import Client

from cyclone.httpserver import ServerOptions

README = Path(__file__).parent.parent / "README.md"


def test_every_block_runs() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 4
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, str(README), "exec"), names)
    client = Client(names["callback"])
    assert b"you asked for /x" in client.send(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
    client = Client(names["stream"])
    assert client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").endswith(b"0\r\n\r\n")
    client = Client(names["Application"]())
    body = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
    assert client.send(body).endswith(b"\r\n\r\n5")


def test_it_has_every_option_and_no_other() -> None:
    section = README.read_text("utf-8").partition("## Limits and settings")[2]
    options = {field.name for field in dataclasses.fields(ServerOptions) if field.init}
    assert options <= set(re.findall(r"`([a-z_]+)`", section))
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)} <= options


def test_what_it_says_of_switching_off() -> None:
    section = README.read_text("utf-8").partition("## Limits and settings")[2]
    for name, star in re.findall(r"^\| `([a-z_]+)`( \*)? \|", section, re.MULTILINE):
        off: dict[str, Any] = {name: 0}
        try:
            ServerOptions(**off)
            bound = False
        except ValueError:
            bound = True
        assert bound is bool(star), name
