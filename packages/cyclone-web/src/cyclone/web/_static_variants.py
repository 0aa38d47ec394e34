"""Files compressed in advance: ``app.js.br`` or ``app.js.gz`` beside ``app.js``."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from cyclone.httputil import choose_encoding

#: Content codings and the extensions of files in them, the one we like best first.
EXTENSIONS = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}

# A compressed file may be this many seconds older than its original: tools that copy a tree keep
# whole seconds, or write files in any order.
_SLACK = 2


class Variant(NamedTuple):
    """A file in a content coding."""

    coding: str
    path: str
    stat_result: os.stat_result


def find_variants(path: str, original: os.stat_result) -> dict[str, Variant]:
    """Return the compressed files beside *path* by coding.

    Left out are links (who knows where they lead), what is no regular file, and what is older than
    the original: it was made from another one.
    """
    found = {}
    for coding, extension in EXTENSIONS.items():
        candidate = path + extension
        try:
            result = os.lstat(candidate)
        except OSError:
            continue
        if stat.S_ISREG(result.st_mode) and result.st_mtime + _SLACK >= original.st_mtime:
            found[coding] = Variant(coding, candidate, result)
    return found


def choose_variant(variants: dict[str, Variant], accepted: str | None) -> Variant | None:
    """Return the variant that the ``Accept-Encoding`` header *accepted* likes best, or None."""
    coding = choose_encoding(accepted, variants)
    return None if coding is None else variants.get(coding)
