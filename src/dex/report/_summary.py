"""What was found, in one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dex.design.wording import plural
from dex.report._html import NOTHING, Html, bullets, element, join, table
from dex.report._shared import shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dex.report._ranking import Counted, Ranking


def summary(rankings: Sequence[Ranking]) -> Html:
    """Return a row for every test, and what was said while the results were made."""
    return join((*(_of_one(*numbered) for numbered in enumerate(rankings)), _notes(rankings)))


def _notes(rankings: Sequence[Ranking]) -> Html | None:
    """Return what was said of all results, then of each."""
    said = shared([ranking.stored.notes for ranking in rankings])
    parts = [bullets(said.common, class_="small")] if said.common else []
    for ranking, own in zip(rankings, said.rest, strict=True):
        if own:
            parts.append(element("p", element("code", ranking.key), ":", class_="small"))
            parts.append(bullets(own, class_="small"))
    return join((element("h3", "What dex said on the way"), *parts)) if parts else None


def anchor(result: int, test: int) -> str:
    """Return the id of the section of a test, by its place in the report."""
    return f"test-{result + 1}-{test + 1}"


def _of_one(number: int, ranking: Ranking) -> Html:
    header = ("Test", "Observations", "Genes tested", "Up", "Down", "Top genes")
    rows = [
        (
            element("a", test.name, href=f"#{anchor(number, place)}"),
            test.sides,
            test.n_tested,
            *_changes(test),
            _top(test),
        )
        for place, test in enumerate(ranking.tests)
    ]
    named = number or ranking.key != "rank_genes"
    caption = f"Genes with an adjusted p-value of at most {ranking.padj:g}"
    return join(
        (
            element("h3", element("code", ranking.key)) if named else None,
            element("p", _method_sentence(ranking)),
            table(header, rows, caption=caption, class_="counts"),
        )
    )


def _changes(test: Counted) -> tuple[Html | str, Html | str]:
    if not test.has_effects:
        return element("span", f"{test.n_significant:,}", title="changed, either way"), NOTHING
    up = element("span", f"{test.n_up:,}", class_="up")
    return up, element("span", f"{test.n_down:,}", class_="down")


def _top(test: Counted) -> Html:
    """Return the best genes up and down; where none is significant, the best there are."""
    if not test.n_significant:
        return element("span", "none; best: ", _genes(test.top) or NOTHING, class_="small")
    if not test.has_effects:
        return _genes(test.top)
    sides = (("↑ ", test.top_up, "up"), ("↓ ", test.top_down, "down"))
    lines = [
        join((element("span", arrow, class_=side), _genes(genes)))
        for arrow, genes, side in sides
        if genes
    ]
    return join(lines, Html("<br>"))


def _genes(names: Sequence[str]) -> Html:
    """List names that are not broken at their hyphens."""
    return join((element("span", name, class_="g") for name in names), ", ")


def _method_sentence(ranking: Ranking) -> str:
    params = ranking.params
    title = str(params.get("method_title", params.get("method", "")))
    design = f" with the design {params['design']}" if params.get("design") else ""
    lfc = float(params.get("lfc", 0) or 0)
    against = f", against changes of up to {lfc:g} in log2" if lfc else ""
    n = int(params.get("n_obs", len(ranking.obs)))
    added = f", made of cells by {params['replicate']}" if ranking.is_pseudobulk else ""
    if ranking.per is not None:
        added += f", each level of {ranking.per} by itself"
    first = title[:1].upper() + title[1:]
    return f"{first}{design}{against}, on {plural(n, ranking.unit.removesuffix('s'))}{added}."
