"""The exceptions."""

import pickle

from cyclone.httpserver import RequestError, StreamClosedError
from cyclone.httputil import HTTPInputError


def test_request_error() -> None:
    error = RequestError(413, "too large")
    assert isinstance(error, HTTPInputError)
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.status_code, str(copy)) == (413, "too large")


def test_stream_closed() -> None:
    assert StreamClosedError().reason
    assert str(StreamClosedError("gone")) == "gone"
    assert isinstance(StreamClosedError(), OSError)
