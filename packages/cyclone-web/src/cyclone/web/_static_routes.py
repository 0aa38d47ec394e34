"""The routes an application has for its static files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ._routing_rules import Rule, URLSpec


def static_routes(settings: Mapping[str, Any]) -> list[Rule]:
    """Return the routes for the setting ``static_path``; none without it.

    They are for the prefix ``static_url_prefix`` (``/static/`` by default), ``/favicon.ico`` and
    ``/robots.txt``; ``static_handler_class`` and ``static_handler_args`` say who serves them.
    """
    path = settings.get("static_path")
    if not path:
        return []
    from ._static import StaticFileHandler

    handler_class = settings.get("static_handler_class", StaticFileHandler)
    arguments = {**settings.get("static_handler_args", {}), "path": path}
    prefix = re.escape(settings.get("static_url_prefix", "/static/"))
    patterns = (prefix + "(.*)", r"/(favicon\.ico)", r"/(robots\.txt)")
    return [URLSpec(pattern, handler_class, arguments) for pattern in patterns]
