"""What is known of a template that a class of handlers has rendered before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cyclone.template import BaseLoader, Template

    KnownPages = dict[tuple[type, str], "KnownPage"]

#: How many an application remembers.
MAX_KNOWN_PAGES = 1000


class KnownPage(NamedTuple):
    """A template, and where it was found."""

    template: Template
    loader: BaseLoader
    #: The setting ``template_path``
    folder: object
