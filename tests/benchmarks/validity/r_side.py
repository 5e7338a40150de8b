"""R's methods on the same counts."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import dex
from validity.methods import score

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anndata import AnnData

    from validity.data_sets import DataSet

_SCRIPT = Path(__file__).parent / "r_methods.R"
_COVARIATES = ("condition", "batch", "replicate")
_OF_DONORS = {
    ("cells", ""): {"edger": "default"},
    ("cells", ", paired"): {name: f"{name}, paired" for name in ("edger", "deseq2", "limma_voom")},
    ("repeats", ""): {"edger": "donors: edger"},
}
"""What dex's methods on sums of donors are called, by R's name of the test."""


@dataclass(frozen=True)
class Question:
    """Counts to be tested by R, and what its answers are called."""

    data: DataSet
    counts: AnnData
    """Samples x genes, of which some of the data's genes may be missing."""
    names: dict[str, str] | None = None
    """Methods to keep, by R's name; by default all, by that name."""


@dataclass(frozen=True)
class RSide:
    """How R is called, and where files meet."""

    command: str
    """``Rscript``, with whatever leads into its container."""
    folder: Path
    """For files, emptied before and after."""
    seen_as: str
    """The same folder as R sees it."""

    def scores_of(self, data_sets: list[DataSet]) -> list[dict[str, Any]]:
        """Scores of R's methods on some data sets, in one run of R."""
        asked = [one for data in data_sets for one in questions(data)]
        self._empty()
        for i, one in enumerate(asked):
            counts = np.rint(one.counts.X).astype(np.int32)
            counts.tofile(self.folder / f"{i}_counts.bin")  # genes of a sample are contiguous
            one.counts.obs.to_csv(self.folder / f"{i}_samples.csv", index=False)
        pd.DataFrame(
            {
                "id": range(len(asked)),
                "n_genes": [one.counts.n_vars for one in asked],
                "n_obs": [one.counts.n_obs for one in asked],
            }
        ).to_csv(self.folder / "index.csv", index=False)
        shutil.copy(_SCRIPT, self.folder)
        script = f"{self.seen_as}/{_SCRIPT.name}"
        subprocess.run([*shlex.split(self.command), script, self.seen_as], check=True)
        rows = [row for i, one in enumerate(asked) for row in self._scores(i, one)]
        self._empty()
        return rows

    def _scores(self, i: int, asked: Question) -> Iterator[dict[str, Any]]:
        names = (self.folder / f"{i}_methods.txt").read_text().split()
        answers = np.fromfile(self.folder / f"{i}_answers.bin").reshape(2, len(names), -1)
        genes = asked.data.adata.var_names.get_indexer(asked.counts.var_names)
        everywhere = np.full((2, len(names), asked.data.adata.n_vars), np.nan)
        everywhere[:, :, genes] = answers
        kept = dict(zip(names, names, strict=True)) if asked.names is None else asked.names
        for name, pval, padj in zip(names, *everywhere, strict=True):
            if name in kept:
                yield score(asked.data, kept[name], "R", pval=pval, padj=padj)

    def _empty(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)


def questions(data: DataSet) -> Iterator[Question]:
    """The data set itself, or the sums of its donors, with a design or two."""
    if data.part != "V5":
        yield Question(data, _with_covariates(data.adata, _COVARIATES[:2]))
        return
    sums = dex.pp.pseudobulk(data.adata, "replicate", groupby="condition", min_cells=1)
    for (scenario, design), names in _OF_DONORS.items():
        if not data.scenario.startswith(scenario):
            continue
        covariates = _COVARIATES if design else _COVARIATES[:1]
        formula = "~ replicate + condition" if design else "~ condition"
        kept = dex.pp.filter_genes(sums, design=formula, inplace=False)
        yield Question(data, _with_covariates(sums[:, kept], covariates), names)


def _with_covariates(adata: AnnData, names: tuple[str, ...]) -> AnnData:
    adata = adata.copy()
    adata.obs = adata.obs[[name for name in names if name in adata.obs]]
    return adata
