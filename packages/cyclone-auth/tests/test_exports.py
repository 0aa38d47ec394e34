"""The public names of cyclone.auth."""

import subprocess
import sys
from importlib.metadata import version

import pytest

import cyclone.auth

NAMES = [
    "HA1",
    "AuthError",
    "BasicAuthMixin",
    "DigestAuthMixin",
    "FacebookGraphMixin",
    "FacebookMixin",
    "FriendFeedMixin",
    "GitHubMixin",
    "GoogleMixin",
    "GoogleOAuth2Mixin",
    "IDTokenError",
    "OAuth2Mixin",
    "OAuthMixin",
    "OpenIDConnectMixin",
    "OpenIDSettings",
    "OpenIdMixin",
    "ProviderError",
    "TwitterMixin",
    "__version__",
    "basic_auth",
    "digest_auth",
    "digest_ha1",
    "fixed_credentials",
    "hash_password",
    "hash_password_async",
    "needs_rehash",
    "verify_password",
    "verify_password_async",
]


def test_names() -> None:
    assert cyclone.auth.__all__ == NAMES


def test_version_is_the_distributions() -> None:
    assert cyclone.auth.__version__ == version("cyclone-auth")


def test_every_public_name_exists() -> None:
    for name in cyclone.auth.__all__:
        assert getattr(cyclone.auth, name) is not None


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        _ = cyclone.auth.nothing  # type: ignore[attr-defined]


def test_import_is_cheap() -> None:
    """No reactor is chosen, and what only some logins need is not loaded."""
    code = (
        "import sys, cyclone.auth\n"
        "heavy = {'twisted.internet.reactor', 'jwt', 'oauthlib', 'argon2'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
