"""Finding the application that the command line names."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
from types import ModuleType
from typing import Any

from twisted.internet.error import ReactorAlreadyInstalledError

from cyclone.httpserver import HTTPServer
from cyclone.web import Application

from ._errors import StartError, in_one_line, with_place

#: Looked for, in this order, when only a file or module is named.
NAMES = (
    "application",
    "app",
    "make_application",
    "make_app",
    "create_application",
    "create_app",
    "Application",
)
#: What ``import cyclone.<name>`` may be, each a distribution of its own.
PORTIONS = frozenset(
    (
        "auth",
        "cli",
        "escape",
        "httpclient",
        "httpserver",
        "httputil",
        "locale",
        "sse",
        "template",
        "testing",
        "web",
        "websocket",
    )
)
PORTING = "https://github.com/fiorix/cyclone/blob/main/PORTING.md"


def split_target(target: str) -> tuple[str, str | None]:
    """Split ``file.py[:attr]`` or ``module[:attr]``; the attribute is None if it is not named."""
    place, colon, attribute = target.rpartition(":")
    if not colon or os.sep in attribute:
        return target, None
    if not place or not attribute:
        raise StartError(f"{target!r} names no application: say file.py or module:attribute", 2)
    return place, attribute


def is_file(place: str) -> bool:
    """Whether the part before the colon is the name of a file."""
    return place.endswith(".py") or os.sep in place


def load_module(place: str) -> ModuleType:
    """Import a file, or a module by its name.

    The folder of a file, or the current one, is put in front of ``sys.path``, as Python itself
    does. :raises StartError: when there is none, or what it says when its import fails.
    """
    folder = os.path.dirname(os.path.abspath(place)) if is_file(place) else os.getcwd()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return _import_file(place) if is_file(place) else _import_module(place)


def _import_file(path: str) -> ModuleType:
    if os.path.isdir(path):
        raise StartError(f"{path!r} is a folder: name a file in it", 2)
    if not os.path.isfile(path):
        raise StartError(f"there is no file {path!r}", 2)
    name = os.path.splitext(os.path.basename(path))[0]
    if not name.isidentifier() or name in sys.modules or name in sys.stdlib_module_names:
        name = "cyclone_application"
    spec = importlib.util.spec_from_file_location(name, os.path.abspath(path))
    if spec is None or spec.loader is None:
        raise StartError(f"{path!r} is no Python source", 2)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise _not_imported(path, error) from error
    return module


def _import_module(name: str) -> ModuleType:
    if not all(name.split(".")):
        raise StartError(f"{name!r} names no application: say file.py or module:attribute", 2)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name == missing or name.startswith(f"{missing}."):
            raise StartError(f"there is no module {missing!r}", 2) from error
        raise _not_imported(name, error) from error
    except Exception as error:
        raise _not_imported(name, error) from error


def _not_imported(name: str, error: Exception) -> StartError:
    if isinstance(error, ReactorAlreadyInstalledError):
        hint = "it installs a reactor itself: leave out the option --reactor"
        return StartError(f"cannot import {name!r}: {in_one_line(error)} ({hint})")
    return StartError(f"cannot import {name!r}: {with_place(error)}{_hint(error)}")


def _hint(error: Exception) -> str:
    """Where to look for a module of Tornado or Cyclone 1.3, or one that is not installed."""
    package, dot, module = (getattr(error, "name", None) or "").partition(".")
    if not isinstance(error, ModuleNotFoundError) or package != "cyclone" or not dot:
        return ""
    module = module.partition(".")[0]
    if module in PORTIONS:
        return f"; pip install cyclone-{module}"
    return f"; Cyclone 2 has no such module: {PORTING} says what takes its place"


def find(target: str) -> Any:
    """What *target* names, not yet made into an application.

    :raises StartError: when it cannot be found or imported.
    """
    place, attribute = split_target(target)
    if attribute is None and not is_file(place) and "." in place:
        return _find_dotted(place)
    module = load_module(place)
    return _guess(module, place) if attribute is None else _attribute(module, attribute, place)


def _find_dotted(name: str) -> Any:
    """``package.module`` or, as Cyclone 1.3 had it, ``package.module.Class``."""
    try:
        return _guess(load_module(name), name)
    except StartError as error:
        cause = error.__cause__
        parent, _, attribute = name.rpartition(".")
        if not isinstance(cause, ModuleNotFoundError) or cause.name != name:
            raise
        try:
            return _attribute(load_module(parent), attribute, parent)
        except StartError as problem:
            raise problem from None


def _attribute(module: ModuleType, dotted: str, place: str) -> Any:
    value: Any = module
    for name in dotted.split("."):
        try:
            value = getattr(value, name)
        except AttributeError:
            raise StartError(f"{place!r} has no attribute {dotted!r}", 2) from None
    return value


def _guess(module: ModuleType, place: str) -> Any:
    """The application of a module: by the usual names, else the only one there is."""
    for name in NAMES:
        value = vars(module).get(name)
        if value is not None and value is not Application and _may_serve(value):
            return value
    own = [value for value in vars(module).values() if _is_own(value, module)]
    instances = [value for value in own if isinstance(value, HTTPServer)]
    candidates = instances or own
    if len(candidates) == 1:
        return candidates[0]
    what = "several applications" if candidates else "no application"
    raise StartError(f"{what} in {place!r}: name one, as in {place}:application", 2)


def _is_own(value: object, module: ModuleType) -> bool:
    if isinstance(value, HTTPServer):
        return True
    return (
        isinstance(value, type)
        and issubclass(value, HTTPServer)
        and value.__module__ == module.__name__
    )


def _may_serve(value: object) -> bool:
    return isinstance(value, HTTPServer) or callable(value)


def call(found: Any, target: str, argument: str | None = None) -> Any:
    """Make the application: an instance as it is, else call the class or function.

    *argument* (``--appopts``) is its one argument. The result may be awaitable.
    :raises StartError: when that raises.
    """
    if isinstance(found, HTTPServer):
        if argument is not None:
            raise StartError(f"{target!r} is made already: it takes no --appopts", 2)
        return found
    if not callable(found):
        raise StartError(f"{target!r} is {_kind(found)}, no application and nothing to call", 2)
    try:
        return found() if argument is None else found(argument)
    except Exception as error:
        raise StartError(f"{target!r} could not be called: {with_place(error)}") from error


def finished(made: Any, target: str) -> Any:
    """The application out of an ``async def``, if that waits for nothing: there is no reactor here.

    :raises StartError: if it waits, or when it raises.
    """
    if not inspect.iscoroutine(made):
        return made
    try:
        made.send(None)
    except StopIteration as result:
        return result.value
    except Exception as error:
        raise StartError(f"{target!r} could not be called: {with_place(error)}") from error
    made.close()
    raise StartError(f"{target!r} waits for something: only `cyclone run` can do that", 2)


def checked(made: object, target: str) -> HTTPServer:
    """The application that came out of `call`. :raises StartError: if it is none."""
    if isinstance(made, HTTPServer):
        return made
    if inspect.iscoroutine(made):
        made.close()
    raise StartError(f"{target!r} gave {_kind(made)}, no cyclone.web.Application", 2)


def _kind(value: object) -> str:
    return "None" if value is None else f"an object of type {type(value).__name__}"
