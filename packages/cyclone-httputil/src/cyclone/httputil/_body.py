"""Request bodies that are forms, parsed in one go."""

from dataclasses import dataclass, field, replace
from typing import Final

from cyclone.escape import parse_qs_bytes

from ._errors import HTTPInputError
from ._files import HTTPFile
from ._forms import FormReceiver
from ._headers import HTTPHeaders
from ._multipart import MultipartLimits
from ._params import check_charset, parse_parameters

_URLENCODED: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"
_CHUNK: Final = 1 << 18
_SERVER_LIMITS: Final = MultipartLimits()


@dataclass
class ParseMultipartConfig:
    """How ``multipart/form-data`` is parsed; names and first three defaults as in Tornado.

    ``enabled``: False refuses such bodies. ``max_parts``, ``max_files``: their number.
    ``max_headers``, ``max_part_header_size``: fields of one part's header, and its bytes.
    ``max_part_size``: bytes of one part's content, None for no limit beyond the body's.
    ``max_field_size``: bytes of all fields that are not files, together, where the body is received
    in pieces; one that is parsed in one go is in memory already.
    """

    enabled: bool = True
    max_parts: int = 100
    max_part_header_size: int = 10 * 1024
    max_files: int = 100
    max_headers: int = 16
    max_part_size: int | None = None
    max_field_size: int | None = _SERVER_LIMITS.max_field_size

    def limits(self) -> MultipartLimits:
        """The same as limits for a `FormReceiver` or `MultipartReceiver`."""
        return MultipartLimits(
            max_parts=self.max_parts,
            max_files=self.max_files,
            max_headers=self.max_headers,
            max_header_size=self.max_part_header_size,
            max_part_size=self.max_part_size,
            max_field_size=self.max_field_size,
        )


@dataclass
class ParseUrlEncodedConfig:
    """How ``application/x-www-form-urlencoded`` is parsed. ``max_arguments``: fields."""

    max_arguments: int = 1000


@dataclass
class ParseBodyConfig:
    """How form bodies are parsed, one configuration for each kind."""

    multipart: ParseMultipartConfig = field(default_factory=ParseMultipartConfig)
    urlencoded: ParseUrlEncodedConfig = field(default_factory=ParseUrlEncodedConfig)


_server_default: Final = ParseBodyConfig(
    multipart=ParseMultipartConfig(
        max_parts=_SERVER_LIMITS.max_parts,
        max_part_header_size=_SERVER_LIMITS.max_header_size,
    )
)
_configured: ParseBodyConfig | None = None


def set_parse_body_config(config: ParseBodyConfig | None) -> None:
    """Set the configuration used where none is given, for the whole process (None: the default)."""
    global _configured
    _configured = config


def get_parse_body_config() -> ParseBodyConfig:
    """The configuration set with `set_parse_body_config`, or the default.

    The default allows 1000 parts (100 files) with 16 headers of 8 KiB, and 1000 fields.
    """
    return _configured or _server_default


def parse_body_arguments(
    content_type: str,
    body: bytes,
    arguments: dict[str, list[bytes]],
    files: dict[str, list[HTTPFile]],
    headers: HTTPHeaders | None = None,
    *,
    config: ParseBodyConfig | None = None,
) -> None:
    """Parse a form body into ``arguments`` and ``files``, which are extended.

    ``content_type`` says which kind it is; a body that is not a form adds nothing. Blank values
    are kept, only ``&`` separates. `HTTPInputError` for a malformed body, one over a limit of
    ``config``, a ``Content-Encoding`` in ``headers``, or a charset that is none; then
    nothing was added.
    """
    config = config or get_parse_body_config()
    kind, parameters = parse_parameters(content_type)
    kind = kind.lower()
    if kind == _URLENCODED:
        _check_encodings(headers, parameters)
        found = _parse_urlencoded(body, config.urlencoded.max_arguments)
        if not arguments:
            arguments.update(found)
            return
        for name, values in found.items():
            arguments.setdefault(name, []).extend(values)
    elif kind.startswith(_MULTIPART):
        _check_encodings(headers, parameters)
        if kind != _MULTIPART:
            raise HTTPInputError("Invalid multipart/form-data: invalid content type")
        boundary = parameters.get("boundary")
        if not boundary:
            raise HTTPInputError("Invalid multipart/form-data: multipart boundary not found")
        parse_multipart_form_data(
            boundary.encode("utf-8"), body, arguments, files, config=config.multipart
        )


def _check_encodings(headers: HTTPHeaders | None, parameters: dict[str, str]) -> None:
    if headers is not None and "Content-Encoding" in headers:
        raise HTTPInputError(f"Unsupported Content-Encoding: {headers['Content-Encoding'][:40]!r}")
    if "charset" in parameters:
        check_charset(parameters["charset"])


def _parse_urlencoded(body: bytes, max_arguments: int) -> dict[str, list[bytes]]:
    try:
        return parse_qs_bytes(body, keep_blank_values=True, max_num_fields=max_arguments)
    except ValueError:
        message = "Invalid x-www-form-urlencoded body: Max number of fields exceeded"
        raise HTTPInputError(message) from None


def parse_multipart_form_data(
    boundary: bytes,
    data: bytes,
    arguments: dict[str, list[bytes]],
    files: dict[str, list[HTTPFile]],
    *,
    config: ParseMultipartConfig | None = None,
) -> None:
    """Parse a ``multipart/form-data`` body into ``arguments`` and ``files``, which are extended.

    Without ``config``: the one set with `set_parse_body_config`, else ``ParseMultipartConfig()``.
    `HTTPInputError` for a malformed body or one over a limit; then nothing was added.
    """
    if config is None:
        config = _configured.multipart if _configured is not None else ParseMultipartConfig()
    if not config.enabled:
        raise HTTPInputError("multipart/form-data parsing is disabled")
    limits = replace(config.limits(), max_field_size=None)
    receiver = FormReceiver(boundary, limits, spool_threshold=None)
    for start in range(0, len(data), _CHUNK):
        receiver.feed(data[start : start + _CHUNK])
    receiver.finish()
    for name, values in receiver.arguments.items():
        arguments.setdefault(name, []).extend(values)
    for name, uploads in receiver.files.items():
        files.setdefault(name, []).extend(uploads)
