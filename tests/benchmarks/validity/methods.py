"""What is run on a data set, and how its answer is scored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import dex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from validity.data_sets import DataSet

LEVELS = (0.01, 0.05, 0.10)
DEFAULT = "edger"
_SAMPLES = (
    "edger",
    "edger_lrt",
    "edger_exact",
    "deseq2",
    "deseq2_quasi",
    "limma",
    "limma_voom",
    "ols",
    "t-test",
    "t-test-student",
    "wilcoxon",
)
_WITH_COVARIATES = (
    "edger",
    "edger_lrt",
    "deseq2",
    "deseq2_quasi",
    "limma",
    "limma_voom",
    "ols",
)
_DONOR = "replicate"
_CELLS: dict[str, dict[str, Any]] = {
    "cells: wilcoxon": {"method": "wilcoxon", "replicate": None},
    "cells: van Elteren": {"method": "wilcoxon", "replicate": None, "block": _DONOR},
    "cells: t-test": {"method": "t-test", "replicate": None},
    "default": {"replicate": _DONOR},
    "edger, paired": {"method": "edger", "replicate": _DONOR, "design": "~ replicate + condition"},
    "deseq2, paired": {
        "method": "deseq2",
        "replicate": _DONOR,
        "design": "~ replicate + condition",
    },
    "limma_voom, paired": {
        "method": "limma_voom",
        "replicate": _DONOR,
        "design": "~ replicate + condition",
    },
    "t-test, paired": {"method": "t-test-paired", "replicate": _DONOR, "block": _DONOR},
    "mixed": {"method": "mixed", "replicate": _DONOR, "block": _DONOR},
}
_REPEATS: dict[str, dict[str, Any]] = {
    "samples: edger": {"method": "edger", "replicate": None},
    "samples: limma": {"method": "limma", "replicate": None},
    "donors: edger": {"method": "edger", "replicate": _DONOR},
    "limma, block": {"method": "limma", "replicate": None, "block": _DONOR},
    "limma_voom, block": {"method": "limma_voom", "replicate": None, "block": _DONOR},
    "mixed, block": {"method": "mixed", "replicate": None, "block": _DONOR},
    "mixed, voom, block": {"method": "mixed", "replicate": None, "block": _DONOR, "voom": True},
}


def methods_of(data: DataSet) -> dict[str, dict[str, Any]]:
    """Options of ``rank_genes`` by name."""
    if data.part == "V5":
        samples = {name: {"unit": "samples"} | one for name, one in _REPEATS.items()}
        return samples if data.scenario == "repeats" else _CELLS
    names = _WITH_COVARIATES if "design" in data.asked else _SAMPLES
    options: dict[str, dict[str, Any]] = {name: {"method": name} for name in names}
    options["edger, robust"] = {"method": "edger", "robust": True}
    return {name: {"unit": "samples"} | one for name, one in options.items()}


def scores_of(data: DataSet, only: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Scores of all of dex's methods on a data set, or of some of them."""
    rows = []
    for name, options in methods_of(data).items():
        if only and name not in only:
            continue
        adata = data.adata
        dex.tl.rank_genes(adata, **(data.asked | options))
        pval, padj = (adata.var[f"rank_genes_{column}"].to_numpy() for column in ("pval", "padj"))
        rows.append(score(data, name, "dex", pval=pval, padj=padj))
    return rows


def score(
    data: DataSet, method: str, by: str, *, pval: np.ndarray, padj: np.ndarray
) -> dict[str, Any]:
    """Shares of false discoveries, of the changed found, and of small p-values of the unchanged."""
    changed = data.changed
    null = np.isfinite(pval) & ~changed
    row: dict[str, Any] = {
        "part": data.part,
        "scenario": data.scenario,
        "n": data.n,
        "seed": data.seed,
        "method": method,
        "by": by,
    }
    for level in LEVELS:
        found = padj < level
        row[f"fdp_{level}"] = (found & ~changed).sum() / max(found.sum(), 1)
        row[f"power_{level}"] = (found & changed).sum() / changed.sum() if changed.any() else np.nan
    for level in (0.05, 0.001):
        row[f"p_{level}"] = (pval[null] < level).mean()
    row["n_tested"] = int(np.isfinite(pval).sum())
    row["n_found"] = int((padj < 0.05).sum())
    return row
