"""Choosing Twisted's reactor by name."""

from __future__ import annotations

import importlib
import sys

from ._errors import StartError, in_one_line

MODULES = {
    "asyncio": "twisted.internet.asyncioreactor",
    "epoll": "twisted.internet.epollreactor",
    "kqueue": "twisted.internet.kqreactor",
    "poll": "twisted.internet.pollreactor",
    "select": "twisted.internet.selectreactor",
}


def install(name: str) -> None:
    """Install the reactor called *name*: one of `MODULES`, ``default`` or that of a plugin.

    :raises StartError: when there is none, it does not work here, or there is one already.
    """
    if name in {"default", installed()}:
        return
    if installed() is not None:
        raise StartError(f"cannot use the {name} reactor: the {installed()} one is in use already")
    try:
        if name in MODULES:
            importlib.import_module(MODULES[name]).install()
        else:
            from twisted.application.reactors import installReactor

            installReactor(name)
    except Exception as error:
        known = ", ".join(sorted(MODULES))
        raise StartError(
            f"cannot use a reactor {name!r} ({in_one_line(error)}); there are {known}", 2
        ) from error


def installed() -> str | None:
    """The name of the reactor that is installed, by its module; None if there is none yet."""
    reactor = sys.modules.get("twisted.internet.reactor")
    if reactor is None:
        return None
    module = type(reactor).__module__
    return next((name for name, path in MODULES.items() if path == module), module)
