"""What is known of a template that a class of handlers has rendered before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._namespace import standard_among

if TYPE_CHECKING:
    from cyclone.template import BaseLoader, Template

    KnownPages = dict[tuple[type, str], "KnownPage"]

#: How many an application remembers.
MAX_KNOWN_PAGES = 1000


class KnownPage:
    """A template, where it was found, and which of the standard names it uses."""

    __slots__ = ("folder", "loader", "names", "standard_names", "template")

    def __init__(
        self, template: Template, names: frozenset[str], loader: BaseLoader, folder: object
    ) -> None:
        self.template = template
        self.names = names
        self.standard_names = standard_among(names)
        self.loader = loader
        #: The setting ``template_path``
        self.folder = folder
