"""Helpers for test cases of the standard library."""

from __future__ import annotations

import unittest
from contextlib import AbstractContextManager
from typing import TypeVar

T = TypeVar("T")


def setup_with_context_manager(testcase: unittest.TestCase, cm: AbstractContextManager[T]) -> T:
    """Enter a context manager in ``setUp``; it is left after the test.

    Returns what ``cm.__enter__`` does. (``TestCase.enterContext`` of Python 3.11 does the same.)
    """
    value = cm.__enter__()
    testcase.addCleanup(cm.__exit__, None, None, None)
    return value
