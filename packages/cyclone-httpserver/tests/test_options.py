"""Limits and switches."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from cyclone.httpserver import HTTPServer, ServerOptions


def test_defaults_are_bounded() -> None:
    options = ServerOptions()
    for name in ("max_body_size", "max_header_size", "max_header_count", "max_request_line"):
        assert getattr(options, name)
    for name in ("header_timeout", "idle_connection_timeout", "body_timeout", "write_timeout"):
        assert getattr(options, name)


def test_from_settings() -> None:
    settings: dict[str, Any] = {
        "max_body_size": 10,
        "trusted_downstream": ["10.0.0.1"],
        "body_timeout": None,
        "chunk_size": None,
        "debug": True,
    }
    options = ServerOptions.from_settings(settings)
    assert options.max_body_size == 10
    assert options.trusted_downstream == ("10.0.0.1",)
    assert options.body_timeout is None
    assert options.chunk_size == 65536


def test_server_takes_every_option() -> None:
    for field in dataclasses.fields(ServerOptions):
        if not field.init:
            continue
        value: Any = getattr(ServerOptions(), field.name)
        server = HTTPServer(lambda request: None, **{field.name: value})
        assert getattr(server.options, field.name) == value


def test_a_whole_object() -> None:
    options = ServerOptions(max_body_size=1)
    assert HTTPServer(lambda request: None, options=options).options is options
    with pytest.raises(TypeError):
        HTTPServer(lambda request: None, options=options, max_body_size=2)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("max_header_size", 0, ValueError),
        ("max_request_line", None, ValueError),
        ("max_body_size", -1, ValueError),
        ("body_timeout", -0.5, ValueError),
        ("protocol", "gopher", ValueError),
        ("trusted_downstream", "10.0.0.1", TypeError),
        ("max_body_size", "10MB", TypeError),
        ("body_timeout", "30", TypeError),
        ("no_such_thing", 1, TypeError),
    ],
)
def test_nonsense(name: str, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        ServerOptions(**{name: value})


def test_zero_turns_a_limit_off() -> None:
    assert ServerOptions(max_body_size=0).max_body_size == 0
