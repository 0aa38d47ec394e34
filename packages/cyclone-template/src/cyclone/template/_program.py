"""From generated source to a function, with Python's complaints told in the template's terms."""

from __future__ import annotations

import builtins
from importlib.machinery import ModuleSpec
from types import FunctionType

from cyclone import escape

from . import _bulk, _runtime
from ._codegen import Location, generate
from ._errors import ParseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ._template import Template

    Runner = Callable[[Mapping[str, object], object, Mapping[str, object]], Any]

# A template that asks for its own variables by one of these needs them in a real dictionary.
_DYNAMIC = frozenset({"globals", "locals", "vars", "dir", "eval", "exec"})
_NOT_LOOKED_UP = frozenset(
    {"__name__", "__builtins__", "__debug__", "__import__", "__loader__", "__spec__"}
)
_ALLOW_AWAIT = 0x2000
_GENERATOR = 0x20 | 0x200

# The names of ours that generated code uses; local ones are faster.
_HELPERS = ("_tt_s", "_tt_c", "_tt_a", "_tt_joined", "_tt_joined_rows")
_DEFERRING = ("_tt_type", "_tt_str", "_tt_int", "_tt_end")
_GLOBALS: dict[str, object] = {
    "_tt_s": _runtime.plain,
    "_tt_c": _runtime.converted,
    "_tt_a": _runtime.applied,
    "_tt_joined": _bulk.joined,
    "_tt_joined_rows": _bulk.joined_rows,
    "_tt_escaped": _runtime.escaped,
    "_tt_unescaped": _runtime.unescaped,
    "_tt_custom": _runtime.custom,
    "_tt_type": type,
    "_tt_str": str,
    "_tt_int": int,
    "_tt_end": _bulk.finished,
    "_tt_ended": _bulk.ended,
}


class Program:
    """A compiled template.

    ``run(namespace, rendering, shared)`` gives the pieces of the output's text, or a coroutine of
    them when ``awaits`` says where the template itself awaits.
    """

    def __init__(self, template: Template) -> None:
        try:
            source = generate(template)
        except RecursionError:
            # A loader that is not ours, without a cache, can load a file within itself for ever.
            raise ParseError("extends or include never ends", template.name, 1) from None
        self.name: str = template.name
        self.filename: str = f"{template.name.replace('.', '_')}.generated.py"
        self.awaits: Location | None = source.awaits
        names = {name for name in source.names() if not name.startswith("_tt_")}
        names -= _NOT_LOOKED_UP
        if any("_tt_modules." in code for code, _ in source.snippets):
            names.add("_tt_modules")
        self.names: frozenset[str] = frozenset(names)
        self.dynamic: bool = not self.names.isdisjoint(_DYNAMIC)
        loader: Any = self
        self.globals: dict[str, object] = {
            "__name__": self.filename,
            "__builtins__": builtins,
            # Where linecache looks for the source; without both Python 3.15 warns in tracebacks.
            "__loader__": loader,
            "__spec__": ModuleSpec(self.filename, loader),
            "_tt_program": self,
        }
        self._source = source
        head = self._head(template.loader is not None)
        self._lines = [*head, *source.lines, " return _tt_out"]
        root = source.locations[0] if source.locations else Location(template, 1, None)
        self._locations = [*[root] * len(head), *source.locations, root]
        self.globals.update(source.functions)
        self.function: FunctionType = self._compiled()
        # Only compiling needs the rest of it.
        del self._source
        self.run: Runner = self._run_dynamic if self.dynamic else self.function

    def _head(self, shared: bool) -> list[str]:
        """The first lines: the names the template uses become local variables.

        A name comes from the arguments, else the loader's namespace, else the functions every
        template has, else Python's builtins. One that is nowhere stays unbound, so that using it
        is the error.
        """
        word = "async def" if self.awaits else "def"
        helpers = [*_HELPERS, *(_DEFERRING if self._source.defers else ())]
        defaults = ", ".join(f"{name}={name}" for name in helpers)
        lines = [f"{word} _tt_execute(_tt_ns, _tt_p, _tt_lns, {defaults}):"]
        self.globals.update(_GLOBALS)
        for name in sorted(self._source.escapes):
            lines.append(f" _tt_e_{name} = _tt_escaped")
            lines.append(f' if "{name}" in _tt_ns: _tt_e_{name} = _tt_custom(_tt_ns["{name}"])')
            if shared:
                lookup = f'_tt_custom(_tt_lns["{name}"])'
                lines.append(f' elif "{name}" in _tt_lns: _tt_e_{name} = {lookup}')
        if self._source.defers and self._source.escapes:
            lines += _deferring(sorted(self._source.escapes))
        if not self.dynamic:
            for name in sorted(self.names):
                lines += self._binding(name, shared)
        lines.append(" _tt_out = []")
        return lines

    def _binding(self, name: str, shared: bool) -> list[str]:
        found, default = _default(name)
        lines = [f' if "{name}" in _tt_ns: {name} = _tt_ns["{name}"]']
        if shared:
            lines.append(f' elif "{name}" in _tt_lns: {name} = _tt_lns["{name}"]')
        if found:
            self.globals[f"_tt_d_{name}"] = default
            lines.append(f" else: {name} = _tt_d_{name}")
        return lines

    def _compiled(self) -> FunctionType:
        try:
            code = compile("\n".join(self._lines), self.filename, "exec", dont_inherit=True)
        except SyntaxError as error:
            raise self._syntax_error(error) from None
        except (RecursionError, MemoryError, OverflowError, ValueError) as error:
            raise self._too_complex(error) from None
        exec(code, self.globals)
        function = self.globals["_tt_execute"]
        if not isinstance(function, FunctionType):
            raise TypeError("generated code defines no function")
        if function.__code__.co_flags & _GENERATOR:
            location = self._locations[-1]
            raise ParseError("a template cannot use yield", location.template.name, location.line)
        return function

    def _run_dynamic(
        self, namespace: Mapping[str, object], rendering: object, shared: Mapping[str, object]
    ) -> object:
        names = {name: _default(name)[1] for name in _default_names()}
        variables = {**self.globals, **names, **shared, **namespace}
        function = FunctionType(
            self.function.__code__, variables, argdefs=self.function.__defaults__
        )
        return function(namespace, rendering, shared)

    # Positions

    def location(self, lineno: int) -> Location:
        """The template line that a line of the generated source comes from."""
        return self._locations[min(max(lineno, 1), len(self._locations)) - 1]

    def get_source(self, name: str) -> str:
        """The generated source with template lines in comments, as :mod:`linecache` asks for it."""
        pairs = zip(self._lines, self._locations, strict=True)
        return "\n".join(f"{line}  # {location}" if line else "" for line, location in pairs)

    def _syntax_error(self, error: SyntaxError) -> ParseError:
        location = self.location(error.lineno or 1)
        where = str(location)
        here = [code for code, at in self._source.snippets if str(at) == where]
        wrong = next((code for code in here if _is_wrong(code)), here[0] if here else "")
        for code, at in self._source.snippets:
            # Python 3.11 does not say where in the file an error inside an f-string is.
            anywhere = "f-string" in error.msg or error.filename != self.filename
            if anywhere or str(at) == where:
                problem = self._problem(code, anywhere)
                if problem:
                    return ParseError(problem, at.template.name, at.line, code)
        return ParseError(error.msg, location.template.name, location.line, wrong)

    def _problem(self, code: str, directive: bool) -> str:
        """What is wrong with an expression, or a directive, by itself: not with what it became."""
        if code in self._source.expressions or (directive and _is_wrong(code)):
            return _syntax_problem(code)
        return ""

    def _too_complex(self, error: Exception) -> ParseError:
        """Find the expression that the compiler gave up on."""
        reason = str(error) or "too complex"
        for code, location in self._source.snippets:
            if _is_too_complex(code):
                message = f"expression cannot be compiled ({reason})"
                return ParseError(message, location.template.name, location.line)
        return ParseError(f"template cannot be compiled ({reason})", self.name, 1)


def _deferring(escapes: list[str]) -> list[str]:
    """Lines that prepare for values which are escaped later than they are printed.

    That is only possible by our own function. If the namespace has one of its own under its name,
    every value goes through it, or ours, at once, for nothing is of the type ``None``.
    """
    ours = " and ".join(f"_tt_e_{name} is _tt_escaped" for name in escapes)
    late = "".join(f"_tt_d_{name} = " for name in escapes)
    once = "".join(f"_tt_d_{name} = _tt_e_{name}; " for name in escapes)
    return [
        f" if {ours}: {late}_tt_unescaped",
        f" else: {once}_tt_str = _tt_int = None; _tt_end = _tt_ended",
    ]


def _syntax_problem(code: str) -> str:
    """Python's message for an expression, or nothing."""
    try:
        compile(f"({code}\n)", "<template>", "eval", flags=_ALLOW_AWAIT)
    except SyntaxError as error:
        return error.msg
    except (ValueError, MemoryError, RecursionError, OverflowError):
        return "invalid syntax"
    return ""


def _is_too_complex(code: str) -> bool:
    for form in (code, f"{code}: pass"):
        try:
            compile(form, "<template>", "exec")
        except SyntaxError:
            continue
        except (RecursionError, MemoryError, OverflowError, ValueError):
            return True
    return False


def _is_wrong(code: str) -> bool:
    """Whether a piece of Python taken from a directive is what the compiler complains of."""
    for form in (f"({code}\n)", code, f"{code}: pass", f"async def f():\n {code}: pass"):
        try:
            compile(form, "<template>", "exec")
        except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError):
            continue
        return False
    return not code.startswith(("else", "elif", "except", "finally", "case", "match"))


_FUNCTIONS = {
    "escape": "xhtml_escape",
    "xhtml_escape": "xhtml_escape",
    "url_escape": "url_escape",
    "json_encode": "json_encode",
    "squeeze": "squeeze",
    "linkify": "linkify",
}


def _default_names() -> list[str]:
    return [*_FUNCTIONS, "datetime"]


def _default(name: str) -> tuple[bool, object]:
    """What a name means to every template, and whether it means anything."""
    if name in _FUNCTIONS:
        return True, getattr(escape, _FUNCTIONS[name])
    if name == "datetime":
        import datetime

        return True, datetime
    if hasattr(builtins, name):
        return True, getattr(builtins, name)
    return False, None
