"""Requests to a provider: bounded, never redirected with a secret, every failure an AuthError."""

from __future__ import annotations

from collections.abc import Mapping
from json import dumps, loads
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlencode

from cyclone.httpclient import HTTPClientError

from ._errors import ProviderError, quoted

if TYPE_CHECKING:
    from cyclone.httpclient import AsyncHTTPClient, HTTPResponse

#: A decoded JSON value, as `json.loads` has it: what is inside, the provider's manual says.
JSON: TypeAlias = Any

#: Bytes of an answer of a provider, after decompression.
MAX_ANSWER = 1024 * 1024
#: Characters of a token, a code or a secret that is kept or sent on.
MAX_TOKEN = 16 * 1024
#: Seconds a provider may take for one answer.
TIMEOUT = 20.0
FORM = "application/x-www-form-urlencoded"


async def send(
    client: AsyncHTTPClient,
    url: str,
    *,
    form: Mapping[str, object] | None = None,
    json: Mapping[str, JSON] | None = None,
    headers: Mapping[str, str] | None = None,
    redirects: bool = False,
) -> HTTPResponse:
    """Get *url*, or post *form* or *json* to it; the response of status 2xx.

    :raises ProviderError: with the provider's own ``error`` code in its message if it gave one.
    """
    fields = dict(headers or {})
    body: str | None = None
    if json is not None:
        fields["Content-Type"] = "application/json"
        body = dumps(json)
    elif form is not None:
        fields["Content-Type"] = FORM
        body = urlencode(dict(form), doseq=True)
    try:
        return await client.fetch(
            url,
            method="GET" if body is None else "POST",
            headers=fields,
            body=body,
            follow_redirects=redirects,
            request_timeout=TIMEOUT,
            max_body_size=MAX_ANSWER,
        )
    except HTTPClientError as error:
        raise _provider_error(error) from error
    except (OSError, ValueError) as error:
        reason = type(error).__name__
        raise ProviderError(f"cannot ask the provider: {reason}") from error


def _provider_error(error: HTTPClientError) -> ProviderError:
    response = error.response
    said = "" if response is None else _oauth_error(response.body)
    message = f"the provider answered {error.code}" if error.code != 599 else quoted(str(error))
    if said:
        message += f": {said}"
    return ProviderError(message, code=error.code, response=response)


def _oauth_error(body: bytes) -> str:
    """The ``error`` and ``error_description`` of RFC 6749 section 5.2, if there are any."""
    try:
        values = loads(body[:MAX_TOKEN])
    except (ValueError, RecursionError):
        return ""
    if not isinstance(values, dict):
        return ""
    return describe(values.get("error"), values.get("error_description"))


def describe(code: object, description: object) -> str:
    """An error code and its description in one escaped, bounded line."""
    parts = [quoted(part) for part in (code, description) if isinstance(part, str) and part]
    return ": ".join(parts)


def parse_json(body: bytes) -> JSON:
    """Decode an answer.

    :raises ProviderError: when it is not JSON.
    """
    try:
        return loads(body)
    except (ValueError, RecursionError) as error:
        raise ProviderError("the provider did not answer with JSON") from error


def parse_object(body: bytes) -> dict[str, JSON]:
    """Decode an answer that has to be a JSON object.

    :raises ProviderError: when it is something else.
    """
    values = parse_json(body)
    if not isinstance(values, dict):
        raise ProviderError("the provider did not answer with a JSON object")
    return values


def check_tokens(answer: Mapping[str, JSON]) -> None:
    """Refuse an answer of a token endpoint that has an error or a token of absurd size.

    :raises ProviderError: for those, and when there is no access token.
    """
    if answer.get("error"):
        # GitHub, among others, reports errors with status 200.
        said = describe(answer.get("error"), answer.get("error_description"))
        raise ProviderError(f"the provider refused the code: {said or 'unknown error'}", code=200)
    for name in ("access_token", "refresh_token", "id_token"):
        token = answer.get(name)
        if token is not None and (not isinstance(token, str) or len(token) > MAX_TOKEN):
            raise ProviderError(f"the provider's {name} cannot be used", code=200)
    if not answer.get("access_token"):
        raise ProviderError("the provider gave no access token", code=200)
