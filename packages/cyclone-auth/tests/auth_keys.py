"""Keys of an imaginary provider, and tokens signed with them."""

from __future__ import annotations

import base64
import json
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@lru_cache
def private(name: str) -> Private:
    """A key named *name*, whose beginning says what it is."""
    if name.startswith("ec"):
        return ec.generate_private_key(ec.SECP256R1())
    if name.startswith("ed"):
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, 1024 if name.startswith("weak") else 2048)


def jwk(name: str, **changes: Any) -> dict[str, Any]:
    """The public half of a key as a JWK; None takes a member away."""
    public = private(name).public_key()
    if isinstance(public, rsa.RSAPublicKey):
        text = jwt.algorithms.RSAAlgorithm.to_jwk(public)
    elif isinstance(public, ec.EllipticCurvePublicKey):
        text = jwt.algorithms.ECAlgorithm.to_jwk(public)
    else:
        text = jwt.algorithms.OKPAlgorithm.to_jwk(public)
    values = {**json.loads(text), "kid": name, "use": "sig", **changes}
    values.pop("key_ops", None) if "key_ops" not in changes else None
    return {member: value for member, value in values.items() if value is not None}


def sign(claims: Any, name: str = "rsa1", alg: str = "RS256", **header: Any) -> str:
    """A token; its kid is the key's name unless *header* says something else."""
    fields = {"kid": name, **header}
    fields = {member: value for member, value in fields.items() if value is not None}
    return jwt.encode(claims, private(name), algorithm=alg, headers=fields)


def encoded(value: object) -> str:
    """A part of a token that nobody signed."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
