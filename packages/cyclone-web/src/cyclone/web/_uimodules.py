"""UI modules and UI methods: parts of a page with their own code, styles and scripts."""

from __future__ import annotations

import functools
import types
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from cyclone.escape import linkify, to_unicode

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from cyclone.httpserver import HTTPRequest
    from cyclone.locale import Locale

    from ._handler import RequestHandler

# What the settings ui_methods and ui_modules may hold.
UISource = types.ModuleType | Mapping[str, object] | Iterable["UISource"]


class UIModule:
    """A part of a page, used in templates as ``{% module Name(arguments) %}``.

    Override :meth:`render`. It may be ``async def`` or return a Deferred: the page goes on, all
    modules of a page wait at the same time, and what they give is put in its place. The other
    methods name styles and scripts, which come into the page once however often the module is used.

    One object per request serves all uses of a module on the page.
    """

    def __init__(self, handler: RequestHandler) -> None:
        self.handler = handler
        self.request: HTTPRequest = handler.request
        self.ui: UINamespace = handler.ui

    @property
    def current_user(self) -> Any:
        """The handler's user, asked for only when it is used."""
        return self.handler.current_user

    @property
    def locale(self) -> Locale:
        """The handler's locale, decided only when it is used."""
        return self.handler.locale

    def render(self, *args: Any, **kwargs: Any) -> str | bytes | Awaitable[str | bytes]:
        """Override to return the module's HTML, which goes into the page unescaped."""
        raise NotImplementedError

    def embedded_javascript(self) -> str | bytes | None:
        """Override to return JavaScript for the end of the page."""
        return None

    def javascript_files(self) -> str | bytes | Iterable[str] | None:
        """Override to return scripts to link: relative paths go through ``static_url``."""
        return None

    def embedded_css(self) -> str | bytes | None:
        """Override to return styles for the page's head."""
        return None

    def css_files(self) -> str | bytes | Iterable[str] | None:
        """Override to return style sheets to link: relative paths go through ``static_url``."""
        return None

    def html_head(self) -> str | bytes | None:
        """Override to return HTML for the end of the page's ``<head>``."""
        return None

    def html_body(self) -> str | bytes | None:
        """Override to return HTML for the end of the page's ``<body>``."""
        return None

    def render_string(self, path: str, **kwargs: Any) -> bytes:
        """Render a template with the handler's namespace, as ``RequestHandler.render_string``."""
        return self.handler.render_string(path, **kwargs)

    def render_string_async(self, path: str, **kwargs: Any) -> Deferred[bytes]:
        """The same for a template that may have to wait, to be returned from :meth:`render`."""
        return self.handler.render_string_async(path, **kwargs)


class TemplateModule(UIModule):
    """``{% module Template("name.html", argument=1) %}``: a template with its own namespace.

    The template may name its styles and scripts: ``{{ set_resources(css_files="entry.css") }}``,
    with the names of :class:`UIModule`'s methods. They are taken once per template, so they must
    not depend on its arguments.
    """

    def __init__(self, handler: RequestHandler) -> None:
        super().__init__(handler)
        self._resources: dict[str, dict[str, Any]] = {}

    def render(self, path: str, **kwargs: Any) -> bytes | Awaitable[bytes]:
        """Render the template *path*."""
        kwargs.setdefault("set_resources", functools.partial(self._set_resources, path))
        return self.handler._render_part(path, kwargs)

    def _set_resources(self, path: str, /, **resources: Any) -> str:
        if self._resources.setdefault(path, resources) != resources:
            raise ValueError(f"set_resources called with other resources than before in {path!r}")
        return ""

    def embedded_javascript(self) -> str:
        """The scripts of all templates used."""
        return "\n".join(self._texts("embedded_javascript"))

    def javascript_files(self) -> Iterable[str]:
        """The linked scripts of all templates used."""
        return self._files("javascript_files")

    def embedded_css(self) -> str:
        """The styles of all templates used."""
        return "\n".join(self._texts("embedded_css"))

    def css_files(self) -> Iterable[str]:
        """The linked style sheets of all templates used."""
        return self._files("css_files")

    def html_head(self) -> str:
        """The head parts of all templates used."""
        return "".join(self._texts("html_head"))

    def html_body(self) -> str:
        """The body parts of all templates used."""
        return "".join(self._texts("html_body"))

    def _texts(self, key: str) -> Iterator[str]:
        return (to_unicode(part[key]) for part in self._resources.values() if key in part)

    def _files(self, key: str) -> list[str]:
        files: list[str] = []
        for resources in self._resources.values():
            files += as_paths(resources.get(key))
        return files


class _Linkify(UIModule):
    def render(self, text: str | bytes, **kwargs: Any) -> str:
        return linkify(text, **kwargs)


class _XSRFFormHTML(UIModule):
    def render(self) -> str:
        return self.handler.xsrf_form_html()


DEFAULT_UI_MODULES: Mapping[str, type[UIModule]] = {
    "linkify": _Linkify,
    "xsrf_form_html": _XSRFFormHTML,
    "Template": TemplateModule,
}


class UIModules:
    """The UI modules as one request sees them: ``modules.Name(arguments)`` renders one."""

    __slots__ = ("_active", "_handler", "_known")

    def __init__(self, handler: RequestHandler, known: Mapping[str, type[UIModule]]) -> None:
        self._handler = handler
        self._known = known
        self._active: dict[str, UIModule] = {}

    def __getitem__(self, name: str) -> Callable[..., Any]:
        module = self._active.get(name)
        if module is None:
            module = self._active[name] = self._known[name](self._handler)
        return module.render

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in self._known:
            known = ", ".join(sorted(self._known)) or "none"
            raise AttributeError(
                f"there is no UI module {name!r} in the setting ui_modules, which has {known}"
            )
        return self[name]

    def _used(self) -> Iterable[UIModule]:
        return self._active.values()


class UINamespace(dict[str, Any]):
    """The UI methods and modules of a handler by name, as items and as attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def ui_namespace(
    handler: RequestHandler,
    methods: Mapping[str, Callable[..., Any]],
    modules: Mapping[str, type[UIModule]],
) -> UINamespace:
    """Bind UI methods and modules to *handler*."""
    namespace = UINamespace()
    for name, method in methods.items():
        namespace[name] = functools.partial(method, handler)
    bound = UIModules(handler, modules)
    namespace["modules"] = namespace["_modules"] = namespace["_tt_modules"] = bound
    return namespace


def load_ui_methods(source: UISource | None) -> dict[str, Callable[..., Any]]:
    """Collect UI methods from a module, a mapping or a list of these.

    Public callables whose name starts in lower case count.
    """
    return {
        name: value
        for name, value in _named(source)
        if callable(value) and name[:1] == name[:1].lower() and not name.startswith("_")
    }


def load_ui_modules(source: UISource | None) -> dict[str, type[UIModule]]:
    """Collect :class:`UIModule` classes as :func:`load_ui_methods` does; the built-in ones too."""
    modules = dict(DEFAULT_UI_MODULES)
    for name, value in _named(source):
        if isinstance(value, type) and issubclass(value, UIModule):
            modules[name] = value
    return modules


def _named(source: object) -> Iterator[tuple[str, object]]:
    if source is None:
        return
    if isinstance(source, types.ModuleType):
        yield from ((name, getattr(source, name)) for name in dir(source))
    elif isinstance(source, Mapping):
        yield from source.items()
    elif isinstance(source, Iterable) and not isinstance(source, str | bytes):
        for part in source:
            yield from _named(part)
    else:
        raise TypeError(
            "ui_methods and ui_modules are modules, dicts or lists of these, not "
            f"{type(source).__name__}"
        )


def as_paths(files: str | bytes | Iterable[str | bytes] | None) -> list[str]:
    """One file name or several, as a list of text."""
    if not files:
        return []
    return [to_unicode(path) for path in ([files] if isinstance(files, str | bytes) else files)]
