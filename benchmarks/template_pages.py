"""Pages of other kinds than the one of template_sources.py, for benchmarks/template.py.

What people write: lists of objects and of dictionaries, conditions and calls within loops, loops
within loops, text full of special characters, a form without a loop. Each with the function that
somebody would write by hand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Any


@dataclass
class Product:
    id: int
    name: str
    category: str
    price: float
    stock: int
    tags: list[str]


@dataclass
class Comment:
    author: str
    day: date
    body: str


def url(kind: str, key: object) -> str:
    return f"/{kind}/{key}"


def upper(text: str | bytes) -> str | bytes:
    return text.upper()


PRODUCTS = [
    Product(
        1000 + n,
        f"Product number {n}" if n % 10 else f'Nuts & Bolts "{n}"',
        f"category-{n % 5}",
        n * 1.5 + 0.99,
        n % 4 * 7,
        ["new", "steel", "sale"][: n % 4],
    )
    for n in range(50)
]
PEOPLE = [
    {"number": n, "name": f"Name & {n}", "email": f"user{n}@example.com", "price": n * 1.25}
    for n in range(100)
]
COMMENTS = [
    Comment(
        f"O'Neil <{n}>",
        date(2026, 1, n + 1),
        f"if a < {n} && b > {n}: it's \"<b>bold</b>\" & 'fine'; <script>alert({n})</script>" * 2,
    )
    for n in range(30)
]
SECTIONS = [
    (f"Section {s}", [(f"/s/{s}/{n}", f"Entry {s}.{n}", n % 3 == 0) for n in range(10)])
    for s in range(8)
]
LABELS = [{"name": f"label {n}", "text": f"text of the label {n}", "n": n} for n in range(50)]
FORM = {f"field{n}": f"value {n}" if n % 5 else f"it's <{n}>" for n in range(40)}

PRODUCTS_CYCLONE = """<ul class="products">
{% for item in products %}
<li id="p{{ item.id }}" class="{{ item.category }}">
<a href="{{ url("product", item.id) }}">{{ item.name }}</a>
{% if item.stock %}
<span class="stock">{{ item.stock }} in stock</span>
{% else %}
<span class="none">sold out</span>
{% end %}
<b>{{ "%.2f" % item.price }}</b>
{% for tag in item.tags %}<i>{{ tag }}</i>{% end %}
</li>
{% end %}
</ul>"""
PEOPLE_CYCLONE = (
    "<table>\n{% for row in rows %}"
    '<tr><td>{{ row["number"] }}</td><td>{{ row["name"] }}</td>'
    '<td>{{ row["email"] }}</td><td class="p">{{ row["price"] }}</td></tr>\n'
    "{% end %}</table>"
)
COMMENTS_CYCLONE = """{% for comment in comments %}
<div class="comment"><h3>{{ comment.author }}, {{ comment.day }}</h3>
<p>{{ comment.body }}</p></div>
{% end %}"""
SECTIONS_CYCLONE = """<nav>
{% for title, entries in sections %}
<h2>{{ title }}</h2>
<ul>
{% for href, label, active in entries %}
<li{% if active %} class="active"{% end %}><a href="{{ href }}">{{ label }}</a></li>
{% end %}
</ul>
{% end %}
</nav>"""
LABELS_CYCLONE = """{% for label in labels %}
<p>{% apply upper %}{{ label["name"] }}: {{ label["text"] }}{% end %}
<a href="{{ url("label", label["n"]) }}">{{ label["name"].title() }}</a></p>
{% end %}"""
FORM_CYCLONE = (
    "<form>"
    + "".join(
        f'<label>Field {n} <input name="field{n}" value="{{{{ form["field{n}"] }}}}"></label>\n'
        for n in range(40)
    )
    + "</form>"
)


def _jinja(source: str) -> str:
    out, stack = [], []
    for part in source.replace('"%.2f" % item.price', '"%.2f"|format(item.price)').split("{% "):
        word = part.split(" ", 1)[0]
        if word in ("for", "if"):
            stack.append(word)
        out.append(part.replace("end %}", f"end{stack.pop()} %}}", 1) if word == "end" else part)
    return "{% ".join(out)


def _mako(source: str) -> str:
    out = []
    for piece in source.replace("{{ ", "${").replace(" }}", "}").split("{% "):
        if "%}" not in piece:
            out.append(piece)
            continue
        code, _, text = piece.partition(" %}")
        closing = {"end": "endfor"}.get(code, code)
        out.append(f"\\\n% {closing}{'' if code == 'end' else ':'}\n{text}")
    return "".join(out)


LABELS_JINJA = """{% for label in labels %}
<p>{% filter upper %}{{ label["name"] }}: {{ label["text"] }}{% endfilter %}
<a href="{{ url("label", label["n"]) }}">{{ label["name"]|title }}</a></p>
{% endfor %}"""
LABELS_MAKO = """% for label in labels:
<p>${upper(label["name"] + ": " + label["text"])}
<a href="${url("label", label["n"])}">${label["name"].title()}</a></p>
% endfor
"""
PRODUCTS_MAKO = """<ul class="products">
% for item in products:
<li id="p${item.id}" class="${item.category}">
<a href="${url("product", item.id)}">${item.name}</a>
% if item.stock:
<span class="stock">${item.stock} in stock</span>
% else:
<span class="none">sold out</span>
% endif
<b>${"%.2f" % item.price}</b>
% for tag in item.tags:
<i>${tag}</i>\\
% endfor
</li>
% endfor
</ul>"""
SECTIONS_MAKO = """<nav>
% for title, entries in sections:
<h2>${title}</h2>
<ul>
% for href, label, active in entries:
<li\\
% if active:
 class="active"\\
% endif
><a href="${href}">${label}</a></li>
% endfor
</ul>
% endfor
</nav>"""


def hand_products(products: list[Product], url: Callable[[str, object], str]) -> bytes:
    out = ['<ul class="products">\n']
    append = out.append
    for item in products:
        append(
            f'<li id="p{item.id}" class="{escape(item.category)}">'
            f'<a href="{escape(url("product", item.id))}">{escape(item.name)}</a>\n'
        )
        if item.stock:
            append(f'<span class="stock">{item.stock} in stock</span>\n')
        else:
            append('<span class="none">sold out</span>\n')
        append(f"<b>{item.price:.2f}</b>\n")
        for tag in item.tags:
            append(f"<i>{escape(tag)}</i>")
        append("</li>\n")
    append("</ul>")
    return "".join(out).encode()


def hand_people(rows: list[dict[str, Any]]) -> bytes:
    out = ["<table>\n"]
    append = out.append
    for row in rows:
        append(
            f"<tr><td>{row['number']}</td><td>{escape(row['name'])}</td>"
            f'<td>{escape(row["email"])}</td><td class="p">{row["price"]}</td></tr>\n'
        )
    append("</table>")
    return "".join(out).encode()


def hand_comments(comments: list[Comment]) -> bytes:
    out: list[str] = []
    append = out.append
    for comment in comments:
        append(
            f'<div class="comment"><h3>{escape(comment.author)}, {comment.day}</h3>\n'
            f"<p>{escape(comment.body)}</p></div>\n"
        )
    return "".join(out).encode()


def hand_sections(sections: list[tuple[str, list[tuple[str, str, bool]]]]) -> bytes:
    out = ["<nav>\n"]
    append = out.append
    for title, entries in sections:
        append(f"<h2>{escape(title)}</h2>\n<ul>\n")
        for href, label, active in entries:
            mark = ' class="active"' if active else ""
            append(f'<li{mark}><a href="{escape(href)}">{escape(label)}</a></li>\n')
        append("</ul>\n")
    append("</nav>")
    return "".join(out).encode()


def hand_labels(
    labels: list[dict[str, Any]], url: Callable[[str, object], str], upper: Callable[[str], str]
) -> bytes:
    out: list[str] = []
    append = out.append
    for label in labels:
        name, text = escape(label["name"]), escape(label["text"])
        href, title = escape(url("label", label["n"])), escape(label["name"].title())
        append(f'<p>{upper(f"{name}: {text}")}\n<a href="{href}">{title}</a></p>\n')
    return "".join(out).encode()


def hand_form(form: dict[str, str]) -> bytes:
    fields = [
        f'<label>Field {n} <input name="field{n}" value="{escape(form[f"field{n}"])}"></label>\n'
        for n in range(40)
    ]
    return f"<form>{''.join(fields)}</form>".encode()


# Name: the template for Cyclone and Tornado, Jinja2's, Mako's, its variables, by hand.
PAGES: dict[str, tuple[str, str, str, dict[str, Any], Callable[..., bytes]]] = {
    "products: objects, calls, conditions, 50 rows": (
        PRODUCTS_CYCLONE,
        _jinja(PRODUCTS_CYCLONE),
        PRODUCTS_MAKO,
        {"products": PRODUCTS, "url": url},
        hand_products,
    ),
    "people: dictionaries, 100 rows of 4": (
        PEOPLE_CYCLONE,
        _jinja(PEOPLE_CYCLONE),
        _mako(PEOPLE_CYCLONE),
        {"rows": PEOPLE},
        hand_people,
    ),
    "comments: text full of specials": (
        COMMENTS_CYCLONE,
        _jinja(COMMENTS_CYCLONE),
        _mako(COMMENTS_CYCLONE),
        {"comments": COMMENTS},
        hand_comments,
    ),
    "sections: a loop in a loop, 80 links": (
        SECTIONS_CYCLONE,
        _jinja(SECTIONS_CYCLONE),
        SECTIONS_MAKO,
        {"sections": SECTIONS},
        hand_sections,
    ),
    "labels: filters and calls, 50 rows": (
        LABELS_CYCLONE,
        LABELS_JINJA,
        LABELS_MAKO,
        {"labels": LABELS, "url": url, "upper": upper},
        hand_labels,
    ),
    "form: 40 values, no loop": (
        FORM_CYCLONE,
        _jinja(FORM_CYCLONE),
        _mako(FORM_CYCLONE),
        {"form": FORM},
        hand_form,
    ),
}
