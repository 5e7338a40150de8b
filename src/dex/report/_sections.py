"""The section of every test: its counts, figures, and the table that the browser fills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dex import pl
from dex._progress import progress
from dex.design.wording import plural
from dex.report._best import best_table
from dex.report._figures import figure_html
from dex.report._filtering import STATUS_WORDS
from dex.report._html import Html, element, join
from dex.report._summary import anchor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dex.report._ranking import Counted, Ranking
    from dex.report._tables import Room

_STATUS = {status.name.lower(): words for status, words in STATUS_WORDS.items()}


def sections_of_tests(
    rankings: Sequence[Ranking],
    room: Room,
    *,
    gene_symbols: str | None,
    n_labels: int,
    max_figures: int,
) -> Html:
    """Return a part that opens and closes for each test; the first is open."""
    places = [
        (number, place)
        for number, ranking in enumerate(rankings)
        for place in range(len(ranking.tests))
    ]
    parts: list[Html] = []
    for i, (number, place) in enumerate(progress(places, total=len(places), label="report")):
        ranking, figures = rankings[number], None
        if place == 0 and len(rankings) > 1:
            parts.append(element("h3", element("code", ranking.key)))
        test = ranking.tests[place]
        if i < max_figures:
            figures = _figures(ranking, test, gene_symbols=gene_symbols, n_labels=n_labels)
        parts.append(_section(ranking, test, figures, room, place=(number, place)))
    said = None
    if len(places) > max_figures:
        words = (
            f"Figures of {max_figures} of {len(places)} tests, the first (max_figures=); tables "
            "of all."
        )
        said = element("p", words, class_="note")
    return join((said, *parts))


def _section(
    ranking: Ranking,
    test: Counted,
    figures: Html | None,
    room: Room,
    *,
    place: tuple[int, int],
) -> Html:
    """``place`` is the number of the result, and of the test in it."""
    short = f"{test.n_up:,} up, {test.n_down:,} down"
    short = short if test.has_effects else f"{test.n_significant:,} changed"
    head = element("summary", test.name, " ", element("span", short, class_="small"))
    holder = element(
        "div",
        best_table(ranking, test, room),
        class_="holder",
        data_result=place[0],
        data_test=place[1],
    )
    inside = element(
        "div",
        element("p", counts_sentence(test, ranking.padj)),
        figures,
        element("h4", "Genes"),
        _table_sentence(ranking, room),
        holder,
        class_="inside",
    )
    opened = place == (0, 0)
    return element("details", head, inside, class_="test", id=anchor(*place), open=opened)


def counts_sentence(test: Counted, padj: float) -> str:
    """Say how many genes were tested, how many changed, and what became of the others."""
    n = sum(test.statuses.values()) or test.n_tested
    share = f" ({test.n_significant / test.n_tested:.1%})" if test.n_tested else ""
    sides = f": {test.n_up:,} up and {test.n_down:,} down" if test.has_effects else ""
    others = [
        f"{count:,} {_STATUS[name]}" for name, count in test.statuses.items() if name != "tested"
    ]
    rest = f" Of all {plural(n, 'gene')}, {', '.join(others)}." if others else ""
    return (
        f"{test.n_significant:,} of {plural(test.n_tested, 'gene')} tested{share} have an adjusted "
        f"p-value of at most {padj:g}{sides}.{rest}"
    )


def _table_sentence(ranking: Ranking, room: Room) -> Html | None:
    n_vars = ranking.adata.n_vars
    said = []
    if room.n_genes < n_vars:
        said.append(f"The best {room.n_genes:,} of {n_vars:,} genes by p-value (file size).")
    if room.planes == 3:
        said.append("Numbers have about five digits; dex.io.write_results writes all of them.")
    return element("p", " ".join(said), class_="small") if said else None


def _figures(ranking: Ranking, test: Counted, *, gene_symbols: str | None, n_labels: int) -> Html:
    look: dict[str, Any] = {
        "key": ranking.key,
        "padj": ranking.padj,
        "gene_symbols": gene_symbols,
        "return_fig": True,
    }
    adata = ranking.adata
    drawn = [
        figure_html(
            lambda: pl.pvalues(
                adata, test.position, key=ranking.key, kind="histogram", return_fig=True
            ),
            alt=f"Histogram of the p-values of {test.name}",
        ),
        figure_html(
            lambda: pl.heatmap(adata, test.position, groupby=ranking.groupby, **look),
            alt=f"Heatmap of the best genes of {test.name}",
        ),
    ]
    if test.has_effects:
        drawn[:0] = [
            figure_html(
                lambda: pl.volcano(adata, test.position, n_labels=n_labels, **look),
                alt=f"Volcano plot of {test.name}",
            ),
            figure_html(
                lambda: pl.ma(adata, test.position, n_labels=n_labels, **look),
                alt=f"Mean expression against fold change of {test.name}",
            ),
        ]
    return element("div", *drawn, class_="figures")
