"""One rendering of a template: its text so far, and the places that wait for awaited values."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from ._codegen import Location
from ._errors import TemplateError
from ._traceback import current_location, located, translated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from ._template import Template

Spawn = Callable[[Awaitable[object]], Awaitable[object]]


def refuse_awaitable(value: object) -> TemplateError:
    """The error for a value that has to be awaited where nothing can be."""
    close = getattr(value, "close", None)
    if close is not None and hasattr(value, "cr_frame"):
        # An unawaited coroutine would warn when it is collected.
        close()
    where = current_location()
    what = type(value).__name__
    return TemplateError(f"a value has to be awaited ({what}) at {where}: use generate_async()")


class _Place:
    """A value that is awaited, and what turns the result into text."""

    __slots__ = ("awaitable", "convert", "location", "parts")

    def __init__(
        self,
        awaitable: Awaitable[object] | None,
        convert: Callable[[object], str],
        location: Location | None,
        parts: str = "",
    ) -> None:
        self.awaitable = awaitable
        self.convert = convert
        self.location = location
        self.parts = parts


class Rendering:
    """A template being rendered.

    ``pending`` says whether something has to be awaited: then only :meth:`complete` gives the
    output; otherwise :meth:`result` does.
    """

    __slots__ = ("_coroutine", "_failure", "_mark", "_places", "_spawn", "_template", "_text")

    def __init__(
        self, template: Template, namespace: Mapping[str, object], spawn: Spawn | None
    ) -> None:
        self._template = template
        self._spawn = spawn
        self._places: list[_Place] = []
        self._mark = ""
        self._text = ""
        self._failure: BaseException | None = None
        self._coroutine: Coroutine[object, object, str] | None = None
        program = template.program
        try:
            started = program.run(namespace, self, template.namespace)
        except Exception as error:
            self._drop()
            raise translated(error)
        if program.awaits is None:
            self._text = started
        else:
            self._coroutine = started

    @property
    def pending(self) -> bool:
        """Whether the output still waits for something."""
        return self._coroutine is not None or bool(self._places)

    def result(self) -> bytes:
        """The output. Raises :class:`TemplateError`, naming the line, when something is pending."""
        if self.pending:
            where: Location | None = self._template.program.awaits
            if self._places:
                where = self._places[0].location
            self.close()
            raise TemplateError(f"a value has to be awaited at {where}: use generate_async()")
        return self._text.encode("utf-8")

    def close(self) -> None:
        """Give up: cancel what was started. Nothing happens if nothing is pending."""
        if self._coroutine is not None:
            self._coroutine.close()
            self._coroutine = None
        self._drop()

    async def complete(self) -> bytes:
        """Wait for everything that is pending, and return the output.

        What was started runs on while the first is awaited. The first failure cancels the others
        and is raised with the template's line in its traceback.
        """
        try:
            if self._coroutine is not None:
                coroutine, self._coroutine = self._coroutine, None
                try:
                    self._text = await coroutine
                except Exception as error:
                    raise translated(error)
            if self._places:
                self._text = await self._filled()
        except BaseException:
            self._drop()
            raise
        return self._text.encode("utf-8")

    # Places

    def place(self, value: object, convert: Callable[[object], str]) -> str:
        """Start ``value`` and return the mark that stands for its result in the text."""
        if not self._mark:
            from secrets import token_hex

            # Text made before this point cannot hold the mark, later text cannot guess it.
            self._mark = f"\x00{token_hex(16)}:"
        location = current_location()
        awaitable: Awaitable[object] = value  # type: ignore[assignment]
        if self._spawn is not None:
            awaitable = self._spawn(awaitable)
        place = _Place(awaitable, convert, location)
        self._places.append(place)
        self._watch(place)
        return f"{self._mark}{len(self._places) - 1};"

    def place_output(self, output: str, function: Callable[[str], str]) -> str:
        """A mark for what ``function`` makes of text that has marks in it itself."""
        convert: Callable[[object], str] = function  # type: ignore[assignment]
        self._places.append(_Place(None, convert, current_location(), output))
        return f"{self._mark}{len(self._places) - 1};"

    def has_place(self, output: str) -> bool:
        """Whether ``output`` holds the mark of a place."""
        return bool(self._mark) and self._mark in output

    async def _filled(self) -> str:
        results: list[str] = []
        index = 0
        # Filling one place may open others (a value that gives another awaitable).
        while index < len(self._places):
            place = self._places[index]
            index += 1
            if place.awaitable is None:
                results.append("")
                continue
            try:
                value = await place.awaitable
                place.awaitable = None
                results.append(place.convert(value))
            except BaseException as error:
                raise self._located(error, place) from error.__cause__
        return self._joined(self._text, results, 0)

    def _joined(self, text: str, results: list[str], depth: int) -> str:
        """``text`` with its marks replaced."""
        if self._mark not in text:
            return text
        pieces = re.split(rf"{self._mark}(\d+);", text)
        for at in range(1, len(pieces), 2):
            index = int(pieces[at])
            place = self._places[index]
            if place.parts:
                inner = self._joined(place.parts, results, depth + 1)
                try:
                    pieces[at] = place.convert(inner)
                except Exception as error:
                    raise self._located(error, place) from error.__cause__
            else:
                pieces[at] = self._joined(results[index], results, depth + 1)
        return "".join(pieces)

    def _located(self, error: BaseException, place: _Place) -> BaseException:
        """The failure to report for a place: perhaps another's that happened first."""
        if self._failure is not None and self._failure is not error:
            error = self._failure
            place = next((p for p in self._places if p.parts == "failed"), place)
        if place.location is None or not isinstance(error, Exception):
            return error
        error.add_note(f"    in the template at {place.location}")
        inner = error.__traceback__
        return error.with_traceback(located(place.location, inner))

    def _watch(self, place: _Place) -> None:
        """Notice a failure while another place is awaited, where the awaitable can tell."""

    def _drop(self) -> None:
        """Cancel what is still running and close what never ran."""
        for place in self._places:
            awaitable, place.awaitable = place.awaitable, None
            for method in ("cancel", "close"):
                stop = getattr(awaitable, method, None)
                if stop is not None:
                    stop()
                    break
        self._places.clear()
