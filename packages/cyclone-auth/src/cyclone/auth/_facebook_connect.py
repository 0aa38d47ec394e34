"""The Facebook Connect of 2009: a signed session and a REST API."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterable, Mapping
from typing import cast, overload
from urllib.parse import urljoin

from twisted.internet.defer import Deferred

from cyclone.httputil import url_concat

from ._base import AuthMixin
from ._errors import AuthError, ProviderError, quoted
from ._http import JSON, MAX_TOKEN, parse_json, parse_object, send
from ._results import Callback, deliver, run

_User = dict[str, JSON]
_FIELDS = ("uid", "first_name", "last_name", "name", "locale", "pic_square", "profile_url")


class FacebookMixin(AuthMixin):
    """Log users in with a service that speaks Facebook's old REST API.

    Facebook itself ended it in 2012: use :class:`FacebookGraphMixin` there. The class works
    against any server with this protocol, at the addresses that a subclass gives. Its signatures
    are MD5, as the protocol has them.

    The settings ``facebook_api_key`` and ``facebook_secret`` hold the credentials.
    """

    _FACEBOOK_LOGIN_URL = "https://www.facebook.com/login.php"
    _FACEBOOK_REST_URL = "https://api.facebook.com/restserver.php"

    def authenticate_redirect(
        self,
        callback_uri: str | None = None,
        cancel_uri: str | None = None,
        extended_permissions: str | Iterable[str] | None = None,
    ) -> None:
        """Redirect the browser to the login page, which sends it back with ``session``."""
        here = self._public_url()
        arguments = {
            "api_key": self._setting("facebook_api_key"),
            "v": "1.0",
            "fbconnect": "true",
            "display": "page",
            "next": urljoin(here, callback_uri) if callback_uri else here,
            "return_session": "true",
        }
        if cancel_uri:
            arguments["cancel_url"] = urljoin(here, cancel_uri)
        if extended_permissions:
            names = extended_permissions
            arguments["req_perms"] = names if isinstance(names, str) else ",".join(names)
        self._handler.redirect(url_concat(self._FACEBOOK_LOGIN_URL, arguments))

    def authorize_redirect(
        self,
        extended_permissions: str | Iterable[str],
        callback_uri: str | None = None,
        cancel_uri: str | None = None,
    ) -> None:
        """As :meth:`authenticate_redirect`, asking for *extended_permissions* too."""
        self.authenticate_redirect(callback_uri, cancel_uri, extended_permissions)

    @overload
    def get_authenticated_user(self, callback: None = None) -> Deferred[_User]: ...

    @overload
    def get_authenticated_user(self, callback: Callback[_User]) -> Deferred[_User | None]: ...

    def get_authenticated_user(
        self, callback: Callback[_User] | None = None
    ) -> Deferred[_User] | Deferred[_User | None]:
        """Check the ``session`` that came back; the result is the user.

        ``uid``, ``name``, ``first_name``, ``last_name``, ``locale``, ``pic_square``,
        ``profile_url``, ``username``, ``session_key`` and ``session_expires``.

        :raises AuthError: when the session is not signed by the service or the API refuses it.
        """
        return deliver(self._handler, run(self._session_user()), callback)

    async def _session_user(self) -> _User:
        session = self._session()
        users = await self.facebook_request(
            method="facebook.users.getInfo",
            session_key=session["session_key"],
            uids=session["uid"],
            fields=",".join((*_FIELDS, "username")),
        )
        user = users[0] if isinstance(users, list) and users else None
        if not isinstance(user, dict) or str(user.get("uid")) != str(session["uid"]):
            raise ProviderError("the service did not say who the user is")
        return {
            **{name: user.get(name) for name in (*_FIELDS, "username")},
            "session_key": session["session_key"],
            "session_expires": session.get("expires"),
        }

    def _session(self) -> _User:
        """The session that came back, if the service signed it."""
        text = self._handler.get_argument("session", "") or ""
        try:
            session = parse_object(text.encode()) if len(text) <= MAX_TOKEN else {}
        except ProviderError:
            session = {}
        given = session.pop("sig", None)
        signed = hmac.compare_digest(str(given).encode(), self._signature(session).encode())
        if not signed or not session.get("session_key") or not session.get("uid"):
            raise AuthError("the session is not signed by the service")
        return session

    @overload
    def facebook_request(self, method: str, **args: object) -> Deferred[JSON]: ...

    @overload
    def facebook_request(
        self, method: str, callback: Callback[JSON], **args: object
    ) -> Deferred[JSON]: ...

    def facebook_request(
        self, method: str, callback: object = None, **args: object
    ) -> Deferred[JSON]:
        """Call *method* of the REST API, such as ``stream.get``, with *args*.

        :raises ProviderError: when the service answers an error.
        """
        called = cast("Callback[JSON] | None", callback)
        return deliver(self._handler, run(self._rest(method, args)), called)

    async def _rest(self, method: str, args: Mapping[str, object]) -> JSON:
        arguments = {
            **{name: str(value) for name, value in args.items()},
            "api_key": self._setting("facebook_api_key"),
            "v": "1.0",
            "method": method if method.startswith("facebook.") else "facebook." + method,
            "call_id": str(time.time_ns() // 1000),
            "format": "json",
        }
        arguments["sig"] = self._signature(arguments)
        url = url_concat(self._FACEBOOK_REST_URL, arguments)
        answer = parse_json((await send(self.get_auth_http_client(), url)).body)
        if isinstance(answer, dict) and answer.get("error_code"):
            code, text = quoted(answer["error_code"]), quoted(answer.get("error_msg", ""))
            raise ProviderError(f"the service refused: {code} {text}", code=200)
        return answer

    def _signature(self, arguments: Mapping[str, object]) -> str:
        text = "".join(f"{name}={arguments[name]}" for name in sorted(arguments))
        data = (text + self._setting("facebook_secret")).encode()
        return hashlib.md5(data, usedforsecurity=False).hexdigest()

    def _setting(self, name: str) -> str:
        self._handler.require_setting(name, "Facebook Connect")
        return str(self._handler.settings[name])
