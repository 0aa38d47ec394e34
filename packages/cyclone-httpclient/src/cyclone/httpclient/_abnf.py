"""The grammar of RFC 9110 as far as a client writes it: compiled once, under its RFC names."""

from __future__ import annotations

import re

METHOD = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}")
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
QUOTED_PAIR = re.compile(r"\\(.)")
# auth-param = token BWS "=" BWS ( token / quoted-string ), section 11.2
AUTH_PARAM = re.compile(
    r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*=[ \t]*"
    r'(?:"((?:[^"\\]|\\.)*)"|([!#$%&\'*+\-.^_`|~0-9A-Za-z/=:]+))'
)
SCHEME = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:[ \t]+|(?=,)|$)")
