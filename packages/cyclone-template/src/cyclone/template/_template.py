"""The template object."""

from __future__ import annotations

from cyclone.escape import to_unicode

from ._bulk import encoded
from ._errors import TemplateError
from ._limits import DEFAULT_LIMITS, Limits
from ._rendering import Rendering, Spawn
from ._whitespace import MODES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping
    from typing import Any

    from ._loader import BaseLoader
    from ._nodes import File
    from ._program import Program

    Autoescape = str | Callable[[Any], object] | None


class _Unset:
    """An argument that was not given."""


_UNSET = _Unset()


class Template:
    """A compiled template.

    ``name`` is what errors call it; its ending chooses the white space mode (``single`` for
    ``.html`` and ``.js``, otherwise ``all``) unless ``whitespace`` (``all``, ``single``,
    ``oneline``) or the loader says. ``autoescape`` names the function that ``{{ }}`` applies, or is
    that function, or None. Raises :class:`ParseError`.
    """

    def __init__(
        self,
        template_string: str | bytes,
        name: str = "<string>",
        loader: BaseLoader | None = None,
        compress_whitespace: bool | _Unset | None = _UNSET,
        autoescape: Autoescape | _Unset = _UNSET,
        whitespace: str | None = None,
        *,
        limits: Limits | None = None,
        path: str | None = None,
    ) -> None:
        # The compiler is imported when there is something to compile.
        from ._parser import parse
        from ._reader import Reader

        self.name: str = to_unicode(name)
        self.loader = loader
        self.path = path
        # A loader need not be derived from ours.
        default: Limits = getattr(loader, "limits", DEFAULT_LIMITS)
        self.limits: Limits = limits or default
        if isinstance(autoescape, _Unset):
            autoescape = "xhtml_escape" if loader is None else loader.autoescape
        if isinstance(autoescape, bool):
            raise TypeError(
                f"autoescape names a function, or is None for no escaping; it is not {autoescape}"
            )
        self.autoescape: Autoescape = autoescape
        self.namespace: MutableMapping[str, Any] = {} if loader is None else loader.namespace
        if isinstance(compress_whitespace, bool):
            if whitespace is not None:
                raise ValueError("use whitespace or compress_whitespace, not both")
            whitespace = "single" if compress_whitespace else "all"
        mode = self._whitespace(whitespace)
        reader = Reader(self.name, template_string, self.limits)
        self.source: str = reader.text
        self.file: File = parse(reader, self, mode)
        self._program: Program | None = None
        defers_compiling = getattr(loader, "defers_compiling", None)
        if defers_compiling is None or not defers_compiling():
            self._program = self._compiled()

    def _compiled(self) -> Program:
        from ._program import Program

        return Program(self)

    def _whitespace(self, mode: str | None) -> str:
        if mode is None and self.loader is not None:
            mode = self.loader.whitespace
        if mode is None:
            mode = "single" if self.name.endswith((".html", ".js")) else "all"
        if mode not in MODES:
            raise ValueError(f"unknown whitespace mode {mode!r}: use all, single or oneline")
        return mode

    def is_compiled(self) -> bool:
        """Whether the program exists (internal)."""
        return self._program is not None

    @property
    def program(self) -> Program:
        """The compiled form (internal)."""
        if self._program is None:
            self._program = self._compiled()
        return self._program

    @property
    def names(self) -> frozenset[str] | None:
        """The names it may look up in a namespace; None if only running it can tell (`eval`)."""
        program = self._program or self.program
        return None if program.dynamic else program.names

    @property
    def code(self) -> str:
        """The generated Python source, with the template's lines in comments."""
        return self.program.get_source(self.name)

    def generate(self, /, **kwargs: object) -> bytes:
        """Render with these variables and return UTF-8.

        Raises :class:`TemplateError`, naming the line, when something would have to be awaited. An
        error raised by the template's own expressions passes through with the template's lines in
        its traceback.
        """
        program = self._program or self.program
        if program.awaits is not None:
            raise TemplateError(f"the template awaits at {program.awaits}: use generate_async()")
        try:
            return encoded(program.run(kwargs, None, self.namespace))
        except Exception as error:
            from ._traceback import translated

            failure = translated(error)
        try:
            raise failure
        finally:
            # Its traceback refers to this frame: no cycle is left for the garbage collector.
            del failure

    async def generate_async(self, /, **kwargs: object) -> bytes:
        """Render with these variables, waiting for every value that has to be awaited.

        Works under any event loop, or none. Coroutines are run one after the other, except in an
        asyncio task, where they run concurrently.
        """
        rendering = self.begin(kwargs, _spawn())
        return await rendering.complete()

    def begin(self, namespace: Mapping[str, object], spawn: Spawn | None = None) -> Rendering:
        """Start to render with the variables in ``namespace``, which is not copied.

        Every awaitable met in an expression goes through ``spawn``, which may start it and return
        something to await instead, and leaves a place in the output; rendering goes on.
        """
        return Rendering(self, namespace, spawn)


def _spawn() -> Spawn | None:
    """How to start coroutines where we are: as tasks inside an asyncio task, otherwise not."""
    import sys

    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return None
    if task is None:
        return None

    def spawn(awaitable: Awaitable[object]) -> Awaitable[object]:
        # Futures run already; other awaitables (a Deferred) may not be asyncio's to run.
        return asyncio.ensure_future(awaitable) if asyncio.iscoroutine(awaitable) else awaitable

    return spawn
