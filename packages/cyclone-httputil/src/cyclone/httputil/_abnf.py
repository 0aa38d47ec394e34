"""Grammar rules of the RFCs, compiled once, under the names the RFCs give them.

All classes of characters are written out in ASCII: ``\\d``, ``\\s`` and `str.strip` without an
argument know Unicode digits and spaces, and have let requests be smuggled elsewhere.
"""

import re
from typing import Final

# RFC 9110 section 5.6.3
HTTP_WHITESPACE: Final = " \t"

# RFC 9110 section 5.6.2
TCHAR: Final = r"!#$%&'*+\-.^_`|~0-9A-Za-z"
TOKEN: Final = re.compile(rf"[{TCHAR}]+")

# RFC 9110 section 5.5: what may not stand in a field value, byte by byte
NOT_FIELD_VALUE: Final = re.compile(r"[^\t\x20-\x7e\x80-\xff]")

# The same for text that was decoded as UTF-8: only control characters are wrong
CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

# RFC 9112 sections 3 and 4; 505 is for the caller to say, so any single digits are read here
REQUEST_LINE: Final = re.compile(rf"([{TCHAR}]+) ([\x21-\x7e]+) (HTTP/[0-9]\.[0-9])")
STATUS_LINE: Final = re.compile(r"(HTTP/[0-9]\.[0-9]) ([0-9]{3})(?: ([\t\x20-\x7e\x80-\xff]*))?")

# RFC 9110 section 5.6.4
QUOTED_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)


def is_token(text: str) -> bool:
    """Whether ``text`` is a token of RFC 9110 section 5.6.2 (a method, a header name, ...)."""
    return TOKEN.fullmatch(text) is not None
