"""Turn the URLs of plain text into links, in linear time whatever the text."""

import re
from collections.abc import Callable, Collection

from ._html import xhtml_escape

_MAX_SHOWN = 30
# Where a URL may begin: a protocol with one to three slashes, or "www.". The lookbehinds keep a
# word from being tried again at each of its letters; possessive quantifiers give nothing back.
_START = r"(?<![\w-])-*+(?P<proto>\w[\w-]*+):(?P<slashes>/{1,3})|(?<!\w)www[.]"
# What a URL may hold after that, in text that is HTML-escaped already: anything but white space,
# parentheses and entities (two excepted). A pair of parentheses with no other inside is part of it.
_PART = r"(?:[^\s&()]|&amp;|&quot;)*+"
_GROUP = rf"\({_PART}\)"
# Punctuation that belongs to the sentence when it is the last thing of a URL (read backwards).
_TRAILING = r"(?:;pma&|;touq&|[!\"#$%'*+,.:;<=>?@\[\]^`{|}~])*+"


def linkify(
    text: str | bytes,
    shorten: bool = False,
    extra_params: str | Callable[[str], str] = "",
    require_protocol: bool = False,
    permitted_protocols: Collection[str] = ("http", "https"),
) -> str:
    """Escape plain text as HTML and turn the URLs in it into links.

    ``shorten`` shows about 30 characters of a long URL and puts all of it in the ``title``.
    ``extra_params`` is text for the tag, or a function that gets the (escaped) URL and returns
    such text. ``require_protocol`` leaves ``www.example.com`` alone. Only ``permitted_protocols``
    become links: ``javascript`` in that list would be unsafe.
    """
    text = xhtml_escape(text)
    fixed = "" if callable(extra_params) else extra_params.strip()
    pieces: list[str] = []
    done = 0
    # Compiled at the first use (re keeps it), so that importing costs nothing.
    search = re.compile(_START).search
    start = search(text)
    while start is not None:
        proto = start["proto"]
        begin = start.start() if proto is None else start.start("proto")
        end, shift = _find_end(text, start)
        if end > 0 and (proto in permitted_protocols if proto else not require_protocol):
            url = text[begin:end]
            href = url if proto else f"http://{url}"
            extra = extra_params(href).strip() if callable(extra_params) else fixed
            prefix = start.end() - shift - begin if proto else 0
            shown = _shortened(url, prefix) if shorten else url
            title = f' title="{href}"' if shown != url else ""
            tag = f'<a href="{href}"{" " + extra if extra else ""}{title}>{shown}</a>'
            pieces += (text[done:begin], tag)
            done = end
        start = search(text, end if end > 0 else start.end())
    pieces.append(text[done:])
    return "".join(pieces)


def _find_end(text: str, start: re.Match[str]) -> tuple[int, int]:
    """The end of the URL that begins at ``start``, or 0; and how many slashes are its path's."""
    position = start.end()
    end = 0
    while True:
        if text.startswith("(", position):
            group = re.compile(_GROUP).match(text, position)
            if group is None:
                break
            end = position = group.end()
            continue
        run = re.compile(_PART).match(text, position)
        last = _without_trailing(run[0]) if run else 0
        if not last:
            break
        end = position = position + last
    if not end and start["slashes"] and len(start["slashes"]) > 1:
        # Nothing follows, so the last slash is the URL's content.
        return start.end(), 1
    return end, 0


def _without_trailing(run: str) -> int:
    """The length of ``run`` without the punctuation and entities at its end."""
    tail = re.match(_TRAILING, run[::-1])
    return len(run) - (tail.end() if tail else 0)


def _shortened(url: str, prefix: int) -> str:
    """A display form of a long URL; ``prefix`` is the length of its protocol with the slashes."""
    if len(url) <= _MAX_SHOWN:
        return url
    host, slash, path = url[prefix:].partition("/")
    short = url
    if slash:
        # The host and the first bit of the path are what a reader recognises.
        segment = path.partition("/")[0][:8].partition("?")[0].partition(".")[0]
        short = f"{url[:prefix]}{host}/{segment}"
    if len(short) > _MAX_SHOWN * 1.5:
        short = short[:_MAX_SHOWN]
    if short == url:
        return url
    entity = short.rfind("&")
    if entity > _MAX_SHOWN - 5:
        short = short[:entity]
    short += "..."
    return short if len(short) < len(url) else url
