"""Templates in handlers: loaders, what a template sees, and the page with its modules' assets."""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from twisted.internet.defer import Deferred

from cyclone.escape import utf8, xhtml_escape

from ._base import HandlerBase
from ._known_pages import MAX_KNOWN_PAGES, KnownPage
from ._namespace import TemplateNamespace, add_standard_names
from ._uimodules import UIModule, UINamespace, as_paths, ui_namespace

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from cyclone.template import BaseLoader, Rendering, Template

    from ._handler import RequestHandler

#: How many loaders an application keeps; get_template_path may be computed.
MAX_TEMPLATE_LOADERS = 100

_lock = threading.Lock()
# What makes a loader, and from where.
LoaderKey = tuple[Callable[..., object], str]


class RenderingMixin(HandlerBase):
    """Renders templates, with the UI modules of the application."""

    # For programs that override `render_string` and keep their loaders here, as Tornado does
    _template_loaders: ClassVar[dict[str, Any]] = {}
    _template_loader_lock: ClassVar[threading.Lock] = threading.Lock()

    _ui_namespace: UINamespace | None = None
    _fresh_loaders: list[BaseLoader] | None = None

    @property
    def ui(self) -> UINamespace:
        """The application's UI methods and modules, bound to this handler."""
        if self._ui_namespace is None:
            application = self.application
            handler = cast("RequestHandler", self)
            self._ui_namespace = ui_namespace(
                handler, application.ui_methods, application.ui_modules
            )
        return self._ui_namespace

    def render(self, template_name: str, **kwargs: Any) -> Deferred[None]:
        """Render a template as the answer and finish the request.

        When nothing in the template has to wait, all is done on return. Else the page waits for
        everything at once; the Deferred fires when it is sent. It need not be waited for: a failure
        becomes the error page either way.

        :raises RuntimeError: the request is finished already.
        """
        if self._finished:
            raise RuntimeError("Cannot render() after finish()")
        try:
            rendering = self._begin_rendering(template_name, kwargs)
        except BaseException:
            # The error page has not got the modules of this one.
            self._ui_namespace = None
            raise
        if rendering.pending:
            return self._finish_when_rendered(rendering)
        html = rendering.result()
        return self.finish(html if self._ui_namespace is None else self._with_assets(html))

    def render_string(self, template_name: str, **kwargs: Any) -> bytes:
        """Render a template and return it, encoded as UTF-8.

        :raises cyclone.template.TemplateError: something in it has to wait (the message names the
            line); use :meth:`render_string_async`.
        """
        return self._begin_own_rendering(template_name, kwargs).result()

    def render_string_async(self, template_name: str, **kwargs: Any) -> Deferred[bytes]:
        """Render a template that may have to wait; the Deferred fires with its bytes."""
        return self._spawn_beside(self._begin_own_rendering(template_name, kwargs).complete())

    def get_template_namespace(self) -> dict[str, Any]:
        """Return the names every template of this handler sees; override it to add to them.

        Those that cost something (``current_user``, ``locale``) are worked out when they are used.
        """
        return TemplateNamespace(cast("RequestHandler", self))

    def get_template_path(self) -> str | None:
        """Return the folder of the templates: the setting ``template_path``.

        ``None`` means the folder of the module in which the handler is defined.
        """
        path: str | os.PathLike[str] | None = self.settings.get("template_path")
        return None if path is None else os.fspath(path)

    def create_template_loader(self, template_path: str) -> BaseLoader:
        """Make the loader for a folder; override it for templates from elsewhere.

        It may be for another template engine: anything with ``load(name)``, whose result has
        ``generate(**names)``, and ``reset()``. Its result is kept. Settings: ``template_loader`` is
        used in its place; else ``autoescape`` and ``template_whitespace`` go to the
        :class:`cyclone.template.Loader` made.
        """
        from cyclone.template import Loader

        settings = self.settings
        given: BaseLoader | None = settings.get("template_loader")
        if given is not None:
            return given
        options: dict[str, Any] = {}
        # autoescape=None switches escaping off, which is another thing than no setting.
        if "autoescape" in settings:
            options["autoescape"] = settings["autoescape"]
        if "template_whitespace" in settings:
            options["whitespace"] = settings["template_whitespace"]
        return Loader(template_path, **options)

    # --- the assets of UI modules ---------------------------------------------------------

    def render_linked_js(self, js_files: Iterable[str]) -> str:
        """Return the HTML that links scripts; override it to write it otherwise."""
        return "".join(
            f'<script src="{xhtml_escape(path)}" type="text/javascript"></script>'
            for path in self._asset_urls(js_files)
        )

    def render_embed_js(self, js_embed: Iterable[bytes]) -> bytes:
        """Return the HTML that holds scripts; override it, for instance to add a nonce."""
        joined = b"\n".join(js_embed)
        return b'<script type="text/javascript">\n//<![CDATA[\n' + joined + b"\n//]]>\n</script>"

    def render_linked_css(self, css_files: Iterable[str]) -> str:
        """Return the HTML that links style sheets; override it to write it otherwise."""
        return "".join(
            f'<link href="{xhtml_escape(path)}" type="text/css" rel="stylesheet"/>'
            for path in self._asset_urls(css_files)
        )

    def render_embed_css(self, css_embed: Iterable[bytes]) -> bytes:
        """Return the HTML that holds styles; override it, for instance to add a nonce."""
        return b'<style type="text/css">\n' + b"\n".join(css_embed) + b"\n</style>"

    def _asset_urls(self, paths: Iterable[str]) -> Iterable[str]:
        urls = (
            path if path.startswith(("/", "http:", "https:")) else self.static_url(path)
            for path in paths
        )
        # A dictionary keeps the order and drops what comes again.
        return dict.fromkeys(urls)

    def _with_assets(self, html: bytes) -> bytes:
        if self._ui_namespace is None:
            return html
        used: list[UIModule] = list(self._ui_namespace["modules"]._used())
        # Module, handler and namespace refer to each other; the page is made, so part them.
        self._ui_namespace = None
        if not used:
            return html
        head, body = self._head_assets(used), self._body_assets(used)
        if body:
            html = _insert(html, body, html.rfind(b"</body>"), len(html))
        if head:
            html = _insert(html, head, html.find(b"</head>"), 0)
        return html

    def _head_assets(self, used: list[UIModule]) -> list[bytes]:
        parts = []
        if files := [path for module in used for path in as_paths(module.css_files())]:
            parts.append(utf8(self.render_linked_css(files)))
        if embedded := _texts(module.embedded_css() for module in used):
            parts.append(utf8(self.render_embed_css(embedded)))
        if html := _texts(module.html_head() for module in used):
            parts.append(b"".join(html))
        return parts

    def _body_assets(self, used: list[UIModule]) -> list[bytes]:
        parts = []
        if files := [path for module in used for path in as_paths(module.javascript_files())]:
            parts.append(utf8(self.render_linked_js(files)))
        if embedded := _texts(module.embedded_javascript() for module in used):
            parts.append(utf8(self.render_embed_js(embedded)))
        if html := _texts(module.html_body() for module in used):
            parts.append(b"".join(html))
        return parts

    # --- loading and running --------------------------------------------------------------

    def _begin_rendering(
        self, template_name: str, kwargs: dict[str, Any]
    ) -> Rendering | ForeignRendering:
        if type(self).render_string is not RenderingMixin.render_string:
            # Overridden: that is how programs put another template engine in
            return ForeignRendering(self.render_string(template_name, **kwargs))
        return self._begin_own_rendering(template_name, kwargs)

    def _begin_own_rendering(
        self, template_name: str, kwargs: dict[str, Any]
    ) -> Rendering | ForeignRendering:
        page = self.application._known_pages.get((type(self), template_name))
        if page is not None and self._is_current(page, template_name):
            template = page.template
        else:
            loader = self._loader_of_templates()
            template = loader.load(template_name)
            if getattr(type(template), "generate", None) is not _template_generate():
                return ForeignRendering(template.generate(**self._all_names(kwargs)))
            self._remember(template_name, template, loader)
        names = template.names
        if names is None or (
            type(self).get_template_namespace is not RenderingMixin.get_template_namespace
        ):
            return template.begin(self._all_names(kwargs), self._spawn_beside)
        add_standard_names(kwargs, names, cast("RequestHandler", self))
        return template.begin(kwargs, self._spawn_beside)

    def _remember(self, name: str, template: Template, loader: BaseLoader) -> None:
        if type(loader).load is not _base_load():
            return
        page = KnownPage(template, loader, self.settings.get("template_path"))
        if self._is_current(page, name):
            pages = self.application._known_pages
            if len(pages) >= MAX_KNOWN_PAGES:
                pages.clear()
            pages[type(self), name] = page

    def _is_current(self, page: KnownPage, name: str) -> bool:
        """Whether the template of this name, if it were looked for, would be that of *page*."""
        settings = self.application.settings
        return (
            page.loader.templates.get(name) is page.template
            and settings.get("template_path") is page.folder
            and bool(settings.get("compiled_template_cache", True))
            and type(self).get_template_path is RenderingMixin.get_template_path
        )

    def _all_names(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        namespace = self.get_template_namespace()
        namespace.update(kwargs)
        return namespace

    def _render_part(self, template_name: str, kwargs: dict[str, Any]) -> bytes | Awaitable[bytes]:
        """Render for a place in another template, which takes either."""
        rendering = self._begin_rendering(template_name, kwargs)
        return rendering.complete() if rendering.pending else rendering.result()

    def _loader_of_templates(self) -> BaseLoader:
        path = self.get_template_path() or _module_folder(type(self).__module__)
        key: LoaderKey = (type(self).create_template_loader, path)
        try:
            loader = self.application._template_loaders[key]
        except KeyError:
            loader = self._new_template_loader(key, path)
        if not self.settings.get("compiled_template_cache", True):
            self._reset_once(loader)
        return loader

    def _new_template_loader(self, key: LoaderKey, path: str) -> BaseLoader:
        with _lock:
            loaders = self.application._template_loaders
            loader = loaders.get(key)
            if loader is None:
                loader = loaders[key] = self.create_template_loader(path)
                if len(loaders) > MAX_TEMPLATE_LOADERS:
                    del loaders[next(iter(loaders))]
        return loader

    def _reset_once(self, loader: BaseLoader) -> None:
        """Forget compiled templates once per request, so that a page sees the files as they are."""
        if self._fresh_loaders is None:
            self._fresh_loaders = []
        if loader not in self._fresh_loaders:
            self._fresh_loaders.append(loader)
            loader.reset()

    def _answer_late_failure(self, failure: Failure) -> None:
        if self._in_error_page:
            # Another try at the error page would fail in the same way, for ever.
            self._write_error_failed(self._status_code, failure.value)
        else:
            self._handle_deferred_failure(failure)

    def _finish_when_rendered(self, rendering: Rendering | ForeignRendering) -> Deferred[None]:
        work = self._spawn_beside(rendering.complete())
        done: Deferred[None] = Deferred(lambda _: work.cancel())
        self._render_pending = done

        def send(html: bytes) -> None:
            self._render_pending = None
            # Whoever finished meanwhile (a timeout, an error page) was first.
            if not self._finished:
                self.finish(self._with_assets(html))

        def fail(failure: Failure) -> None:
            self._render_pending = None
            self._ui_namespace = None
            # Whoever waits for it hears first, and a handler that fails of it is answered for.
            # What nobody took is answered here.
            done.errback(failure)
            done.addErrback(self._answer_late_failure)

        work.addCallback(send).addCallbacks(done.callback, fail)
        return done


def _insert(page: bytes, parts: list[bytes], position: int, otherwise: int) -> bytes:
    """Put *parts* at *position*; *otherwise* if the tag looked for was not there."""
    if position < 0:
        position = otherwise
    return b"".join((page[:position], *(part + b"\n" for part in parts), page[position:]))


def _texts(parts: Iterable[str | bytes | None]) -> list[bytes]:
    return [utf8(part) for part in parts if part]


@functools.lru_cache(maxsize=256)
def _module_folder(name: str) -> str:
    file = getattr(sys.modules.get(name), "__file__", None)
    return os.path.dirname(os.path.abspath(file)) if file else os.getcwd()


class ForeignRendering:
    """What a template of another engine gave: text, bytes, or an awaitable of these."""

    def __init__(self, output: str | bytes | Awaitable[str | bytes]) -> None:
        self._output = output
        self.pending = isinstance(output, Awaitable)

    def result(self) -> bytes:
        """The output. TypeError if it has to be awaited."""
        if isinstance(self._output, Awaitable):
            if isinstance(self._output, Coroutine):
                self._output.close()
            raise TypeError("this template has to wait: use render_string_async()")
        return utf8(self._output)

    async def complete(self) -> bytes:
        """Wait for the output."""
        output = self._output
        return utf8(await output if isinstance(output, Awaitable) else output)


# The package of templates is imported when something is rendered.


@functools.cache
def _base_load() -> object:
    from cyclone.template import BaseLoader

    return BaseLoader.load


@functools.cache
def _template_generate() -> object:
    from cyclone.template import Template

    return Template.generate
