"""The reactor under test, and the folder of the tests' own helpers."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

# A busy machine is slow now and then; that says nothing about the code.
settings.register_profile("cyclone", deadline=None)
settings.load_profile("cyclone")

if os.environ.get("CYCLONE_TEST_REACTOR") == "asyncio":
    from twisted.internet import asyncioreactor

    asyncioreactor.install()  # type: ignore[no-untyped-call]


@pytest.fixture(scope="session", autouse=True)
def _threads_end() -> Iterator[None]:
    """Names are resolved in threads of the reactor, which outlive it otherwise."""
    yield
    if "twisted.internet.reactor" in sys.modules:
        from twisted.internet import reactor

        pool = getattr(reactor, "threadpool", None)
        if pool is not None:
            pool.stop()
