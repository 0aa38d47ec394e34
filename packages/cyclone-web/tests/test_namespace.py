"""The lazy namespace: nothing is worked out before it is used, and nobody can tell otherwise."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from cyclone.web._namespace import TemplateNamespace

NAMES = {
    *("handler", "request", "current_user", "locale", "_", "pgettext", "static_url"),
    *("xsrf_form_html", "reverse_url", "modules", "_modules", "_tt_modules", "greet"),
}


class Handler:
    """What the namespace takes from a handler; it notes what was worked out."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.application = SimpleNamespace(ui_methods={"greet": None})
        self.request = "request"
        self.static_url = self.xsrf_form_html = self.reverse_url = None
        self.ui = {"modules": "modules", "greet": "hello"}

    @property
    def current_user(self) -> str:
        self.asked.append("current_user")
        return "Ben"

    @property
    def locale(self) -> Any:
        self.asked.append("locale")
        return SimpleNamespace(translate="translate", pgettext="pgettext")


@pytest.fixture
def handler() -> Handler:
    return Handler()


@pytest.fixture
def namespace(handler: Handler) -> TemplateNamespace:
    return TemplateNamespace(handler)  # type: ignore[arg-type]


def test_only_what_is_used_is_worked_out(handler: Handler, namespace: TemplateNamespace) -> None:
    namespace.update({"title": "t"})
    namespace["more"] = 1
    assert (namespace["title"], namespace["more"]) == ("t", 1)
    assert namespace["handler"] is handler
    assert namespace["greet"] == "hello"
    assert namespace["_tt_modules"] == namespace["modules"] == "modules"
    assert "current_user" in namespace
    assert "nothing" not in namespace
    assert handler.asked == []
    assert namespace["current_user"] == namespace["current_user"] == "Ben"
    assert handler.asked == ["current_user"]
    assert namespace["_"] == "translate"
    with pytest.raises(KeyError, match="nothing"):
        namespace["nothing"]


def test_what_is_given_wins(handler: Handler, namespace: TemplateNamespace) -> None:
    namespace.update({"current_user": "Ann", "greet": 1})
    assert dict(namespace)["current_user"] == "Ann"
    assert namespace["greet"] == 1
    assert "current_user" not in handler.asked


@pytest.mark.parametrize(
    "copy",
    [
        dict,
        lambda namespace: {**namespace},
        lambda namespace: namespace.copy(),
        lambda namespace: namespace | {},
        lambda namespace: {} | namespace,
        lambda namespace: dict(namespace.items()),
        lambda namespace: dict(zip(namespace.keys(), namespace.values(), strict=True)),
        lambda namespace: {name: namespace[name] for name in namespace},
        lambda namespace: (lambda **names: names)(**namespace),
    ],
    ids=["dict", "stars", "copy", "or", "ror", "items", "keys", "iteration", "call"],
)
def test_copies_are_whole(
    copy: Callable[[TemplateNamespace], dict[str, Any]], namespace: TemplateNamespace
) -> None:
    copied = copy(namespace)
    assert set(copied) == NAMES
    assert copied["current_user"] == "Ben"
    assert type(copied) is dict


def test_the_rest_of_a_dictionary(namespace: TemplateNamespace) -> None:
    assert namespace.get("current_user") == "Ben"
    assert namespace.get("nothing") is None
    assert namespace.get("nothing", 1) == 1
    assert namespace.setdefault("locale", None) is not None
    assert namespace.setdefault("mine", 2) == 2
    assert len(namespace) == len(NAMES) + 1
    assert namespace == dict(namespace)
    assert namespace.pop("mine") == 2
    assert namespace.pop("mine", 3) == 3
    del namespace["request"]
    with pytest.raises(TypeError):
        hash(namespace)
