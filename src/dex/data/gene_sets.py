"""Gene sets as they are given, and as genes of an AnnData."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dex.data.gmt import read_gmt
from dex.data.source import var_of
from dex.errors import InputError
from dex.stats.gene_sets import SetIndex

if TYPE_CHECKING:
    from anndata import AnnData

    from dex.typing import Int

_VERSION = re.compile(r"^(ENS[A-Z]*\d{11}|[A-Z]{2,4}\w*\d{5,})\.\d+(_PAR_Y)?$")
"""An identifier with a version: ``ENSG00000096060.14``."""
_MOSTLY = 0.5
_SET_NAMES = ("gene_set", "set", "term", "source", "pathway", "geneset", "gs_name")
_GENE_NAMES = ("gene", "genes", "target", "genesymbol", "gene_symbol", "symbol")
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class MatchedSets:
    """Gene sets whose genes have been found."""

    names: tuple[str, ...]
    index: SetIndex
    """Positions among all genes of the AnnData."""
    n_given: Int
    """Genes of each set before they were looked for, ``(n_sets,)``."""
    column: str | None
    """Of ``var``, in which the genes were found; None is ``var_names``."""
    notes: tuple[str, ...]
    """The report."""
    warnings: tuple[str, ...] = ()


def given_sets(gene_sets: Any) -> dict[str, list[str]]:
    """Sets from a GMT file, a dict of lists, or a table with a row for each gene of a set.

    Raises
    ------
    InputError
        If it is none of these, or has no sets.
    """
    if isinstance(gene_sets, str | PathLike):
        return read_gmt(gene_sets)
    if isinstance(gene_sets, pd.DataFrame):
        gene_sets = _of_table(gene_sets)
    if not isinstance(gene_sets, Mapping):
        msg = (
            f"gene_sets= is a {type(gene_sets).__name__}; give a GMT file, a dict of lists of "
            "genes, or a DataFrame with the columns 'gene_set' and 'gene'."
        )
        raise InputError(msg)
    sets = {str(name): _genes(str(name), genes) for name, genes in gene_sets.items()}
    sets = {name: genes for name, genes in sets.items() if genes}
    if not sets:
        msg = "gene_sets= has no sets with genes."
        raise InputError(msg)
    return sets


def match_sets(adata: AnnData, gene_sets: Any, *, gene_symbols: str | None = None) -> MatchedSets:
    """Find the genes of sets among ``var_names`` or in a column of ``var``.

    Each gene is looked for as it is, then without the version of an Ensembl identifier, then
    without regard to case. Of several columns the one with most of the genes is taken.

    Raises
    ------
    InputError
        If the sets or the column cannot be used, or none of the genes is there.
    """
    sets = given_sets(gene_sets)
    wanted = list(dict.fromkeys(gene for genes in sets.values() for gene in genes))
    columns = [gene_symbols] if gene_symbols is not None else [None, *_word_columns(adata)]
    found = {column: _found(_labels(adata, column), wanted) for column in columns}
    column = max(columns, key=lambda name: len(found[name].places))
    best = found[column]
    if not best.places:
        raise InputError(_nothing(adata, wanted, columns))
    n_given = np.array([len(genes) for genes in sets.values()], dtype=np.intp)
    index = _index(sets, wanted, best.places, adata.n_vars)
    return MatchedSets(tuple(sets), index, n_given, column, *_report(best, wanted, column))


@dataclass(frozen=True, slots=True)
class _Found:
    places: dict[str, Int]
    """Of the genes found; several where a label stands for several."""
    unversioned: int
    folded: int
    """Genes found without regard to case."""
    shared: int
    """Genes whose label several rows have."""


def _found(labels: list[str], wanted: list[str]) -> _Found:
    exact, unversioned, folded = defaultdict(list), defaultdict(list), defaultdict(list)
    for j, label in enumerate(labels):
        exact[label].append(j)
        unversioned[_unversioned(label)].append(j)
        folded[label.casefold()].append(j)
    places: dict[str, Int] = {}
    how: Counter[str] = Counter()
    for gene in wanted:
        for kind, known, word in (
            ("exact", exact, gene),
            ("unversioned", unversioned, _unversioned(gene)),
            ("folded", folded, gene.casefold()),
        ):
            if word in known:
                places[gene] = np.array(known[word], dtype=np.intp)
                how[kind] += 1
                break
    shared = sum(len(rows) > 1 for rows in places.values())
    return _Found(places, how["unversioned"], how["folded"], shared)


def _index(
    sets: dict[str, list[str]], wanted: list[str], places: dict[str, Int], n_vars: int
) -> SetIndex:
    """Sets of names times places of names."""
    number = {gene: i for i, gene in enumerate(wanted)}
    named = [np.array([number[gene] for gene in genes], dtype=np.intp) for genes in sets.values()]
    none = np.empty(0, dtype=np.intp)
    of_sets = SetIndex.of(named, len(wanted)).matrix
    of_names = SetIndex.of([places.get(gene, none) for gene in wanted], n_vars).matrix
    found = of_sets @ of_names
    found.sort_indices()
    return SetIndex(found.indices.astype(np.intp), found.indptr.astype(np.intp), n_vars)


def _report(
    best: _Found, wanted: list[str], column: str | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    where = "var_names" if column is None else f"var[{column!r}]"
    n = len(best.places)
    details = [
        f"{best.unversioned:,} without their version" * bool(best.unversioned),
        f"{best.folded:,} without regard to case" * bool(best.folded),
        f"{best.shared:,} of several rows, which are all taken" * bool(best.shared),
    ]
    said = "; ".join(filter(None, details))
    note = f"{n:,} of the {len(wanted):,} genes in the sets are in {where}"
    note += f" ({said})." if said else "."
    if best.folded <= _MOSTLY * n:
        return (note,), ()
    warning = (
        "Most genes were found only without regard to case: are the sets of another species? "
        "Orthologs should be matched by a table of them."
    )
    return (note,), (warning,)


def _unversioned(label: str) -> str:
    return label.split(".", maxsplit=1)[0] if "." in label and _VERSION.match(label) else label


def _labels(adata: AnnData, column: str | None) -> list[str]:
    if column is None:
        return [str(name) for name in adata.var_names]
    var = var_of(adata)
    if column not in var:
        have = ", ".join(map(repr, var.columns)) or "none"
        msg = f"gene_symbols={column!r} is not a column of adata.var; it has {have}."
        raise InputError(msg)
    known = var[column].notna()
    pairs = zip(known, var[column], strict=True)
    return [str(label).strip() if has else "" for has, label in pairs]


def _word_columns(adata: AnnData) -> list[str]:
    var = var_of(adata)
    return [str(name) for name in var if not pd.api.types.is_numeric_dtype(var[name])]


def _nothing(adata: AnnData, wanted: list[str], columns: list[Any]) -> str:
    where = ["var_names" if name is None else f"var[{name!r}]" for name in columns]
    return (
        f"none of the {len(wanted):,} genes of the sets ({', '.join(wanted[:_SHOWN])}, ...) is in "
        f"{' or '.join(where)} ({', '.join(map(str, adata.var_names[:_SHOWN]))}, ...): put the "
        "names that the sets use into a column of adata.var, and say gene_symbols='that column'."
    )


def _genes(name: str, genes: Any) -> list[str]:
    if isinstance(genes, str) or not isinstance(genes, Iterable):
        msg = f"gene_sets: {name!r} is {genes!r}; give a list of genes."
        raise InputError(msg)
    known = (gene for gene in genes if gene is not None and gene is not pd.NA and gene == gene)  # noqa: PLR0124  # NaN is not
    words = (str(gene).strip() for gene in known)
    return list(dict.fromkeys(word for word in words if word))


def _of_table(table: pd.DataFrame) -> dict[str, list[str]]:
    """Sets of a long table, as decoupler and msigdbr have them."""
    by_case = {str(name).lower(): name for name in table.columns}
    set_column = next((by_case[name] for name in _SET_NAMES if name in by_case), None)
    gene_column = next((by_case[name] for name in _GENE_NAMES if name in by_case), None)
    if set_column is None or gene_column is None:
        msg = (
            f"gene_sets has the columns {', '.join(map(repr, table.columns))}; a table of sets "
            "needs 'gene_set' and 'gene', a row for each gene of a set."
        )
        raise InputError(msg)
    grouped = table.groupby(set_column, observed=True, sort=False)[gene_column]
    return {str(name): list(genes) for name, genes in grouped}
