"""OpenID Authentication 2.0 and Attribute Exchange 1.0 as messages, without I/O."""

from __future__ import annotations

import re
import time
from calendar import timegm
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qsl, urljoin, urlsplit

from ._errors import AuthError, ProviderError, quoted

NS = "http://specs.openid.net/auth/2.0"
IDENTIFIER_SELECT = NS + "/identifier_select"
AX_NS = "http://openid.net/srv/ax/1.0"
OAUTH_NS = "http://specs.openid.net/extensions/oauth/1.0"
AX_TYPES = {
    "email": "http://axschema.org/contact/email",
    "language": "http://axschema.org/pref/language",
    "username": "http://axschema.org/namePerson/friendly",
    "firstname": "http://axschema.org/namePerson/first",
    "fullname": "http://axschema.org/namePerson",
    "lastname": "http://axschema.org/namePerson/last",
}
NAMES = ("firstname", "fullname", "lastname")

MAX_FIELDS = 100
MAX_VALUE = 4096
#: Seconds that the clock of the provider may differ from ours, and that a nonce is remembered.
NONCE_SECONDS = 300

_NONCE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)Z[\x21-\x7e]{0,235}", re.ASCII).fullmatch
_ALIAS = re.compile(r"openid\.ns\.([A-Za-z0-9_]{1,32})").fullmatch
# What section 10.1 wants signed, besides the identifiers when there are any
_MUST_BE_SIGNED = ("op_endpoint", "return_to", "response_nonce", "assoc_handle")


def request_arguments(
    return_to: str,
    ax_attrs: Iterable[str] = (),
    oauth_consumer: str | None = None,
    oauth_scope: str | None = None,
) -> dict[str, str]:
    """The parameters of an authentication request (section 9.1).

    :raises ValueError: for an attribute whose type is not known.
    """
    arguments = {
        "openid.ns": NS,
        "openid.claimed_id": IDENTIFIER_SELECT,
        "openid.identity": IDENTIFIER_SELECT,
        "openid.return_to": return_to,
        "openid.realm": urljoin(return_to, "/"),
        "openid.mode": "checkid_setup",
    }
    wanted = list(dict.fromkeys(ax_attrs))
    if wanted:
        arguments.update({"openid.ns.ax": AX_NS, "openid.ax.mode": "fetch_request"})
        required: list[str] = []
        for name in wanted:
            names = NAMES if name == "name" else (name,)
            required += [one for one in names if one not in required]
        for name in required:
            if name not in AX_TYPES:
                raise ValueError(f"unknown attribute {name!r}")
            arguments[f"openid.ax.type.{name}"] = AX_TYPES[name]
        arguments["openid.ax.required"] = ",".join(required)
    if oauth_scope:
        arguments.update(
            {
                "openid.ns.oauth": OAUTH_NS,
                "openid.oauth.consumer": oauth_consumer or "",
                "openid.oauth.scope": oauth_scope,
            }
        )
    return arguments


class Assertion:
    """What came back with the browser: each ``openid.`` field once.

    :raises AuthError: for too many fields, too long ones, or one given twice.
    """

    def __init__(self, arguments: Mapping[str, Sequence[bytes]]) -> None:
        found = {name: values for name, values in arguments.items() if name.startswith("openid.")}
        if len(found) > MAX_FIELDS:
            raise AuthError("the OpenID answer has too many fields")
        self.fields: dict[str, str] = {}
        for name, values in found.items():
            if len(values) != 1 or len(values[0]) > MAX_VALUE:
                raise AuthError(f"the OpenID field {quoted(name)} is given twice or too long")
            try:
                self.fields[name] = values[0].decode("utf-8")
            except UnicodeDecodeError:
                raise AuthError(f"the OpenID field {quoted(name)} is not UTF-8") from None
        listed = self.fields.get("openid.signed")
        self._signed = None if listed is None else frozenset(listed.split(","))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} with {len(self.fields)} fields>"

    def signed(self, name: str, default: str | None = None) -> str | None:
        """The value of ``openid.NAME`` if the provider vouches for it.

        An answer that lists no signed fields at all is for the provider to judge: it says whether
        the whole of it is its own (`confirm`).
        """
        if self._signed is not None and name not in self._signed:
            return default
        return self.fields.get("openid." + name, default)

    def check(self, endpoint: str, here: str, now: float | None = None) -> str | None:
        """Check all that does not need the provider (section 11); returns the nonce.

        :param here: the address at which the answer arrived.
        :raises AuthError: for a refusal, or an answer for somewhere else, from somewhere else, too
            old, or with vital fields not signed.
        """
        mode = self.fields.get("openid.mode", "")
        if mode in ("", "cancel", "setup_needed", "error"):
            said = quoted(self.fields.get("openid.error", ""))
            raise AuthError(f"the user is not logged in ({quoted(mode)}) {said}", 403)
        if self._signed is not None:
            missing = [name for name in _MUST_BE_SIGNED if self.signed(name) is None] + [
                name
                for name in ("claimed_id", "identity")
                if "openid." + name in self.fields and self.signed(name) is None
            ]
            if missing:
                raise AuthError(f"the OpenID answer does not sign {', '.join(missing)}")
        op_endpoint = self.fields.get("openid.op_endpoint")
        if op_endpoint is not None and op_endpoint != endpoint:
            raise AuthError("the OpenID answer is of another provider")
        return_to = self.fields.get("openid.return_to")
        if return_to is not None and not _leads_to(return_to, here):
            raise AuthError("the OpenID answer is for another address")
        nonce = self.fields.get("openid.response_nonce")
        if nonce is not None:
            _check_nonce_time(nonce, time.time() if now is None else now)
        return nonce

    def returned(self, name: str) -> str | None:
        """The parameter *name* of the address that the answer is for (``return_to``, signed)."""
        values = parse_qsl(
            urlsplit(self.signed("return_to") or "").query, max_num_fields=MAX_FIELDS
        )
        found = [value for key, value in values if key == name]
        return found[0] if len(found) == 1 else None

    def verification(self) -> dict[str, str]:
        """The request that asks the provider whether the answer is its own (section 11.4.2)."""
        return {**self.fields, "openid.mode": "check_authentication"}

    def extension(self, namespace: str) -> str | None:
        """The alias under which the fields of an extension come, if the alias itself is signed."""
        for name, value in self.fields.items():
            alias = _ALIAS(name)
            if alias and value == namespace and self.signed(f"ns.{alias[1]}") is not None:
                return alias[1]
        return None

    def attributes(self) -> dict[str, str]:
        """What Attribute Exchange tells, by the names of `AX_TYPES`; signed values only."""
        alias = self.extension(AX_NS)
        if alias is None:
            return {}
        prefix = f"openid.{alias}.type."
        types = {uri: name for name, uri in AX_TYPES.items()}
        found: dict[str, str] = {}
        for field in self.fields:
            if not field.startswith(prefix):
                continue
            item = field[len(prefix) :]
            name = types.get(self.signed(f"{alias}.type.{item}") or "")
            value = self.signed(f"{alias}.value.{item}") or self.signed(f"{alias}.value.{item}.1")
            if name and value:
                found.setdefault(name, value)
        return found

    def user(self) -> dict[str, str]:
        """The user, as Tornado and Cyclone name things."""
        given = self.attributes()
        parts = [given[name] for name in ("firstname", "lastname") if name in given]
        email = given.get("email", "")
        user = {
            "first_name": given.get("firstname", ""),
            "last_name": given.get("lastname", ""),
            "name": given.get("fullname") or " ".join(parts) or email.split("@")[0],
            "email": email,
            "locale": given.get("language", "").lower(),
            "username": given.get("username", ""),
            "claimed_id": self.signed("claimed_id") or "",
        }
        return {name: value for name, value in user.items() if value}


def parse_key_values(body: bytes) -> dict[str, str]:
    """Key-Value Form (section 4.1.1): ``key:value`` lines.

    :raises ProviderError: for a line without a colon, a key given twice, text that is not UTF-8.
    """
    problem = ProviderError("the provider's answer is not in Key-Value Form", code=200)
    try:
        lines = body[: MAX_FIELDS * MAX_VALUE].decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise problem from None
    values: dict[str, str] = {}
    for line in lines:
        if not line:
            continue
        key, colon, value = line.partition(":")
        if not colon or key in values:
            raise problem
        values[key] = value
    return values


def confirm(body: bytes) -> None:
    """Read the answer to `Assertion.verification`.

    :raises AuthError: unless the line ``is_valid:true`` is in it, and nothing to the contrary.
    """
    if parse_key_values(body).get("is_valid") != "true":
        raise AuthError("the provider says that the OpenID answer is not its own")


def _leads_to(return_to: str, here: str) -> bool:
    """Section 11.1: the same address, and each query parameter of *return_to* in *here*."""
    expected, actual = urlsplit(return_to), urlsplit(here)
    same = (expected.scheme.lower(), expected.netloc.lower(), expected.path or "/") == (
        actual.scheme.lower(),
        actual.netloc.lower(),
        actual.path or "/",
    )
    if not same:
        return False
    present = parse_qsl(actual.query, keep_blank_values=True)
    wanted = parse_qsl(expected.query, keep_blank_values=True)
    return set(wanted) <= set(present)


def _check_nonce_time(nonce: str, now: float) -> None:
    match = _NONCE(nonce)
    try:
        when = None if match is None else timegm(time.strptime(match[1], "%Y-%m-%dT%H:%M:%S"))
    except ValueError:
        when = None
    if when is None or abs(now - when) > NONCE_SECONDS:
        raise AuthError("the OpenID answer is not of this time")
