"""OpenID 2.0 messages."""

import calendar
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.auth import AuthError
from cyclone.auth._openid2 import (
    AX_NS,
    AX_TYPES,
    MAX_FIELDS,
    MAX_VALUE,
    NS,
    Assertion,
    confirm,
    parse_key_values,
    request_arguments,
)

ENDPOINT = "https://op.example/openid"
HERE = "https://app.example/login?next=%2F&openid.mode=id_res"
NOW = calendar.timegm((2026, 1, 2, 3, 4, 5))
SIGNED = "op_endpoint,return_to,response_nonce,assoc_handle,claimed_id,identity,ns.ax"


def message(**changes: str | None) -> dict[str, list[bytes]]:
    """A good answer, with changes; None takes a field away."""
    values: dict[str, str | None] = {
        "ns": NS,
        "mode": "id_res",
        "op_endpoint": ENDPOINT,
        "claimed_id": "https://op.example/id/ada",
        "identity": "https://op.example/id/ada",
        "return_to": "https://app.example/login?next=%2F",
        "response_nonce": "2026-01-02T03:04:05Zunique",
        "assoc_handle": "h",
        "signed": SIGNED + ",ax.type.email,ax.value.email",
        "sig": "AAAA",
        "ns.ax": AX_NS,
        "ax.type.email": AX_TYPES["email"],
        "ax.value.email": "ada@example.com",
    }
    values.update({name.replace("__", "."): value for name, value in changes.items()})
    return {"openid." + name: [text.encode()] for name, text in values.items() if text is not None}


def check(**changes: str | None) -> Assertion:
    assertion = Assertion(message(**changes))
    assertion.check(ENDPOINT, HERE, NOW)
    return assertion


def test_request() -> None:
    arguments = request_arguments(
        "https://app.example/login?a=b", ["name", "email", "email"], "app.example", "feeds"
    )
    assert arguments["openid.ns"] == NS
    assert arguments["openid.mode"] == "checkid_setup"
    assert arguments["openid.realm"] == "https://app.example/"
    assert arguments["openid.return_to"] == "https://app.example/login?a=b"
    assert arguments["openid.ax.required"] == "firstname,fullname,lastname,email"
    assert arguments["openid.ax.type.email"] == AX_TYPES["email"]
    assert arguments["openid.oauth.scope"] == "feeds"
    assert not [name for name in request_arguments("https://a/") if ".ax" in name]
    with pytest.raises(ValueError, match="shoesize"):
        request_arguments("https://a/", ["shoesize"])


def test_good_answer() -> None:
    assertion = check()
    assert assertion.user() == {
        "name": "ada",
        "email": "ada@example.com",
        "claimed_id": "https://op.example/id/ada",
    }
    asked = assertion.verification()
    assert asked["openid.mode"] == "check_authentication"
    assert asked["openid.sig"] == "AAAA"
    assert "ada@" not in repr(assertion)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"mode": "cancel"}, id="cancelled"),
        pytest.param({"mode": "setup_needed"}, id="setup"),
        pytest.param({"mode": "error", "error": "<b>"}, id="error"),
        pytest.param({"mode": None}, id="no-mode"),
        pytest.param({"op_endpoint": "https://evil.example/openid"}, id="AU-08-other-provider"),
        pytest.param({"return_to": "https://evil.example/login?next=%2F"}, id="other-host"),
        pytest.param({"return_to": "http://app.example/login"}, id="other-scheme"),
        pytest.param({"return_to": "https://app.example/other"}, id="other-path"),
        pytest.param({"return_to": "https://app.example/login?next=x"}, id="other-query"),
        pytest.param({"return_to": None}, id="no-return-to"),
        pytest.param({"op_endpoint": None}, id="no-endpoint"),
        pytest.param({"response_nonce": None}, id="no-nonce"),
        pytest.param({"response_nonce": "2026-01-02T03:10:06Zx"}, id="early"),
        pytest.param({"response_nonce": "2026-01-02T02:59:04Zx"}, id="late"),
        pytest.param({"response_nonce": "2026-02-31T03:04:05Zx"}, id="no-such-day"),
        pytest.param({"response_nonce": "x"}, id="no-time"),
        pytest.param({"signed": "op_endpoint,return_to,response_nonce"}, id="handle-unsigned"),
        pytest.param({"signed": "return_to,response_nonce,assoc_handle"}, id="endpoint-unsigned"),
        pytest.param({"signed": SIGNED.replace("claimed_id,", "")}, id="identifier-unsigned"),
        pytest.param({"signed": ""}, id="nothing-signed"),
    ],
)
def test_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(AuthError):
        check(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"signed": SIGNED}, id="value-unsigned"),
        pytest.param({"signed": SIGNED + ",ax.value.email"}, id="type-unsigned"),
        pytest.param({"signed": SIGNED + ",ax.type.email"}, id="only-type-signed"),
        pytest.param(
            {"signed": SIGNED.replace(",ns.ax", ",ax.type.email,ax.value.email")}, id="ns-unsigned"
        ),
        pytest.param({"ns__ax": "http://other.example"}, id="another-extension"),
    ],
)
def test_attributes_must_be_signed(changes: dict[str, Any]) -> None:
    """Whoever has an account may add fields to an answer for themselves."""
    assert "email" not in check(**changes).user()


def test_added_attribute_of_a_second_name() -> None:
    """The signed one counts, wherever the other stands."""
    forged = {
        "openid.ax.type.x": [AX_TYPES["email"].encode()],
        "openid.ax.value.x": [b"eve@example.com"],
    }
    assertion = Assertion({**forged, **message()})
    assertion.check(ENDPOINT, HERE, NOW)
    assert assertion.user()["email"] == "ada@example.com"


def test_all_attributes() -> None:
    names = {"fullname": "Ada L", "firstname": "Ada", "lastname": "L", "language": "EN-gb"}
    names |= {"username": "ada", "email": "a@b"}
    changes: dict[str, str] = {}
    for name, value in names.items():
        changes |= {f"ax__type__{name}": AX_TYPES[name], f"ax__value__{name}": value}
    changes["signed"] = ",".join([SIGNED, *(name.replace("__", ".") for name in changes)])
    assert check(**changes).user() == {
        "first_name": "Ada",
        "last_name": "L",
        "name": "Ada L",
        "email": "a@b",
        "locale": "en-gb",
        "username": "ada",
        "claimed_id": "https://op.example/id/ada",
    }


@pytest.mark.parametrize(
    "arguments",
    [
        {"openid.mode": [b"id_res", b"cancel"]},
        {"openid.mode": [b"x" * (MAX_VALUE + 1)]},
        {"openid.mode": [b"\xff"]},
        {f"openid.{number}": [b""] for number in range(MAX_FIELDS + 1)},
    ],
)
def test_unreadable(arguments: dict[str, list[bytes]]) -> None:
    with pytest.raises(AuthError):
        Assertion(arguments)


def test_other_arguments_are_not_looked_at() -> None:
    assert Assertion({"next": [b"a", b"b"]}).fields == {}


@pytest.mark.parametrize(
    "body",
    [
        b"is_valid:true\n",
        b"ns:http://specs.openid.net/auth/2.0\nis_valid:true\n",
        b"is_valid:true\nns:http://specs.openid.net/auth/2.0",
    ],
)
def test_confirmed(body: bytes) -> None:
    confirm(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"is_valid:false\n",
        b"is_valid:truehearted\n",
        b"is_valid: true\n",
        b"is_valid:true\r\n",
        b"xis_valid:true\n",
        b"error:is_valid:true\nis_valid:false\n",
        b"is_valid:false\nis_valid:true\n",
        b"is_valid:true\nis_valid:false\n",
        b"<html>is_valid:true</html>",
        b"is_valid\n",
        b"is_valid:true\n\xff:\n",
    ],
    ids=lambda body: "AU-07-" + repr(body)[:40],
)
def test_not_confirmed(body: bytes) -> None:
    with pytest.raises(AuthError):
        confirm(body)


@given(
    st.dictionaries(st.from_regex(r"[a-z_.]{1,10}", fullmatch=True), st.text("ab: é", max_size=9))
)
def test_key_values_round_trip(values: dict[str, str]) -> None:
    body = "".join(f"{name}:{value}\n" for name, value in values.items()).encode()
    assert parse_key_values(body) == values


@given(
    st.dictionaries(st.text(max_size=20).map("openid.".__add__), st.lists(st.binary(max_size=20)))
)
def test_any_message(arguments: dict[str, list[bytes]]) -> None:
    try:
        assertion = Assertion(arguments)
        assertion.check(ENDPOINT, HERE, NOW)
    except AuthError:
        return
    assertion.user()
