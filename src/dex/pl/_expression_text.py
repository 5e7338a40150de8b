"""What a result says of the genes drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from dex.get import rank_genes_df
from dex.get._symbols import find_genes
from dex.pl._theme import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from anndata import AnnData

    from dex.pl._expression_source import ExpressionSource
    from dex.pl._expression_table import ExpressionTable

_N_BEST = 6
MINUS: Final = "\N{MINUS SIGN}"


def best_genes(
    adata: AnnData, *, key: str, per: str | Sequence[str] | None = None, n: int | None = None
) -> list[str]:
    """Return the ``n`` best genes of a result, by default six, of each test in turn."""
    frame = rank_genes_df(adata, key=key, per=per)
    frame = frame[frame["log10_pval"].notna()]
    turn = frame.groupby("test", sort=False).cumcount()
    in_turn = frame["gene"].iloc[np.argsort(turn.to_numpy(), kind="stable")]
    return list(dict.fromkeys(map(str, in_turn)))[: n or _N_BEST]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the result says of each gene, in words."""

    lines: tuple[str, ...]
    """One text for each gene."""
    test: str = ""
    """What the texts are of, where the groups drawn do not say it."""


def evidence(
    adata: AnnData,
    genes: Sequence[str],
    table: ExpressionTable,
    source: ExpressionSource,
    *,
    key: str,
    per: str | Sequence[str] | None = None,
    gene_symbols: str | None,
) -> Evidence | None:
    """Adjusted p-value and fold change of each gene.

    None where the result does not compare the groups drawn. Of several tests, that with the
    least p-value is named.
    """
    about = set(source.contrasted_columns())
    if not about or not about <= {table.groupby, table.hue}:
        return None
    positions = find_genes(adata, list(genes), gene_symbols)
    shown = [str(adata.var_names[j]) for j in positions]
    frame = rank_genes_df(adata, key=key, per=per)
    names = frame["test"].unique()
    by_gene = dict(list(frame[frame["gene"].isin(shown)].groupby("gene", sort=False)))
    lines = tuple(_words(by_gene[gene], named=len(names) > 1) for gene in shown)
    if table.x is not None and about == {table.groupby}:
        return Evidence(lines, f"log2fc per unit of {table.groupby}")
    elsewhere = len(names) == 1 and about != {table.groupby}
    return Evidence(lines, f"padj and log2fc: {names[0]}" if elsewhere else "")


def _words(rows: pd.DataFrame, *, named: bool) -> str:
    tested = rows[rows["log10_padj"].notna()]
    if tested.empty:
        return "no p-value"
    best = tested.nsmallest(1, "log10_pval").iloc[0]
    words = f"padj {p_text(float(best['log10_padj']))}"
    change = float(best["log2fc"])
    if np.isfinite(change):
        number = f"{change:+.2f}" if abs(change) >= 0.1 else f"{change:+#.2g}"
        words += f", log2fc {number.replace('-', MINUS)}"
    return f"{shortened(str(best['test']))}\n{words}" if named else words


def p_text(log10_p: float) -> str:
    """A p-value from its log10 to two digits, also where it underflows.

    >>> p_text(-1.4), p_text(-4.0), p_text(-1234.3)
    ('0.040', '1.0e-4', '5.0e-1235')
    """
    if log10_p > -3:
        return f"{10**log10_p:#.2g}".removesuffix(".")
    exponent = int(np.floor(log10_p))
    digits = f"{10 ** (log10_p - exponent):.1f}"
    return f"{digits}e{exponent}" if digits != "10.0" else f"1.0e{exponent + 1}"
