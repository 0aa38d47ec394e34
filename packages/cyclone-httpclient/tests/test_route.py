"""Routes; that different ones share no connection is in test_pool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cyclone.httpclient import HTTPRequest
from cyclone.httpclient._route import Route, route_to
from cyclone.httpclient._settings import Settings
from cyclone.httpclient._url import parse_url


def route(url: str, **options: Any) -> Route:
    return route_to(parse_url(url), Settings().merged(HTTPRequest(url, **options)))


def test_http_has_no_tls_part() -> None:
    assert route("http://h/", ca_certs="/x").tls is None
    assert route("http://h/a") == route("http://H:80/b", ca_certs="/x")


def test_paths_are_text() -> None:
    made = route("https://h./", ca_certs=Path("/x"), unix_socket=Path("/s"))
    assert made.tls is not None
    assert (made.tls.ca_certs, made.unix_socket) == ("/x", "/s")
    assert made.tls.server_hostname == "h"


def test_a_mapping_of_tls_options_can_be_a_key() -> None:
    one = route("https://h/", ssl_options={"ca_certs": "/x", "cert_reqs": 2})
    other = route("https://h/", ssl_options={"cert_reqs": 2, "ca_certs": "/x"})
    assert one == other
    assert hash(one) == hash(other)


@pytest.mark.parametrize("interface", ["lo", "", "127.0.0.1 ", "999.0.0.1"])
def test_interfaces(interface: str) -> None:
    with pytest.raises(ValueError, match="network_interface"):
        route("http://h/", network_interface=interface)
