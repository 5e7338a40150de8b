"""Names that people know, in place of ``var_names``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from dex.design.wording import did_you_mean, listed, plural
from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData

_NUMBERED = re.compile(r"\d{5}")
"""In ids such as Ensembl's, which a similar one is no better spelling of."""
_MOST_IDS = 5


def gene_labels(adata: AnnData, gene_symbols: str | None) -> list[str]:
    """Return ``var[gene_symbols]``, and ``var_names`` where it has nothing or is not given.

    Raises
    ------
    InputError
        If ``var`` has no such column.
    """
    names = [str(name) for name in adata.var_names]
    if gene_symbols is None:
        return names
    if gene_symbols not in adata.var:
        msg = (
            f"gene_symbols={gene_symbols!r} is not a column of adata.var; "
            f"it has {', '.join(map(repr, adata.var.columns)) or 'none'}."
        )
        raise InputError(msg)
    symbols = adata.var[gene_symbols]
    known = symbols.notna() & (symbols.astype(str).str.strip() != "")
    pairs = zip(known, symbols, names, strict=True)
    return [str(symbol) if has else name for has, symbol, name in pairs]


def find_genes(adata: AnnData, genes: list[str], gene_symbols: str | None) -> list[int]:
    """Positions of genes given by ``var_names`` or by symbol.

    Raises
    ------
    InputError
        If a gene is in neither, or if it is the symbol of several genes and no ``var_name``.
    """
    ids = gene_labels(adata, None)
    by_id: dict[str, int] = {}
    for position, name in enumerate(ids):
        by_id.setdefault(name, position)
    symbols = ids if gene_symbols is None else gene_labels(adata, gene_symbols)
    by_symbol: dict[str, list[int]] = {}
    for position, symbol in enumerate(symbols):
        by_symbol.setdefault(symbol, []).append(position)
    missing = [gene for gene in genes if gene not in by_id and gene not in by_symbol]
    if missing:
        where = "var_names" + (f" or var[{gene_symbols!r}]" if gene_symbols else "")
        msg = f"{len(missing)} of {plural(len(genes), 'gene')} {_not_in(missing)} {where}: "
        raise InputError(msg + f"{missing[:5]}.{_advice(adata, missing, [*ids, *symbols])}")
    for gene in genes:
        if gene not in by_id and len(by_symbol[gene]) > 1:
            raise InputError(_shared(gene, [ids[j] for j in by_symbol[gene]], gene_symbols))
    return [by_id[gene] if gene in by_id else by_symbol[gene][0] for gene in genes]


def gene_ids(adata: AnnData, genes: Sequence[str], gene_symbols: str | None) -> list[str]:
    """Return the ``var_names`` of genes given by these or by symbol; errors as ``find_genes``."""
    return [str(adata.var_names[j]) for j in find_genes(adata, list(genes), gene_symbols)]


def _not_in(missing: list[str]) -> str:
    return "is not in" if len(missing) == 1 else "are not in"


def _shared(gene: str, ids: list[str], gene_symbols: str | None) -> str:
    return (
        f"{gene!r} in adata.var[{gene_symbols!r}] names {plural(len(ids), 'gene')}: "
        f"{listed(ids, limit=_MOST_IDS)}; give their var_names."
    )


def _advice(adata: AnnData, missing: list[str], labels: list[str]) -> str:
    """Say which column of ``var`` holds the names, else the nearest name that there is."""
    for column in adata.var.columns:
        values = adata.var[column]
        if pd.api.types.is_numeric_dtype(values):  # booleans are, too
            continue
        found = [gene for gene in missing if (values == gene).any()]
        if found:
            return f" adata.var[{column!r}] has {found[0]!r}: give gene_symbols={column!r}."
    return did_you_mean(missing[0], _near(str(missing[0]), labels))


def _near(name: str, labels: list[str]) -> list[str]:
    """Names that a misspelling may stand for; of ids with numbers the same one, unversioned."""
    low = name.lower()
    if _NUMBERED.search(low):
        stem = low.split(".")[0]
        return [label for label in labels if label.lower().split(".")[0] == stem]
    return [
        label
        for label in labels
        if label.lower()[:1] == low[:1] and abs(len(label) - len(name)) <= 2
    ]
