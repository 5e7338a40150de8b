"""The page around the sections: head, contents, style, data, script."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from dex.report._html import Html, element, script_json, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dex.report._arrays import Arrays

_SCRIPTS = ("decode.js", "format.js", "gene.js", "table.js", "start.js")
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)
"""Nothing may be fetched: the file is complete."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page with a heading and a place in the contents."""

    id: str
    title: str
    body: Html
    short: str = ""
    """For the contents."""


def page(
    title: str, byline: str, sections: Sequence[Section], *, meta: dict[str, Any], arrays: Arrays
) -> str:
    """Return the whole document."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="generator", content="dex"),
        element("link", rel="icon", href="data:,"),
        element("title", title),
        element("style", Html(_asset("report.css"))),
    )
    body = element(
        "body",
        element("header", element("h1", title), element("p", byline, class_="byline")),
        _contents(sections),
        element("main", *(_section(number, one) for number, one in enumerate(sections, start=1))),
        element("footer", "Made by dex. This file is complete and needs no network."),
        element("script", script_json(meta), type="application/json", id="dex-meta"),
        arrays.html(),
        element("script", _script()),
    )
    document = element("html", head, body, lang="en")
    return f"<!DOCTYPE html>\n{document}\n"


def _contents(sections: Sequence[Section]) -> Html:
    items = (
        element("li", element("a", one.short or one.title, href=f"#{one.id}")) for one in sections
    )
    return element("nav", element("ol", *items), aria_label="Contents")


def _section(number: int, one: Section) -> Html:
    heading = element("h2", text(f"{number}. {one.title}"), id=f"{one.id}-title")
    return element("section", heading, one.body, id=one.id, aria_labelledby=f"{one.id}-title")


def _script() -> Html:
    """All scripts as one, in a scope of their own."""
    parts = "\n".join(_asset(name) for name in _SCRIPTS)
    return Html(f'(() => {{\n"use strict";\n{parts}}})();')


def _asset(name: str) -> str:
    return resources.files("dex.report").joinpath("assets", name).read_text(encoding="utf-8")
