"""The exceptions that become responses."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from cyclone.web import (
    Finish,
    HTTPAuthenticationRequired,
    HTTPError,
    InvalidArgumentError,
    MissingArgumentError,
)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        pytest.param(HTTPError(), "HTTP 500: Internal Server Error", id="no-status"),
        pytest.param(HTTPError(404), "HTTP 404: Not Found", id="standard-reason"),
        pytest.param(HTTPError(404, "gone"), "HTTP 404: Not Found (gone)", id="message"),
        pytest.param(HTTPError(404, "no %s", "page"), "HTTP 404: Not Found (no page)", id="args"),
        pytest.param(
            HTTPError(400, "100% sure"), "HTTP 400: Bad Request (100% sure)", id="percent"
        ),
        pytest.param(HTTPError(499), "HTTP 499: Unknown", id="unknown-status"),
        pytest.param(HTTPError(403, reason="Go away"), "HTTP 403: Go away", id="reason"),
    ],
)
def test_an_error_says_what_it_is(error: HTTPError, text: str) -> None:
    assert str(error) == text


def test_an_error_begins_with_its_status() -> None:
    with pytest.raises(TypeError, match=r"HTTPError\(404, message\)"):
        HTTPError("not found")  # type: ignore[arg-type]


def test_log_message_is_a_format_string() -> None:
    assert HTTPError(400, "100%").log_message == "100%%"
    assert HTTPError(400, "a %s", "b").log_message == "a %s"
    assert HTTPError(400).log_message is None


def test_a_message_may_be_the_exception_that_was_caught() -> None:
    error = HTTPError(503, ValueError("90% full"))
    assert (error.get_message(), error.log_message) == ("90% full", "90%% full")
    assert str(error) == "HTTP 503: Service Unavailable (90% full)"


def test_an_error_can_be_copied() -> None:
    error = HTTPError(403, reason="Go away", headers={"Retry-After": "1"})
    again = copy.copy(error)
    assert again is not error
    assert (again.status_code, again.reason, again.headers) == (403, "Go away", error.headers)


def test_argument_errors_name_the_argument() -> None:
    missing, invalid = MissingArgumentError("page"), InvalidArgumentError("page")
    assert (missing.status_code, missing.arg_name) == (400, "page")
    assert missing.log_message == "Missing argument page"
    assert (invalid.status_code, invalid.arg_name) == (400, "page")


def test_finish_is_no_http_error() -> None:
    assert not issubclass(Finish, HTTPError)


def test_authentication_is_a_challenge() -> None:
    error = HTTPAuthenticationRequired(auth_type="Digest", realm='the "realm"', nonce="a\\b")
    assert error.status_code == 401
    assert error.auth_type == "Digest"
    assert error.headers == {"WWW-Authenticate": 'Digest realm="the \\"realm\\"", nonce="a\\\\b"'}
    basic = HTTPAuthenticationRequired()
    assert basic.headers == {"WWW-Authenticate": 'Basic realm="Restricted Access"'}


@pytest.mark.parametrize(
    "keywords",
    [
        pytest.param({"realm": "a\r\nX: y"}, id="RI-01-crlf"),
        pytest.param({"realm": "a\x00"}, id="nul"),
        pytest.param({"auth_type": "Basic realm"}, id="scheme"),
        pytest.param({"a b": "c"}, id="parameter-name"),
    ],
)
def test_a_challenge_cannot_inject(keywords: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"token|Control"):
        HTTPAuthenticationRequired(**keywords)
