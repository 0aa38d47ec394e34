"""Log users in with OpenID Connect, OAuth 2.0 and 1.0a, OpenID 2.0, HTTP Basic and Digest."""

__all__ = ["__version__"]

__version__: str


def __getattr__(name: str) -> str:
    """The version comes from the installed metadata, read only when asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("cyclone-auth")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
