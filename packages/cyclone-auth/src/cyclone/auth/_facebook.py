"""Facebook's Graph API."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import cast, overload

from twisted.internet.defer import Deferred

from ._http import JSON, check_tokens, parse_object, send
from ._oauth2 import OAuth2Mixin, check_code
from ._results import Callback, deliver, run, sort_arguments

_User = dict[str, JSON]


class FacebookGraphMixin(OAuth2Mixin):
    """Log users in with Facebook (OAuth 2.0), and call its Graph API."""

    _OAUTH_ACCESS_TOKEN_URL = "https://graph.facebook.com/oauth/access_token?"
    _OAUTH_AUTHORIZE_URL = "https://www.facebook.com/dialog/oauth?"
    _OAUTH_NO_CALLBACKS = False
    _FACEBOOK_BASE_URL = "https://graph.facebook.com"

    @overload
    def get_authenticated_user(
        self,
        redirect_uri: str,
        client_id: str,
        client_secret: str,
        code: str,
        extra_fields: Iterable[str] | None = None,
    ) -> Deferred[_User]: ...

    @overload
    def get_authenticated_user(
        self,
        redirect_uri: str,
        client_id: str,
        client_secret: str,
        code: str,
        callback: Callback[_User],
        extra_fields: Iterable[str] | None = None,
    ) -> Deferred[_User | None]: ...

    def get_authenticated_user(
        self,
        redirect_uri: str,
        client_id: str,
        client_secret: str,
        code: str,
        *positional: object,
        callback: object = None,
        extra_fields: object = None,
    ) -> Deferred[_User] | Deferred[_User | None]:
        """Exchange the *code* that came back; the result is the user.

        ``id``, ``name``, ``first_name``, ``last_name``, ``locale``, ``picture``, ``link`` and the
        *extra_fields*, ``access_token``, and ``session_expires`` (seconds, as text). Cyclone 1.3's
        callback may stand where it stood.

        :raises AuthError: when ``state`` is not ours or Facebook refuses.
        """
        given = {"callback": callback, "extra_fields": extra_fields}
        called, (more,) = sort_arguments(positional, ("extra_fields",), given)
        fields = {"id", "name", "first_name", "last_name", "locale", "picture", "link"}
        fields.update(cast("Iterable[str]", more or ()))
        user = self._facebook_user(redirect_uri, client_id, client_secret, code, sorted(fields))
        return deliver(self._handler, run(user), called)

    async def _facebook_user(
        self,
        redirect_uri: str,
        client_id: str,
        client_secret: str,
        code: str,
        fields: list[str],
    ) -> _User:
        self.check_authorization_response(redirect_uri)
        check_code(code)
        url = self._oauth_request_token_url(
            redirect_uri=redirect_uri,
            client_id=client_id,
            client_secret=client_secret,
            code=code,
        )
        response = await send(self.get_auth_http_client(), url)
        tokens = parse_object(response.body)
        check_tokens(tokens)
        access_token = str(tokens["access_token"])
        user = await self.oauth2_request(
            self._FACEBOOK_BASE_URL + "/me",
            access_token=access_token,
            appsecret_proof=appsecret_proof(client_secret, access_token),
            fields=",".join(fields),
        )
        known = user if isinstance(user, dict) else {}
        return {
            **{field: known.get(field) for field in fields},
            "access_token": access_token,
            "session_expires": str(tokens.get("expires_in")),
        }

    @overload
    def facebook_request(
        self,
        path: str,
        access_token: str | None = None,
        post_args: Mapping[str, object] | None = None,
        **args: object,
    ) -> Deferred[JSON]: ...

    @overload
    def facebook_request(
        self,
        path: str,
        callback: Callback[JSON],
        access_token: str | None = None,
        post_args: Mapping[str, object] | None = None,
        **args: object,
    ) -> Deferred[JSON]: ...

    def facebook_request(
        self, path: str, *positional: object, **keywords: object
    ) -> Deferred[JSON]:
        """Call the Graph API at *path*, such as ``/me/feed``; *args* are the query.

        :raises ProviderError: when Facebook answers an error or no JSON.
        """
        names = ("access_token", "post_args")
        callback, (token, post_args) = sort_arguments(positional, names, keywords)
        args = {name: value for name, value in keywords.items() if name not in (*names, "callback")}
        result = self.oauth2_request(
            self._FACEBOOK_BASE_URL + path,
            cast("str | None", token),
            cast("Mapping[str, object] | None", post_args),
            **args,
        )
        return deliver(self._handler, result, callback)


def appsecret_proof(client_secret: str, access_token: str) -> str:
    """Facebook's proof that the caller holds the app's secret."""
    return hmac.new(client_secret.encode(), access_token.encode(), hashlib.sha256).hexdigest()
