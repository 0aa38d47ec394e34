"""One rendering of a template: its text so far, and the places that wait for awaited values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ._bulk import encoded
from ._errors import TemplateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping
    from typing import Any

    from ._template import Template

Spawn = Callable[[Awaitable[object]], Awaitable[object]]


def refuse_awaitable(value: object) -> TemplateError:
    """The error for a value that has to be awaited where nothing can be."""
    close = getattr(value, "close", None)
    if close is not None and hasattr(value, "cr_frame"):
        # An unawaited coroutine would warn when it is collected.
        close()
    from ._traceback import current_location

    where = current_location()
    what = type(value).__name__
    return TemplateError(f"a value has to be awaited ({what}) at {where}: use generate_async()")


class _Place:
    """A value that is awaited, and what turns the result into text."""

    __slots__ = ("awaitable", "convert", "location", "output", "text")

    def __init__(
        self, awaitable: Awaitable[object] | None, convert: Callable[[object], str]
    ) -> None:
        from ._traceback import current_location

        self.awaitable = awaitable
        self.convert = convert
        self.location = current_location()
        self.output: str | None = None
        self.text = ""


class Rendering:
    """A template being rendered.

    ``pending`` says whether something has to be awaited: then only :meth:`complete` gives the
    output; otherwise :meth:`result` does.
    """

    # Few renderings wait for anything: only those have these of their own.
    _places: list[_Place] | tuple[()] = ()
    _mark = ""
    _failed: tuple[BaseException, _Place] | None = None
    _coroutine: Coroutine[object, object, list[str]] | None = None

    def __init__(
        self, template: Template, namespace: Mapping[str, object], spawn: Spawn | None
    ) -> None:
        self._template = template
        self._spawn = spawn
        try:
            program = template._program or template.program
            started: Any = program.run(namespace, self, template.namespace)
        except Exception as error:
            from ._traceback import translated

            failure = translated(error)
        else:
            if type(started) is list:
                self._pieces: list[str] = started
            else:
                self._coroutine = started
            return
        self._drop()
        try:
            raise failure
        finally:
            del failure

    @property
    def pending(self) -> bool:
        """Whether the output still waits for something."""
        return self._coroutine is not None or bool(self._places)

    def result(self) -> bytes:
        """The output. Raises :class:`TemplateError`, naming the line, when something is pending."""
        if self.pending:
            places = self._places
            where = places[0].location if places else self._template.program.awaits
            self.close()
            raise TemplateError(f"a value has to be awaited at {where}: use generate_async()")
        return encoded(self._pieces)

    def close(self) -> None:
        """Give up: cancel what was started. Nothing happens if nothing is pending."""
        if self._coroutine is not None:
            self._coroutine.close()
            self._coroutine = None
        self._drop()

    async def complete(self) -> bytes:
        """Wait for everything that is pending, and return the output.

        What was started runs on while the first is awaited. The first failure cancels the others
        and is raised with the template's line in its traceback and in a note.
        """
        try:
            if self._coroutine is not None:
                coroutine, self._coroutine = self._coroutine, None
                self._pieces = await self._ran(coroutine)
            if self._places:
                await self._fill()
                self._pieces = [self._joined("".join(self._pieces))]
        except BaseException:
            self._drop()
            raise
        self._places = ()
        return encoded(self._pieces)

    async def _ran(self, coroutine: Coroutine[object, object, list[str]]) -> list[str]:
        try:
            return await coroutine
        except Exception as error:
            from ._traceback import translated

            failure = translated(error)
        try:
            raise failure
        finally:
            del failure

    # Places

    def place(self, value: Awaitable[object], convert: Callable[[object], str]) -> str:
        """Start ``value`` and return the mark that stands for its result in the text."""
        if not self._mark:
            from secrets import token_hex

            # Text made before this point cannot hold the mark, later text cannot guess it.
            self._mark = f"\x00{token_hex(16)}:"
        place = _Place(value if self._spawn is None else self._spawn(value), convert)
        mark = self._add(place)
        self._watch(place)
        return mark

    def place_output(self, output: str, function: Callable[[object], str]) -> str:
        """A mark for what ``function`` makes of text that has marks in it itself."""
        place = _Place(None, function)
        place.output = output
        return self._add(place)

    def _add(self, place: _Place) -> str:
        if isinstance(self._places, tuple):
            self._places = []
        self._places.append(place)
        return f"{self._mark}{len(self._places) - 1};"

    def has_place(self, output: str) -> bool:
        """Whether ``output`` holds the mark of a place."""
        return bool(self._mark) and self._mark in output

    def _watch(self, place: _Place) -> None:
        """Learn of a failure while another place is being awaited, where the awaitable can tell.

        Futures of asyncio and Twisted's Deferreds both call back, and both can be cancelled.
        """
        awaitable = place.awaitable

        def failed(error: BaseException | None) -> None:
            if error is not None and self._failed is None and place.awaitable is not None:
                self._failed = (error, place)
                self._cancel()

        add_done_callback = getattr(awaitable, "add_done_callback", None)
        if add_done_callback is not None:
            add_done_callback(lambda f: failed(None if f.cancelled() else f.exception()))
            return
        add_errback = getattr(awaitable, "addErrback", None)
        if add_errback is not None:

            def errback(failure: object) -> object:
                failed(getattr(failure, "value", None))
                return failure

            add_errback(errback)

    async def _fill(self) -> None:
        index = 0
        # Filling one place may open others: an awaited value that is an awaitable again.
        while index < len(self._places):
            place = self._places[index]
            index += 1
            if place.awaitable is None:
                continue
            try:
                if self._failed is not None:
                    raise self._failed[0]
                value = await place.awaitable
                place.awaitable = None
                place.text = place.convert(value)
            except Exception as error:
                raise self._located(error, place) from error.__cause__
            except BaseException as error:
                # A cancellation that came of another place's failure is told as that failure.
                if self._failed is None or self._failed[1] is place:
                    raise
                raise self._located(error, place) from None

    def _joined(self, text: str) -> str:
        """``text`` with its marks replaced by what the places hold."""
        if not self.has_place(text):
            return text
        import re

        pieces = re.split(rf"{self._mark}(\d+);", text)
        for at in range(1, len(pieces), 2):
            place = self._places[int(pieces[at])]
            if place.output is None:
                pieces[at] = self._joined(place.text)
                continue
            try:
                pieces[at] = place.convert(self._joined(place.output))
            except Exception as error:
                raise self._located(error, place) from error.__cause__
        return "".join(pieces)

    def _located(self, error: BaseException, place: _Place) -> BaseException:
        """The failure to report for ``place``: perhaps another's, which happened first."""
        if self._failed is not None:
            error, place = self._failed
        if place.location is None:
            return error
        from ._traceback import located

        error.add_note(f"    in the template at {place.location}")
        return error.with_traceback(located(place.location, error.__traceback__))

    def _cancel(self) -> None:
        for place in self._places:
            cancel = getattr(place.awaitable, "cancel", None)
            if cancel is not None:
                cancel()

    def _drop(self) -> None:
        """Cancel what is still running, close what never ran."""
        self._cancel()
        for place in self._places:
            awaitable, place.awaitable = place.awaitable, None
            close = getattr(awaitable, "close", None)
            if close is not None:
                close()
            add_errback = getattr(awaitable, "addErrback", None)
            if add_errback is not None:
                # Or Twisted would log the failure as one that nobody handled.
                add_errback(lambda failure: None)
        self._places = ()
