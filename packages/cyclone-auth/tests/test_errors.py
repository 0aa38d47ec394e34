"""AuthError, ProviderError, and quoting strangers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.auth import AuthError, IDTokenError, ProviderError
from cyclone.auth._errors import MAX_QUOTED, quoted
from cyclone.httpclient import HTTPClientError
from cyclone.web import HTTPError


def test_auth_error_is_an_answer() -> None:
    error = AuthError("no %s in here", 403, error_code="access_denied")
    assert isinstance(error, HTTPError)
    assert (error.status_code, str(error)) == (403, "no %s in here")
    assert repr(error) == "AuthError('no %s in here')"
    assert error.error_code == "access_denied"
    assert (AuthError("x").status_code, str(AuthError())) == (400, "authentication failed")


def test_provider_error_is_both() -> None:
    error = ProviderError("it failed", code=503)
    assert isinstance(error, AuthError)
    assert isinstance(error, HTTPClientError)
    assert (error.status_code, error.code, str(error)) == (502, 503, "it failed")
    assert repr(error) == "ProviderError('it failed')"
    assert ProviderError("x").code == 599
    assert error.response is None


def test_id_token_error_is_the_clients() -> None:
    assert IDTokenError("x").status_code == 400


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        pytest.param("plain", "plain", id="plain"),
        pytest.param("<script>&\"'", "&lt;script&gt;&amp;&quot;&#x27;", id="AU-09-markup"),
        pytest.param("a\r\nSet-Cookie: b\x00", r"a\x0d\x0aSet-Cookie: b\x00", id="AU-09-lines"),
        pytest.param(b"\xff\xfe", "\ufffd\ufffd", id="bytes"),
        pytest.param(17, "17", id="number"),
        pytest.param("x" * 10_000, "x" * MAX_QUOTED + "...", id="AU-09-long"),
    ],
)
def test_quoted(given_text: object, expected: str) -> None:
    assert quoted(given_text).replace("&#39;", "&#x27;") == expected


@given(st.text())
def test_quoted_is_always_safe(text: str) -> None:
    safe = quoted(text)
    assert safe.isprintable()
    assert not set("<>\"'") & set(safe)
