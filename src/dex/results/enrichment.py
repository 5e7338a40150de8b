"""The table of tested gene sets: to and from ``adata.uns``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dex.errors import InputError
from dex.results.store import check_key, versions
from dex.results.swap import Entries, Stale, swap

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray

ENRICH_COLUMNS = {
    "contrast": "Test of the result that the sets were tested in.",
    "gene_set": "Name of the set.",
    "method": "How it was tested.",
    "direction": "'up', 'down', or 'any' where genes were chosen without regard to direction.",
    "n_genes": "Genes of the set that were found and tested.",
    "n_given": "Genes of the set as it was given.",
    "score": "Statistic, positive for up: t of camera, fry and ulm, z of roast, the enrichment "
    "score of gsea; of ora the fold enrichment, whatever the direction.",
    "nes": "Normalised enrichment score (gsea).",
    "pval": "p-value; two-sided, but for ora, which tests each direction by itself.",
    "padj": "pval adjusted for all sets tested in the contrast (and direction, for ora).",
    "log10_pval": "log10 of pval, right also where pval underflows to 0.",
    "log10_padj": "log10 of padj, likewise.",
    "log2err": "Expected error of log2 pval (gsea).",
    "correlation": "Between genes of the set, over samples: estimated or given (camera).",
    "n_overlap": "Genes of the set among those chosen (ora).",
    "pval_mixed": "p-value of any change, in whatever direction (fry, roast).",
    "padj_mixed": "pval_mixed adjusted for all sets.",
    "log10_pval_mixed": "log10 of pval_mixed.",
    "log10_padj_mixed": "log10 of padj_mixed.",
    "representative": "The best set of the same contrast and direction that this one overlaps "
    "with; its own name where it stands for itself.",
    "leading_edge": "Genes that carry the result, the strongest first, between semicolons.",
}
"""Columns of the table, in their order."""
_WORDS = ("contrast", "gene_set", "method", "direction", "representative", "leading_edge")
_FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class StoredSets:
    """Sets that were tested, as genes of the AnnData."""

    names: tuple[str, ...]
    genes: tuple[tuple[str, ...], ...]
    """``var_names`` of each set."""


@dataclass(frozen=True, slots=True)
class Enrichment:
    """All that a test of gene sets leaves behind."""

    table: dict[str, NDArray[Any]]
    """Columns by their names in ``ENRICH_COLUMNS``, one row per contrast, set and direction."""
    sets: StoredSets
    params: dict[str, Any]
    notes: tuple[str, ...]


def store_enrichment(adata: AnnData, found: Enrichment, *, key: str) -> None:
    """Write it to ``uns[key]``, whole or not at all."""
    unknown = set(found.table) - set(ENRICH_COLUMNS)
    if unknown:
        msg = f"columns {sorted(unknown)} are not in the schema"
        raise KeyError(msg)
    columns = [name for name in ENRICH_COLUMNS if name in found.table]
    members, genes = pd.factorize(
        np.array([gene for one in found.sets.genes for gene in one], dtype=object)
    )
    sizes = [len(one) for one in found.sets.genes]
    entry = {
        "kind": "enrichment",
        "columns": _strings(columns),
        "table": {
            name: _strings(found.table[name]) if name in _WORDS else found.table[name]
            for name in columns
        },
        "sets": {
            "names": _strings(found.sets.names),
            "genes": _strings(genes),
            "starts": np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            "members": members.astype(np.int32),
        },
        "params": {name: value for name, value in found.params.items() if value is not None},
        "notes": _strings(found.notes),
        "versions": versions(),
        "format_version": _FORMAT_VERSION,
    }
    swap(adata, key, Stale(), Entries(entry, {}))


def check_enrichment_free(adata: AnnData, key: str) -> None:
    """Refuse a key under which something else lies.

    Raises
    ------
    InputError
        If ``adata.uns[key]`` is no table of gene sets, or the key cannot be written to a file.
    """
    check_key(key)
    if key in adata.uns and not is_enrichment(adata.uns[key]):
        msg = f"key_added={key!r}: adata.uns[{key!r}] holds something else; choose another name."
        raise InputError(msg)


def read_enrichment(adata: AnnData, key: str) -> Enrichment:
    """Find what :func:`dex.tl.enrich` left under ``key``.

    Raises
    ------
    InputError
        If there is nothing of the kind.
    """
    entry: Any = adata.uns.get(key)
    if not is_enrichment(entry):
        have = [name for name, value in adata.uns.items() if is_enrichment(value)]
        there = f"there are tables under {have}" if have else "there are none yet"
        msg = f"key={key!r} holds no tested gene sets; {there}: run dex.tl.enrich first."
        raise InputError(msg)
    held, starts = entry["sets"], np.asarray(entry["sets"]["starts"])
    genes, members = np.asarray(held["genes"], dtype=object), np.asarray(held["members"])
    parts = np.split(genes[members], starts[1:-1]) if len(starts) > 1 else []
    sets = StoredSets(
        tuple(map(str, held["names"])), tuple(tuple(map(str, part)) for part in parts)
    )
    table = {str(name): np.asarray(entry["table"][str(name)]) for name in entry["columns"]}
    return Enrichment(table, sets, dict(entry["params"]), tuple(map(str, entry["notes"])))


def is_enrichment(value: Any) -> bool:
    """Whether an entry of ``uns`` is a table of gene sets of ours."""
    return isinstance(value, dict) and str(value.get("kind", "")) == "enrichment"


def _strings(words: Any) -> NDArray[Any]:
    return np.array([str(word) for word in words], dtype=object)
