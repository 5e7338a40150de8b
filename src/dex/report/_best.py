"""The best genes of a test as a plain table: for paper, and until the script has its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex.design.wording import plural
from dex.report._html import NOTHING, Html, element, join
from dex.report._tables import column_meta, columns_of

if TYPE_CHECKING:
    from dex.report._ranking import Counted, Ranking
    from dex.report._tables import Room

_ROWS = 25
"""As many as a page of the table that the script makes."""
_PLAIN = -3.0
"""log10 of a p-value; smaller ones have an exponent."""


def best_table(ranking: Ranking, test: Counted, room: Room) -> Html:
    """Return the best genes with their numbers, and say how many there are."""
    genes = ranking.order(test)[:_ROWS]
    names = [name for name in columns_of(ranking, room) if name != "status"]
    values = {name: ranking.column(name, test)[genes] for name in names}
    kinds = {name: column_meta(name) for name in names if not np.isnan(values[name]).all()}
    heads = (element("th", one["label"], scope="col", class_="n") for one in kinds.values())
    rows = []
    for i, gene in enumerate(genes):
        cells = (
            element("td", _written(float(values[name][i]), one["kind"]), class_="n")
            for name, one in kinds.items()
        )
        rows.append(element("tr", element("td", ranking.labels[gene]), *cells))
    head = element("thead", element("tr", element("th", "gene", scope="col"), *heads))
    of = "" if len(rows) == ranking.adata.n_vars else f" of {ranking.adata.n_vars:,}"
    said = element("p", f"The best {plural(len(rows), 'gene')}{of} by p-value.", class_="small")
    table = element("table", head, element("tbody", *rows))
    return join((said, element("div", table, class_="genes")))


def _written(value: float, kind: str) -> str:
    """Write a number as the script does.

    >>> [_written(-4.3, "p"), _written(-1.0, "p"), _written(0.42, "fraction"), _written(2.0, "")]
    ['5.0e-5', '0.10', '42 %', '2.00']
    """
    if np.isnan(value):
        return NOTHING
    if kind == "p":
        return pvalue_words(value)
    if kind == "fraction":
        return f"{100 * value:.0f} %"
    return number_words(value)


def pvalue_words(log10: float) -> str:
    """Write a p-value from its log10, right also where it is 0 in double precision.

    >>> pvalue_words(-400.2), pvalue_words(-4.00001), pvalue_words(0.0)
    ('1e-400', '1.0e-4', '1.0')
    """
    if np.isneginf(log10):
        return "0"
    if log10 > _PLAIN:
        return f"{10**log10:#.2g}"
    if log10 < -100:
        return f"1e{round(log10)}"
    exponent = int(np.floor(log10))
    digits = f"{10 ** (log10 - exponent):.1f}"
    return f"1.0e{exponent + 1}" if digits == "10.0" else f"{digits}e{exponent}"


def number_words(value: float) -> str:
    """Write three digits or more.

    >>> number_words(1234.5), number_words(-0.0625), number_words(0.00012)
    ('1234', '\N{MINUS SIGN}0.062', '1.2e\N{MINUS SIGN}4')
    """
    size = abs(value)
    if np.isinf(size):
        words = "∞" if value > 0 else "-∞"
    elif size != 0 and (size < 1e-3 or size >= 1e6):
        digits, exponent = f"{value:.1e}".split("e")
        words = f"{digits}e{int(exponent)}"
    else:
        decimals = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 0.1 or not size else 3
        words = f"{value:.{decimals}f}"
    return words.replace("-", "\N{MINUS SIGN}")
