"""Arguments and files of a request body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cyclone.httputil import HTTPFile, parse_body_arguments

if TYPE_CHECKING:
    from ._request import HTTPRequest

Fields = dict[str, list[bytes]]
Files = dict[str, list[HTTPFile]]


def parse_body(request: HTTPRequest) -> tuple[Fields, Files]:
    """The fields and files of a form; both empty if the body is no form.

    `cyclone.httputil.HTTPInputError` if it is malformed or over a limit.
    """
    if request._body is not None and request._body.form is not None:
        return request._body.form.arguments, request._body.form.files
    arguments: Fields = {}
    files: Files = {}
    content_type = request.get_header("Content-Type")
    if content_type:
        coded = request.get_header("Content-Encoding") is not None
        headers = request.headers if coded else None
        parse_body_arguments(content_type, request.body, arguments, files, headers)
    return arguments, files
