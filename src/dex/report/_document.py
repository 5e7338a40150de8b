"""The document: what its sections hold, and the numbers that its script reads."""

from __future__ import annotations

import math
from importlib import metadata
from typing import TYPE_CHECKING, Any

from dex.design.wording import plural
from dex.get._symbols import gene_labels
from dex.report._arrays import Arrays
from dex.report._data import data_and_design
from dex.report._diagnosis import diagnosis_html
from dex.report._expression import expression_meta
from dex.report._filtering import STATUS_WORDS, filtering
from dex.report._html import Html, element, join
from dex.report._methods import methods_html
from dex.report._overview import Overview, overview_html
from dex.report._page import Section, page
from dex.report._sections import sections_of_tests
from dex.report._summary import summary
from dex.report._tables import make_room, table_meta
from dex.report._versions import parameters_html

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from dex.report._ranking import Ranking
    from dex.report._tables import Room

_EXPRESSION_BYTES = 2_000_000
_DIGITS = {3: 5, 4: 7}
"""Significant ones, by the bytes that are kept of a number."""


def compose(
    rankings: Sequence[Ranking],
    *,
    title: str,
    gene_symbols: str | None,
    n_labels: int,
    max_figures: int,
    date: str | dt.date,
) -> str:
    """Return the whole page of results of one AnnData."""
    room, arrays = make_room(rankings), Arrays()
    meta = _meta(rankings, room, arrays, gene_symbols=gene_symbols)
    figures = {"gene_symbols": gene_symbols, "n_labels": n_labels, "max_figures": max_figures}
    sections = _sections(rankings, room, meta, **figures)
    return page(title, _byline(rankings, date), sections, meta=meta, arrays=arrays)


def _meta(
    rankings: Sequence[Ranking],
    room: Room,
    arrays: Arrays,
    *,
    gene_symbols: str | None,
) -> dict[str, Any]:
    """Return what the script needs to know; the numbers go to ``arrays``."""
    adata = rankings[0].adata
    names = arrays.strings(gene_labels(adata, gene_symbols))
    results = []
    for ranking in rankings:
        described = table_meta(ranking, room, arrays)
        budget = _EXPRESSION_BYTES / len(rankings)
        described["expression"] = expression_meta(ranking, arrays, budget=budget)
        results.append(described)
    return {
        "names": names,
        "ids": names if gene_symbols is None else arrays.strings(gene_labels(adata, None)),
        "status": [STATUS_WORDS[status] for status in sorted(STATUS_WORDS)],
        "log10_padj": math.log10(rankings[0].padj),
        "digits": _DIGITS[room.planes],
        "results": results,
    }


def _sections(
    rankings: Sequence[Ranking], room: Room, meta: dict[str, Any], **figures: Any
) -> list[Section]:
    overviews = [Overview.from_ranking(ranking) for ranking in rankings]
    tests = join(
        (
            _expression_sentence(meta, rankings[0].adata.n_vars),
            sections_of_tests(rankings, room, **figures),
        )
    )
    maps = join(
        join(
            (
                element("h3", element("code", one.key)) if len(rankings) > 1 else None,
                overview_html(view),
            )
        )
        for one, view in _distinct(rankings, overviews)
    )
    return [
        Section("summary", "Summary", summary(rankings)),
        Section("design", "Data and design", data_and_design(rankings), "Data"),
        Section("filtering", "Filtering and normalisation", filtering(rankings), "Filtering"),
        Section("overview", "Principal components and distances", maps, "PCA"),
        Section("tests", "Tests", tests),
        Section(
            "diagnosis",
            "Why are there few, or too many, genes?",
            diagnosis_html(rankings, overviews),
            "Diagnosis",
        ),
        Section("methods", "Methods", methods_html(rankings)),
        Section("parameters", "Parameters and versions", parameters_html(rankings), "Parameters"),
    ]


def _distinct(
    rankings: Sequence[Ranking], overviews: Sequence[Overview]
) -> list[tuple[Ranking, Overview]]:
    """Leave out maps of observations that have been shown: only samples of cells are their own."""
    seen: dict[object, tuple[Ranking, Overview]] = {}
    for ranking, view in zip(rankings, overviews, strict=True):
        seen.setdefault(ranking.key if ranking.is_pseudobulk else "", (ranking, view))
    return list(seen.values())


def _expression_sentence(meta: dict[str, Any], n_vars: int) -> Html | None:
    n_genes = [one["expression"]["n_genes"] for one in meta["results"] if one["expression"]]
    if not n_genes:
        return element(
            "p", "Expression is not embedded: its matrix cannot be read.", class_="small"
        )
    some = (
        f" It is embedded for {plural(min(n_genes), 'gene')}, the best of every test (file size)."
    )
    said = "Click a gene to see its expression." + (some if min(n_genes) < n_vars else "")
    return element("p", said, class_="small help")


def _byline(rankings: Sequence[Ranking], date: str | dt.date) -> str:
    adata = rankings[0].adata
    n_tests = sum(len(ranking.tests) for ranking in rankings)
    size = f"{plural(adata.n_obs, 'observation')} x {plural(adata.n_vars, 'gene')}"
    return f"{date} · {size} · {plural(n_tests, 'test')} · dex {metadata.version('dex-de')}"
