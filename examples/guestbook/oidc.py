"""Logins with an OpenID Connect provider, beside the guestbook's own accounts (option --oidc)."""

from urllib.parse import urlsplit

from store import MAX_AUTHOR, NameTakenError, Store, User

from cyclone.auth import AuthError, OpenIDConnectMixin

# What no password hashes to: such an account is for the provider only.
NO_PASSWORD = "00:"


def provider_settings(issuer: str, client_id: str, client_secret: str, base: str) -> dict[str, str]:
    """The setting `openid_connect` of a guestbook whose address is *base*."""
    return {
        "issuer": issuer,
        "client_id": client_id,
        "client_secret": client_secret,
        "redirect_uri": base + "/oidc",
        "post_logout_redirect_uri": base + "/",
    }


def form_targets(settings: dict[str, object]) -> str:
    """Where forms may lead: logging out goes on to the provider."""
    provider = settings.get("openid_connect")
    if provider is None:
        return "'self'"
    issuer = urlsplit(provider["issuer"])
    return f"'self' {issuer.scheme}://{issuer.netloc}"


async def account(store: Store, issuer: str, claims: dict[str, object]) -> User:
    """The user for a verified login, made at the first one; a name that is taken gets a number."""
    subject = f"{issuer} {claims['sub']}"
    user = await store.user_of(subject)
    if user is not None:
        return user
    name = "".join(char for char in str(claims.get("name") or "Guest") if char.isprintable())
    for number in range(1, 1000):
        suffix = f" {number}" if number > 1 else ""
        try:
            return await store.add_user(
                name[: MAX_AUTHOR - len(suffix)] + suffix, NO_PASSWORD, subject
            )
        except NameTakenError:
            continue
    raise NameTakenError(name)


class ProviderLogin(OpenIDConnectMixin):
    """Both ends of a login; for a handler of the guestbook."""

    async def get(self) -> None:
        if not self.get_argument("code", None) and not self.get_argument("error", None):
            await self.authorize_redirect()
            return
        try:
            claims = await self.get_authenticated_user()
        except AuthError as error:
            self.set_status(error.status_code)
            problem = "The provider did not log you in."
            self.render("login.html", next_url="/", name="", problem=problem)
            return
        user = await account(self.store, self.get_openid_settings().issuer, claims)
        cookie = {
            "httponly": True,
            "samesite": "Lax",
            "secure": self.request.protocol == "https",
        }
        self.set_secure_cookie("user", str(user.id), **cookie)
        self.set_secure_cookie("id_token", claims["id_token"], **cookie)
        self.redirect(self.reverse_url("index"))


class ProviderLogout(OpenIDConnectMixin):
    """Ends the session here and, if it came from there, at the provider."""

    async def post(self) -> None:
        id_token = self.get_secure_cookie("id_token")
        if id_token is None:
            super().post()
            return
        self.clear_cookie("user")
        self.clear_cookie("id_token")
        await self.end_session_redirect(id_token.decode("ascii"))
