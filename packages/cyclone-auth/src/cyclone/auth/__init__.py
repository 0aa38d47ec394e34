"""Log users in with OpenID Connect, OAuth 2.0 and 1.0a, OpenID 2.0, HTTP Basic and Digest."""

from typing import TYPE_CHECKING

from ._basic import BasicAuthMixin, basic_auth, fixed_credentials
from ._digest import digest_ha1
from ._digest_auth import HA1, DigestAuthMixin, digest_auth
from ._errors import AuthError, ProviderError
from ._facebook import FacebookGraphMixin
from ._facebook_connect import FacebookMixin
from ._friendfeed import FriendFeedMixin
from ._github import GitHubMixin
from ._google import GoogleOAuth2Mixin
from ._google_openid import GoogleMixin
from ._idtoken import IDTokenError
from ._oauth1 import OAuthMixin
from ._oauth2 import OAuth2Mixin
from ._oidc import OpenIDConnectMixin, OpenIDSettings
from ._openid import OpenIdMixin
from ._passwords import (
    hash_password,
    hash_password_async,
    needs_rehash,
    verify_password,
    verify_password_async,
)
from ._twitter import TwitterMixin

__all__ = [
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

__version__: str

if not TYPE_CHECKING:  # or each misspelled name would pass for an attribute

    def __getattr__(name: str) -> str:
        """The version comes from the installed metadata, read only when asked for."""
        if name == "__version__":
            from importlib.metadata import version

            return version("cyclone-auth")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
