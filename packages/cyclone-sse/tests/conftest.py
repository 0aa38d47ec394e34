"""The reactor of ``CYCLONE_TEST_REACTOR``; tests of this folder may import their helper module."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

# A reactor can only be chosen before anything imports it.
if os.environ.get("CYCLONE_TEST_REACTOR") == "asyncio" and (
    "twisted.internet.reactor" not in sys.modules
):
    from twisted.internet import asyncioreactor

    asyncioreactor.install()  # type: ignore[no-untyped-call]
