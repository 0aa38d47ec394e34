"""What a provider says of itself."""

from typing import Any

import pytest
from auth_support import ISSUER, metadata

from cyclone.auth import ProviderError
from cyclone.auth._discovery import configuration_url, is_trustworthy, parse_metadata


def test_least_metadata() -> None:
    found = parse_metadata(ISSUER, metadata())
    assert found.token_endpoint == ISSUER + "/token"
    assert (found.userinfo_endpoint, found.end_session_endpoint) == (None, None)
    assert (found.algorithms, found.auth_methods) == ((), ("client_secret_basic",))
    assert not found.sends_issuer


def test_more_metadata() -> None:
    more = {
        "userinfo_endpoint": ISSUER + "/me",
        "end_session_endpoint": ISSUER + "/end",
        "id_token_signing_alg_values_supported": ["RS256", 5, None],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "authorization_response_iss_parameter_supported": True,
    }
    found = parse_metadata(ISSUER, metadata(**more))
    assert found.userinfo_endpoint == ISSUER + "/me"
    assert found.algorithms == ("RS256",)
    assert found.auth_methods == ("client_secret_post",)
    assert found.sends_issuer


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"issuer": ISSUER + "/"}, id="AU-02-issuer-slash"),
        pytest.param({"issuer": "https://op.example.evil"}, id="AU-02-issuer-suffix"),
        pytest.param({"issuer": "https://op.exampl"}, id="AU-02-issuer-prefix"),
        pytest.param({"issuer": None}, id="no-issuer"),
        pytest.param({"token_endpoint": None}, id="no-token-endpoint"),
        pytest.param({"token_endpoint": "http://op.example/token"}, id="not-encrypted"),
        pytest.param({"jwks_uri": "file:///etc/passwd"}, id="file"),
        pytest.param({"jwks_uri": "https://user:pw@op.example/"}, id="userinfo"),
        pytest.param({"authorization_endpoint": 17}, id="number"),
        pytest.param({"userinfo_endpoint": "https://op.example/" + "x" * 3000}, id="endless"),
        pytest.param({"end_session_endpoint": "javascript:alert(1)"}, id="javascript"),
        pytest.param({"authorization_endpoint": "https://[::1"}, id="broken"),
    ],
)
def test_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ProviderError):
        parse_metadata(ISSUER, metadata(**changes))


@pytest.mark.parametrize(
    ("issuer", "expected"),
    [
        ("https://op.example", "https://op.example/.well-known/openid-configuration"),
        ("https://op.example/", "https://op.example/.well-known/openid-configuration"),
        ("https://op.example/t/1", "https://op.example/t/1/.well-known/openid-configuration"),
        ("http://127.0.0.1:9", "http://127.0.0.1:9/.well-known/openid-configuration"),
    ],
)
def test_configuration_url(issuer: str, expected: str) -> None:
    assert configuration_url(issuer) == expected


@pytest.mark.parametrize("issuer", ["", "op.example", "http://op.example", "https://op/?a=b"])
def test_no_issuer(issuer: str) -> None:
    with pytest.raises(ValueError, match="https"):
        configuration_url(issuer)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a", True),
        ("http://localhost:80/x", True),
        ("http://[::1]/x", True),
        ("http://127.0.0.2/x", True),
        ("http://10.0.0.1/x", False),
        ("http://localhost.evil/x", False),
        ("https:///x", False),
        ("//a", False),
    ],
)
def test_is_trustworthy(url: str, expected: bool) -> None:
    assert is_trustworthy(url) is expected
