"""Template engines side by side: tables, a page, "Hello", compiling, escaping, importing.

    python benchmarks/template.py [--rounds N] [--markdown FILE]

Needs cyclone-template, jinja2, mako, chameleon, minijinja and tornado. Times are process CPU time;
the engines take turns within each round, and the table shows medians. Every engine's output is
compared with the hand-written function's first.
"""

import argparse
import html
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import chameleon
import jinja2
import mako.lookup  # type: ignore[import-untyped]
import mako.template  # type: ignore[import-untyped]
import minijinja
import template_pages
import template_sources as sources
import tornado.template

import cyclone.template
from cyclone.escape import xhtml_escape

Render = Callable[[], object]
ENGINES = ("hand", "cyclone", "jinja2", "mako", "chameleon", "minijinja", "tornado")
PAGE_ENGINES = ("hand", "cyclone", "jinja2", "mako", "tornado")


def measure(contestants: Mapping[str, Render], rounds: int, inner: int) -> dict[str, list[float]]:
    """Seconds per call: in each round each contestant runs ``inner`` times."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for render in contestants.values():
        for _ in range(3):
            render()
    for _ in range(rounds):
        for name, render in contestants.items():
            start = time.process_time()
            for _ in range(inner):
                render()
            times[name].append((time.process_time() - start) / inner)
    return times


def text(output: object) -> str:
    """The output for comparison: white space between tags and the spelling of entities differ."""
    decoded = output.decode() if isinstance(output, bytes) else str(output)
    for entity, plain in (("&#39;", "'"), ("&#x27;", "'"), ("&#34;", '"'), ("&quot;", '"')):
        decoded = decoded.replace(entity, plain)
    return re.sub(r"\s+", "", decoded).replace("&#x2f;", "/")


def check(contestants: Mapping[str, Render]) -> None:
    expected = text(contestants["hand"]())
    for name, render in contestants.items():
        got = text(render())
        if got != expected:
            at = next(
                (i for i, (a, b) in enumerate(zip(got, expected, strict=False)) if a != b), -1
            )
            raise SystemExit(
                f"{name}: wrong output: {got[at - 20 : at + 40]!r} {expected[at - 20 : at + 40]!r}"
            )


def encoded(template: Any, kwargs: Mapping[str, Any]) -> Render:
    """A renderer of an engine whose templates give text."""
    return lambda: template.render(**kwargs).encode()


def engines(name: str, kwargs: Mapping[str, Any], hand: Render) -> dict[str, Render]:
    """One renderer of the template ``name`` per engine."""
    jinja = jinja2.Environment(
        loader=jinja2.DictLoader(sources.JINJA), autoescape=True, cache_size=400
    ).get_template(name)
    mini = minijinja.Environment(templates=sources.JINJA)
    lookup = mako.lookup.TemplateLookup(default_filters=["str", "h"])
    for key, source in sources.MAKO.items():
        lookup.put_string(key, source)
    mako_template = lookup.get_template(name)
    chameleon_template = sources.chameleon_template(chameleon, name)
    ours = cyclone.template.DictLoader(sources.CYCLONE).load(name)
    theirs = tornado.template.DictLoader(sources.CYCLONE).load(name)
    return {
        "hand": hand,
        "cyclone": lambda: ours.generate(**kwargs),
        "jinja2": lambda: jinja.render(**kwargs).encode(),
        "mako": lambda: mako_template.render(**kwargs).encode(),
        "chameleon": lambda: chameleon_template.render(**kwargs).encode(),
        "minijinja": lambda: mini.render_template(name, **kwargs).encode(),
        "tornado": lambda: theirs.generate(**kwargs),
    }


# The hand-written references: what somebody would write without a template engine.


def hand_table(table: list[list[object]]) -> bytes:
    out: list[str] = []
    append = out.append
    escape = html.escape
    append("<table>\n")
    for row in table:
        append("<tr>")
        for cell in row:
            append(f"<td>{escape(str(cell))}</td>")
        append("</tr>\n")
    append("</table>")
    return "".join(out).encode()


def hand_head(title: str, user: str | None, links: list[tuple[str, str]]) -> list[str]:
    out: list[str] = []
    append = out.append
    escape = html.escape
    append(sources.PAGE_HEAD.replace("TITLE", escape(title)))
    if user:
        append(f"<p>Signed in as {escape(user)}</p>")
    append("<ul>")
    for href, label in links:
        append(f'<li><a href="{escape(href)}">{escape(label)}</a></li>')
    append(f"</ul></header><main><h1>{escape(title.upper())}</h1><table>")
    return out


def hand_page(
    title: str, user: str | None, links: list[tuple[str, str]], rows: list[sources.Row]
) -> bytes:
    out = hand_head(title, user, links)
    append = out.append
    escape = html.escape
    for row in rows:
        kind = "on" if row.active else "off"
        append(
            f'<tr class="{kind}"><td>{row.number}</td><td>{escape(row.name.title())}</td>'
            f'<td><a href="mailto:{escape(row.email)}">{escape(row.email.lower())}</a></td>'
            f"<td>{row.price:.2f}</td><td>"
        )
        append(f"{escape(row.note)}" if row.active else "<em>gone</em>")
        append("</td></tr>")
    append(f"</table></main>{sources.FOOTER.replace('COUNT', str(len(rows)))}</body></html>")
    return "".join(out).encode()


def hand_dicts(
    title: str, user: str | None, links: list[tuple[str, str]], rows: list[dict[str, Any]]
) -> bytes:
    out = hand_head(title, user, links)
    append = out.append
    escape = html.escape
    for row in rows:
        kind = "on" if row["active"] else "off"
        email = row["email"]
        append(
            f'<tr class="{kind}"><td>{row["number"]}</td><td>{escape(row["name"].title())}</td>'
            f'<td><a href="mailto:{escape(email)}">{escape(email.lower())}</a></td>'
            f"<td>{row['price']:.2f}</td><td>"
        )
        append(f"{escape(row['note'])}" if row["active"] else "<em>gone</em>")
        append("</td></tr>")
    append(f"</table></main>{sources.FOOTER.replace('COUNT', str(len(rows)))}</body></html>")
    return "".join(out).encode()


def hand_hello(name: str) -> bytes:
    return f"Hello {html.escape(name)}!".encode()


def rendering(rounds: int) -> dict[str, dict[str, list[float]]]:
    tables: dict[str, list[list[object]]] = {
        "table of ints": [[r * 10 + c for c in range(10)] for r in range(1000)],
        "table of safe strings": [[f"cell {r * 10 + c}" for c in range(10)] for r in range(1000)],
        "table of strings to escape": [
            [f"<c&{r * 10 + c}>" for c in range(10)] for r in range(1000)
        ],
        "table of ints and strings mixed": [
            [r * 10 + c if c % 2 else f"cell {r}" for c in range(10)] for r in range(1000)
        ],
    }
    results = {}
    for name, table in tables.items():
        contestants = engines("table.html", {"table": table}, partial(hand_table, table))
        check(contestants)
        results[name] = measure(contestants, rounds, 1)
    data = sources.page_data()
    contestants = engines("page.html", data, lambda: hand_page(**data))
    check(contestants)
    results["10 KB page"] = measure(contestants, rounds, 15)
    dicts = sources.dicts_data()
    contestants = engines("dicts.html", dicts, lambda: hand_dicts(**dicts))
    check(contestants)
    results["10 KB page of dictionaries"] = measure(contestants, rounds, 15)
    contestants = engines("hello.html", {"name": "World"}, lambda: hand_hello("World"))
    check(contestants)
    results["Hello"] = measure(contestants, rounds, 1000)
    return results


def pages(rounds: int) -> dict[str, dict[str, list[float]]]:
    results = {}
    for name, (source, jinja, mako_source, kwargs, hand) in template_pages.PAGES.items():
        ours = cyclone.template.Template(source, name="page.html")
        theirs = tornado.template.Template(source, name="page.html")
        jinja_page = jinja2.Environment(autoescape=True).from_string(jinja)
        mako_page = mako.template.Template(mako_source, default_filters=["str", "h"])
        contestants: dict[str, Render] = {
            "hand": partial(hand, **kwargs),
            "cyclone": partial(ours.generate, **kwargs),
            "jinja2": encoded(jinja_page, kwargs),
            "mako": encoded(mako_page, kwargs),
            "tornado": partial(theirs.generate, **kwargs),
        }
        check(contestants)
        results[name] = measure(contestants, rounds, 15)
    return results


def compiling(rounds: int) -> dict[str, list[float]]:
    ours = "".join(sources.COMPILE_CYCLONE % i for i in range(30))
    jinja = "".join(sources.COMPILE_JINJA % i for i in range(30))
    environment = jinja2.Environment(autoescape=True)
    contestants: dict[str, Render] = {
        "cyclone": lambda: cyclone.template.Template(ours),
        "tornado": lambda: tornado.template.Template(ours),
        "jinja2": lambda: environment.from_string(jinja),
    }
    return measure(contestants, rounds, 1)


def escaping(rounds: int) -> dict[str, dict[str, list[float]]]:
    page = hand_page(**sources.page_data()).decode()
    texts = {
        "8 safe characters": "username",
        "60 safe characters": "a sentence of sixty characters, all of them safe in any page",
        "60 with specials": '<a href="/x?a=1&b=2">it\'s "quoted" & <b>bold</b></a> and more',
        "10 KB page": page,
    }
    results = {}
    for name, value in texts.items():
        contestants: dict[str, Render] = {
            "cyclone": partial(xhtml_escape, value),
            "html.escape": partial(html.escape, value),
        }
        results[name] = measure(contestants, rounds, 20 if len(value) > 100 else 2000)
    return results


def importing(rounds: int) -> dict[str, list[float]]:
    """CPU time of a fresh interpreter, with and without the import, from compiled files."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def start(code: str) -> Render:
        return lambda: subprocess.run([sys.executable, "-c", code], check=True, env=environment)

    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    times: dict[str, list[float]] = {"nothing": [], "cyclone.template": []}
    codes = {"nothing": start("pass"), "cyclone.template": start("import cyclone.template")}
    codes["cyclone.template"]()
    for _ in range(rounds):
        for name, run in codes.items():
            begin = used()
            run()
            times[name].append(used() - begin)
    return times


def cell(seconds: float) -> str:
    return f"{seconds * 1e3:.3f} ms" if seconds >= 1e-4 else f"{seconds * 1e6:.2f} us"


def table(title: str, columns: Iterable[str], rows: Mapping[str, dict[str, list[float]]]) -> str:
    """A Markdown table of medians, and of each column's ratio to Cyclone's."""
    columns = list(columns)
    lines = [f"| {title} | {' | '.join(columns)} |", "| --- " * (len(columns) + 1) + "|"]
    for name, times in rows.items():
        medians = {column: statistics.median(times[column]) for column in columns}
        ours = medians["cyclone"]
        cells = [
            cell(value) if column == "cyclone" else f"{cell(value)} ({value / ours:.2f}x)"
            for column, value in medians.items()
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--markdown", type=Path, help="also write the tables to this file")
    arguments = parser.parse_args()
    rounds = arguments.rounds
    packages = ("jinja2", "mako", "chameleon", "minijinja", "tornado")
    imports = importing(max(5, rounds // 2))
    extra = statistics.median(imports["cyclone.template"]) - statistics.median(imports["nothing"])
    parts = [
        "# Templates",
        f"Python {platform.python_version()}, one core, medians of {rounds} interleaved rounds of "
        "process CPU time (in brackets: how many times Cyclone's). "
        + ", ".join(f"{name} {version(name)}" for name in packages)
        + ".",
        "The tables are lists of strings and numbers, which Cyclone renders at once (a loop whose "
        "body is one value between texts). The pages of `template_pages.py` are such as people "
        "write; of any other loop Cyclone collects the values and escapes them together.",
        table("rendering", ENGINES, rendering(rounds)),
        table("other pages", PAGE_ENGINES, pages(rounds)),
        table(
            "compiling", ("cyclone", "tornado", "jinja2"), {"300 lines": compiling(max(5, rounds))}
        ),
        table("escaping", ("cyclone", "html.escape"), escaping(rounds)),
        f"`import cyclone.template`: {extra * 1e3:.1f} ms over the interpreter's own start.",
    ]
    report = "\n\n".join(parts) + "\n"
    print(report)
    if arguments.markdown:
        arguments.markdown.write_text(report)


if __name__ == "__main__":
    main()
