"""ServerKeywords: the fields of ServerOptions once more, for type checkers."""

import dataclasses
from collections.abc import Iterable
from typing import get_type_hints

from cyclone.httpserver import ServerKeywords, ServerOptions


def test_names_and_types_are_those_of_the_options() -> None:
    types = get_type_hints(ServerOptions)
    options = {
        field.name: types[field.name] for field in dataclasses.fields(ServerOptions) if field.init
    }
    options["trusted_downstream"] = Iterable[str] | None  # becomes a tuple
    assert get_type_hints(ServerKeywords) == options


def test_none_is_needed() -> None:
    assert not ServerKeywords.__required_keys__
