"""What the handler's mixins share."""

from __future__ import annotations

from cyclone.web._base import SAFE_METHODS, HandlerBase


def test_no_default_is_shared_by_accident() -> None:
    shared = [
        name
        for name, value in vars(HandlerBase).items()
        if isinstance(value, (list, dict)) and not name.startswith("__")
    ]
    assert shared == []


def test_safe_methods() -> None:
    assert {"GET", "HEAD", "OPTIONS"} == SAFE_METHODS
