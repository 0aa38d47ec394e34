"""The exceptions carry what an answer needs, also through pickle."""

import http.cookies
import pickle

from cyclone.httputil import CookieError, HTTPInputError, HTTPOutputError, RangeNotSatisfiable


def test_input_errors_know_their_status() -> None:
    assert HTTPInputError("x").status_code == 400
    assert HTTPInputError().args == ("",)
    again = pickle.loads(pickle.dumps(HTTPInputError("x", 413)))
    assert (type(again), str(again), again.status_code) == (HTTPInputError, "x", 413)


def test_range_errors_know_the_answer() -> None:
    again = pickle.loads(pickle.dumps(RangeNotSatisfiable(10)))
    assert (again.status_code, again.size, again.content_range) == (416, 10, "bytes */10")


def test_the_hierarchy() -> None:
    assert issubclass(HTTPInputError, ValueError)
    assert issubclass(HTTPOutputError, ValueError)
    assert not issubclass(HTTPOutputError, HTTPInputError)
    assert issubclass(RangeNotSatisfiable, HTTPInputError)
    assert issubclass(CookieError, HTTPOutputError)
    assert issubclass(CookieError, http.cookies.CookieError)
