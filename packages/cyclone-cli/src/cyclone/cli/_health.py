"""A page for load balancers: is this process ready for requests?"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from cyclone.httpserver import EventLogger
from cyclone.web import RequestHandler

from ._drain import is_draining

log = EventLogger("cyclone.general")


class HealthHandler(RequestHandler):
    """Answers 200 while the process takes requests, and 503 while it drains or a check fails.

    ``checks`` (a keyword of the route) names what the application cannot do without: functions that
    return something true when all is well, or something awaitable for it. The answer is JSON:
    ``{"status": "ok", "checks": {"database": true}}``; why a check failed is logged, not told.
    """

    def initialize(self, checks: Mapping[str, Callable[[], object]] | None = None) -> None:
        """Take the checks of the route."""
        self.checks: Mapping[str, Callable[[], object]] = checks or {}

    async def get(self) -> None:
        """Answer."""
        results = {name: await self._passes(name, check) for name, check in self.checks.items()}
        stopping = is_draining() or bool(getattr(self.application, "closing", False))
        status = "stopping" if stopping else "ok" if all(results.values()) else "failing"
        self.set_status(200 if status == "ok" else 503)
        self.set_header("Cache-Control", "no-store")
        self.write({"status": status, "checks": results})

    async def head(self) -> None:
        """Answer without the body."""
        await self.get()

    async def _passes(self, name: str, check: Any) -> bool:
        try:
            result = check()
            if inspect.isawaitable(result):
                result = await result
        except Exception as error:
            log.warning("the health check {name} failed", name=name, exc_info=error)
            return False
        return bool(result)
