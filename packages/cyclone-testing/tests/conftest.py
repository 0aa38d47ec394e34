"""Chooses the reactor, and lets the tests of this folder import each other."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

if os.environ.get("CYCLONE_TEST_REACTOR") == "asyncio":
    from twisted.internet import asyncioreactor

    asyncioreactor.install()  # type: ignore[no-untyped-call]
