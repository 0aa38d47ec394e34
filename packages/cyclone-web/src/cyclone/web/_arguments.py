"""Arguments from the URL, from forms and from JSON bodies."""

from __future__ import annotations

import enum
import functools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar, overload

from ._base import HandlerBase
from ._errors import HTTPError, InvalidArgumentError, MissingArgumentError

_T = TypeVar("_T")
_D = TypeVar("_D")
_Converter = type[_T] | Callable[[str], _T]


class _Required(enum.Enum):
    REQUIRED = enum.auto()


_REQUIRED: Final = _Required.REQUIRED
# Tornado's name: what an override of get_argument has for its own default
_ARG_DEFAULT: Final = _REQUIRED
_TRUE = frozenset({"1", "true", "yes", "on", "y", "t"})
_FALSE = frozenset({"0", "false", "no", "off", "n", "f", ""})
# What may stay in a text argument: control characters but TAB, LF, VT, FF and CR become a space.
_CONTROLS = dict.fromkeys([*range(9), *range(14, 32)], " ")


class ArgumentsMixin(HandlerBase):
    """Reads what the client sent, decoded and checked."""

    _parsed_json: Any = _REQUIRED

    @overload
    def get_argument(self, name: str, *, strip: bool = True) -> str: ...
    @overload
    def get_argument(self, name: str, default: str, strip: bool = True) -> str: ...
    @overload
    def get_argument(self, name: str, default: str | None, strip: bool = True) -> str | None: ...
    @overload
    def get_argument(self, name: str, *, strip: bool = True, type: _Converter[_T]) -> _T: ...
    @overload
    def get_argument(
        self, name: str, default: _D, strip: bool = True, *, type: _Converter[_T]
    ) -> _T | _D: ...
    def get_argument(
        self,
        name: str,
        default: Any = _REQUIRED,
        strip: bool = True,
        *,
        type: _Converter[Any] | None = None,
    ) -> Any:
        """The last value of an argument from the URL or from the form.

        :arg type: what to turn the text into: ``int``, ``float``, ``bool``, ``datetime.date``,
            ``uuid.UUID``, an Enum, or any callable that raises ValueError for what it does not
            take.
        :raises MissingArgumentError: (400) when it is missing and there is no *default*.
        :raises InvalidArgumentError: (400, names the argument) when *type* refuses the value.
        """
        return self._last_value(self.request.arguments, name, default, strip, type)

    def get_arguments(self, name: str, strip: bool = True) -> list[str]:
        """All values of an argument: those of the URL, then those of the form."""
        return self._all_values(self.request.arguments, name, strip)

    @overload
    def get_query_argument(self, name: str, *, strip: bool = True) -> str: ...
    @overload
    def get_query_argument(self, name: str, default: str, strip: bool = True) -> str: ...
    @overload
    def get_query_argument(
        self, name: str, default: str | None, strip: bool = True
    ) -> str | None: ...
    @overload
    def get_query_argument(self, name: str, *, strip: bool = True, type: _Converter[_T]) -> _T: ...
    @overload
    def get_query_argument(
        self, name: str, default: _D, strip: bool = True, *, type: _Converter[_T]
    ) -> _T | _D: ...
    def get_query_argument(
        self,
        name: str,
        default: Any = _REQUIRED,
        strip: bool = True,
        *,
        type: _Converter[Any] | None = None,
    ) -> Any:
        """As :meth:`get_argument`, from the URL only."""
        return self._last_value(self.request.query_arguments, name, default, strip, type)

    def get_query_arguments(self, name: str, strip: bool = True) -> list[str]:
        """As :meth:`get_arguments`, from the URL only."""
        return self._all_values(self.request.query_arguments, name, strip)

    @overload
    def get_body_argument(self, name: str, *, strip: bool = True) -> str: ...
    @overload
    def get_body_argument(self, name: str, default: str, strip: bool = True) -> str: ...
    @overload
    def get_body_argument(
        self, name: str, default: str | None, strip: bool = True
    ) -> str | None: ...
    @overload
    def get_body_argument(self, name: str, *, strip: bool = True, type: _Converter[_T]) -> _T: ...
    @overload
    def get_body_argument(
        self, name: str, default: _D, strip: bool = True, *, type: _Converter[_T]
    ) -> _T | _D: ...
    def get_body_argument(
        self,
        name: str,
        default: Any = _REQUIRED,
        strip: bool = True,
        *,
        type: _Converter[Any] | None = None,
    ) -> Any:
        """As :meth:`get_argument`, from the form only."""
        return self._last_value(self.request.body_arguments, name, default, strip, type)

    def get_body_arguments(self, name: str, strip: bool = True) -> list[str]:
        """As :meth:`get_arguments`, from the form only."""
        return self._all_values(self.request.body_arguments, name, strip)

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """Decode one argument or path group; override it for another encoding than UTF-8.

        *name* is None for a group without a name. A str, which a router of one's own may give, is
        returned as it is.

        :raises HTTPError: (400) when *value* is not UTF-8.
        """
        given: Any = value
        if isinstance(given, str):
            return given
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            shown = name or "url"
            raise HTTPError(400, f"Invalid unicode in {shown}: {value[:40]!r}") from None

    def get_json(
        self, default: Any = _REQUIRED, *, type: type | tuple[type, ...] | None = None
    ) -> Any:
        """The JSON body of the request, decoded once.

        Only a body that says it is JSON is read (``application/json`` or ``.../...+json``): another
        site's form can send ``text/plain`` in the name of your user, but not this (XS-06).

        :arg default: returned when there is no body at all; without it that is a 400.
        :arg type: ``dict`` or ``list``, when only that will do.
        :raises HTTPError: 415 for another content type, 400 for what is not JSON or not of *type*.
        """
        if self._parsed_json is _REQUIRED:
            body = self.request.body
            if not body:
                if default is _REQUIRED:
                    raise HTTPError(400, "Missing JSON body")
                return default
            if not _is_json(self.request.headers.get("Content-Type", "")):
                raise HTTPError(415, "The body is not declared as JSON")
            self._parsed_json = _decode_json(body)
        if type is not None and not isinstance(self._parsed_json, type):
            raise HTTPError(400, f"The JSON body is a {self._parsed_json.__class__.__name__}")
        return self._parsed_json

    def _get_argument(
        self, name: str, default: Any, source: Mapping[str, Sequence[bytes]], strip: bool = True
    ) -> Any:
        """One argument of *source*: Tornado's name, which programs call with sources of theirs."""
        return self._last_value(source, name, default, strip, None)

    def _get_arguments(
        self, name: str, source: Mapping[str, Sequence[bytes]], strip: bool = True
    ) -> list[str]:
        """All arguments of that name in *source*: Tornado's name."""
        return self._all_values(source, name, strip)

    def _last_value(
        self,
        source: Mapping[str, Sequence[bytes]],
        name: str,
        default: Any,
        strip: bool,
        convert: _Converter[Any] | None,
    ) -> Any:
        values = source.get(name)
        if not values:
            if default is _REQUIRED:
                raise MissingArgumentError(name)
            return default
        text = self._clean_argument(values[-1], name, strip)
        return text if convert is None else _convert(convert, text, name)

    def _all_values(
        self, source: Mapping[str, Sequence[bytes]], name: str, strip: bool
    ) -> list[str]:
        if not isinstance(strip, bool):
            raise TypeError("get_arguments() takes no default: the second argument is strip")
        return [self._clean_argument(value, name, strip) for value in source.get(name, ())]

    def _clean_argument(self, value: bytes, name: str, strip: bool) -> str:
        decoded: Any = self.decode_argument(value, name=name)
        # An override may well give bytes, as in Tornado.
        text = _clean_text(decoded) if isinstance(decoded, str) else decoded
        return text.strip() if strip else text


def _clean_text(text: str) -> str:
    return text if text.isprintable() else text.translate(_CONTROLS)


def _convert(convert: _Converter[Any], text: str, name: str) -> Any:
    if convert is bool:
        convert = _to_bool
    elif isinstance(convert, type) and not issubclass(convert, enum.Enum):
        convert = getattr(convert, "fromisoformat", convert)
    try:
        value = convert(text)
    except (ValueError, TypeError, ArithmeticError, LookupError):
        raise InvalidArgumentError(name) from None
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidArgumentError(name)
    return value


def _to_bool(text: str) -> bool:
    lowered = text.lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise ValueError(text)


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or ("/" in media_type and media_type.endswith("+json"))


@functools.cache
def _json_decoder() -> json.JSONDecoder:
    return json.JSONDecoder(parse_constant=_no_number)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _decode_json(body: bytes) -> Any:
    """Decode what RFC 8259 calls JSON: in UTF-8, without ``NaN`` or half of a surrogate pair."""
    try:
        value = _json_decoder().decode(body.decode("utf-8-sig"))
        if b"\\ud" in body or b"\\uD" in body:
            # Such text could be neither stored nor sent
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except (ValueError, RecursionError) as error:
        raise HTTPError(400, f"Invalid JSON body: {type(error).__name__}") from None
