"""setup_with_context_manager."""

from __future__ import annotations

import contextlib
import unittest
from collections.abc import Iterator

from cyclone.testing import setup_with_context_manager


def test_it_is_entered_and_left_after_the_test() -> None:
    events: list[str] = []

    @contextlib.contextmanager
    def manager() -> Iterator[str]:
        events.append("enter")
        yield "value"
        events.append("exit")

    class Case(unittest.TestCase):
        def setUp(self) -> None:
            events.append(setup_with_context_manager(self, manager()))

        def test(self) -> None:
            events.append("test")

        def tearDown(self) -> None:
            events.append("tearDown")

    Case("test").debug()
    assert events == ["enter", "value", "test", "tearDown", "exit"]
