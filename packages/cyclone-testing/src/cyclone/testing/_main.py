"""main: run tests from the command line."""

from __future__ import annotations

import sys
import unittest
from typing import Any


def main(**kwargs: Any) -> None:
    """`unittest.main` for ``python -m cyclone.testing PACKAGE.MODULE ...``.

    In a script of your own: runs the tests it names on its command line, else what its function
    ``all()`` returns. Keywords are those of `unittest.main`.
    """
    if len(sys.argv) > 1:
        unittest.main(module=None, argv=sys.argv, **kwargs)
    else:
        unittest.main(defaultTest="all", argv=sys.argv, **kwargs)
