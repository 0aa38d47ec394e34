"""Certificates, and clients that trust them."""

from __future__ import annotations

import os
import ssl
import tempfile
from typing import Any

import trustme

AUTHORITY = trustme.CA()
SERVER = AUTHORITY.issue_cert("localhost")
CLIENT = AUTHORITY.issue_cert("client@example.com", "client.example", common_name="the client")


def files() -> dict[str, Any]:
    folder = tempfile.mkdtemp()
    chain = os.path.join(folder, "chain.pem")
    for blob in SERVER.cert_chain_pems:
        blob.write_to_path(chain, append=True)
    key = os.path.join(folder, "key.pem")
    SERVER.private_key_pem.write_to_path(key)
    authority = os.path.join(folder, "ca.pem")
    AUTHORITY.cert_pem.write_to_path(authority)
    return {"certfile": chain, "keyfile": key, "ca_certs": authority}


def client_context(show: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    context.set_alpn_protocols(["h2", "http/1.1"])
    if show:
        CLIENT.configure_cert(context)
    return context
