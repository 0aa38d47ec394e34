"""Where the application is, seen from outside."""

from typing import Any

import pytest
from auth_support import Browser, Page

from cyclone.auth._base import AuthMixin
from cyclone.httpclient import AsyncHTTPClient


class Here(Page, AuthMixin):
    def get(self) -> None:
        self.write({"here": self._public_url(), "other": self._public_url("/other?x=1")})


@pytest.mark.parametrize(
    ("settings", "base"),
    [
        pytest.param({}, "http://app.example", id="from-the-request"),
        pytest.param(
            {"redirect_base_uri": "https://www.example.com"},
            "https://www.example.com",
            id="AU-08-from-the-configuration",
        ),
    ],
)
def test_public_url(settings: dict[str, Any], base: str) -> None:
    answer = Browser([("/a", Here)], **settings).get("/a?b=c")
    assert answer.json == {"here": base + "/a?b=c", "other": base + "/other?x=1"}


def test_default_client_is_the_shared_one() -> None:
    assert AuthMixin().get_auth_http_client() is AsyncHTTPClient()
