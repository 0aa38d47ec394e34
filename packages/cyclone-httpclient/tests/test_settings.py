"""A request's options over the defaults of its client."""

from __future__ import annotations

from cyclone.httpclient import HTTPRequest
from cyclone.httpclient._settings import Settings


def test_merging() -> None:
    base = Settings({"timeout": 3, "user_agent": "me"})
    assert (base.connect_timeout, base.request_timeout, base.user_agent) == (3, 20.0, "me")
    assert base.merged(HTTPRequest("http://h/")) is base
    merged = base.merged(HTTPRequest("http://h/", connect_timeout=0, validate_cert=False))
    assert (merged.connect_timeout, merged.validate_cert, merged.user_agent) == (0, False, "me")
    assert base.validate_cert is True


def test_an_attribute_that_is_set_later_counts() -> None:
    request = HTTPRequest("http://h/")
    request.connect_timeout = 7
    request.user_agent = None
    base = Settings({"user_agent": "me"})
    merged = base.merged(request)
    assert (merged.connect_timeout, merged.user_agent) == (7, "me")
