"""The error page of debug mode."""

from __future__ import annotations

import sys

from cyclone.web._debug import traceback_page


def test_the_traceback() -> None:
    try:
        raise ValueError("<why>")
    except ValueError:
        page = traceback_page(sys.exc_info())
    assert page.startswith("Traceback (most recent call last):\n")
    assert page.endswith("ValueError: <why>\n")


def test_a_very_long_traceback_is_shortened() -> None:
    try:
        raise ValueError("line\n" * 2000)
    except ValueError:
        page = traceback_page(sys.exc_info())
    assert page.count("\n") == 501
    assert " lines ..." in page
