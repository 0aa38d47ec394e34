"""The typed doors to untyped parts."""

from __future__ import annotations

from cyclone.httpclient._twisted import error_of, failure_of, is_failure_of


def test_failures() -> None:
    error = KeyError("x")
    failure = failure_of(error)
    assert error_of(failure) is error
    assert is_failure_of(failure, LookupError, OSError)
    assert not is_failure_of(failure, OSError)
