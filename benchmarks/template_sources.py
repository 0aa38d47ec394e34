"""The same three templates in each engine's language, for template.py and http_web.py."""

import re
from dataclasses import asdict, dataclass
from typing import Any

PAGE_HEAD = (
    "<!DOCTYPE html><html><head><title>TITLE</title>"
    '<link rel="stylesheet" href="/static/style.css"></head><body><header>'
)
FOOTER = "<footer><p>COUNT orders. All prices in euros, taxes included.</p></footer>"
_HEAD, _HEAD_END = PAGE_HEAD.split("TITLE")
_FOOT, _FOOT_END = FOOTER.split("COUNT")

CYCLONE = {
    "hello.html": "Hello {{ name }}!",
    "table.html": """<table>
{% for row in table %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% end %}</tr>
{% end %}</table>""",
    "base.html": f"""{_HEAD}{{% block title %}}none{{% end %}}{_HEAD_END}
{{% include "header.html" %}}</header>
<main>{{% block main %}}{{% end %}}</main>
{{% include "footer.html" %}}
</body></html>""",
    "header.html": """{% if user %}<p>Signed in as {{ user }}</p>{% end %}
<ul>{% for href, label in links %}<li><a href="{{ href }}">{{ label }}</a></li>{% end %}</ul>""",
    "footer.html": f"{_FOOT}{{{{ len(rows) }}}}{_FOOT_END}",
    "page.html": """{% extends "base.html" %}
{% block title %}{{ title }}{% end %}
{% block main %}<h1>{{ title.upper() }}</h1>
<table>
{% for row in rows %}
<tr class="{% if row.active %}on{% else %}off{% end %}">
<td>{{ row.number }}</td><td>{{ row.name.title() }}</td>
<td><a href="mailto:{{ row.email }}">{{ row.email.lower() }}</a></td>
<td>{{ "%.2f" % row.price }}</td>
<td>{% if row.active %}{{ row.note }}{% else %}<em>gone</em>{% end %}</td>
</tr>
{% end %}
</table>{% end %}""",
}

JINJA = {
    name: source.replace("{% block title %}none{% end %}", "{% block title %}none{% endblock %}")
    .replace("{% block main %}{% end %}", "{% block main %}{% endblock %}")
    .replace("{{ title }}{% end %}", "{{ title }}{% endblock %}")
    .replace("</table>{% end %}", "</table>{% endblock %}")
    .replace("{{ title.upper() }}", "{{ title|upper }}")
    .replace("{{ row.name.title() }}", "{{ row.name|title }}")
    .replace("{{ row.email.lower() }}", "{{ row.email|lower }}")
    .replace("{{ len(rows) }}", "{{ rows|length }}")
    .replace("{% else %}off{% end %}", "{% else %}off{% endif %}")
    .replace("<em>gone</em>{% end %}", "<em>gone</em>{% endif %}")
    .replace("</p>{% end %}", "</p>{% endif %}")
    .replace("{% end %}", "{% endfor %}")
    for name, source in CYCLONE.items()
}
_PRICE = '{{ "%.2f" % row.price }}'
JINJA["page.html"] = JINJA["page.html"].replace(_PRICE, '{{ "%.2f"|format(row.price) }}')

MAKO = {
    "hello.html": "Hello ${name}!",
    "table.html": """<table>
% for row in table:
<tr>\\
% for cell in row:
<td>${cell}</td>\\
% endfor
</tr>
% endfor
</table>""",
    "base.html": f"""{_HEAD}<%block name="page_title">none</%block>{_HEAD_END}
<%include file="header.html"/></header>
<main><%block name="page_main"></%block></main>
<%include file="footer.html"/>
</body></html>""",
    "header.html": """% if user:
<p>Signed in as ${user}</p>
% endif
<ul>
% for href, label in links:
<li><a href="${href}">${label}</a></li>
% endfor
</ul>""",
    "footer.html": f"{_FOOT}${{len(rows)}}{_FOOT_END}",
    "page.html": """<%inherit file="base.html"/>
<%block name="page_title">${title}</%block>
<%block name="page_main"><h1>${title.upper()}</h1>
<table>
% for row in rows:
<tr class="${'on' if row.active else 'off'}">
<td>${row.number}</td><td>${row.name.title()}</td>
<td><a href="mailto:${row.email}">${row.email.lower()}</a></td>
<td>${"%.2f" % row.price}</td>
% if row.active:
<td>${row.note}</td>
% else:
<td><em>gone</em></td>
% endif
</tr>
% endfor
</table></%block>""",
}

CHAMELEON = {
    "hello.html": "Hello ${name}!",
    "table.html": """<table>
<tr tal:repeat="row table"><td tal:repeat="cell row">${cell}</td></tr>
</table>""",
    "base.html": f"""<!DOCTYPE html><html metal:define-macro="base">{
        _HEAD.removeprefix("<!DOCTYPE html><html>").replace("<title>", "")
    }<title><metal:title define-slot="title">none</metal:title></title>{
        _HEAD_END.removeprefix("</title>").replace('style.css">', 'style.css">')
    }
<metal:header use-macro="header" /></header>
<main><metal:main define-slot="main"></metal:main></main>
<metal:footer use-macro="footer" />
</body></html>""",
    "header.html": """<tal:all><p tal:condition="user">Signed in as ${user}</p>
<ul><li tal:repeat="(href, label) links"><a href="${href}">${label}</a></li></ul></tal:all>""",
    "footer.html": f"{_FOOT}${{len(rows)}}{_FOOT_END}",
    "page.html": """<html metal:use-macro="base"><metal:x fill-slot="title">${title}</metal:x>
<metal:main fill-slot="main"><h1>${title.upper()}</h1>
<table>
<tr tal:repeat="row rows" class="${'on' if row.active else 'off'}">
<td>${row.number}</td><td>${row.name.title()}</td>
<td><a href="mailto:${row.email}">${row.email.lower()}</a></td>
<td>${"%.2f" % row.price}</td>
<td><tal:on condition="row.active">${row.note}</tal:on><em
tal:condition="not row.active">gone</em></td>
</tr>
</table></metal:main></html>""",
}


def chameleon_template(chameleon: Any, name: str) -> Any:
    """A Chameleon template, with the other files as its macros."""
    if name == "hello.html":
        return chameleon.PageTextTemplate(CHAMELEON[name])
    macros = {
        key.removesuffix(".html"): chameleon.PageTemplate(source)
        for key, source in CHAMELEON.items()
        if key in ("base.html", "header.html", "footer.html")
    }
    page = chameleon.PageTemplate(CHAMELEON[name])
    render = page.render

    class Bound:
        @staticmethod
        def render(**kwargs: Any) -> Any:
            return render(**macros, **kwargs)

    return Bound


# The page again for rows that are dictionaries, as databases and JSON give them. In Jinja2 a dot
# stands for either, so there it is the same source.
for _sources in (CYCLONE, MAKO, CHAMELEON):
    _sources["dicts.html"] = re.sub(r"\brow\.(\w+)", r"row['\1']", _sources["page.html"])
JINJA["dicts.html"] = JINJA["page.html"]


COMPILE_CYCLONE = """<section id="s%d">
<h2>{{ title }}</h2>
{%% if user.active %%}
<p class="hello">Hello {{ user.name }}, you have {{ len(messages) }} messages.</p>
{%% end %%}
<ul>
{%% for message in messages %%}
<li><a href="{{ message.url }}">{{ message.subject }}</a> from {{ message.sender }}</li>
{%% end %%}
</ul></section>
"""
COMPILE_JINJA = (
    COMPILE_CYCLONE.replace("{%% end %%}\n<ul>", "{%% endif %%}\n<ul>")
    .replace("{%% end %%}", "{%% endfor %%}")
    .replace("len(messages)", "messages|length")
)


@dataclass
class Row:
    number: int
    name: str
    email: str
    price: float
    active: bool
    note: str


def page_data() -> dict[str, Any]:
    rows = [
        Row(i, f"Name <{i}> & Co", f"user{i}@example.com", i * 1.25, i % 3 != 0, f"it's row {i}")
        for i in range(50)
    ]
    links = [(f"/section/{i}?a=1&b=2", f"Section {i}") for i in range(8)]
    return {"title": "Orders & more", "user": "Zoë <admin>", "links": links, "rows": rows}


def dicts_data() -> dict[str, Any]:
    data = page_data()
    return {**data, "rows": [asdict(row) for row in data["rows"]]}
