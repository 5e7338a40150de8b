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

from validity.methods import score

if TYPE_CHECKING:
    from validity.data_sets import DataSet

_SCRIPT = Path(__file__).parent / "r_methods.R"


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
        self._empty()
        for i, data in enumerate(data_sets):
            counts = np.rint(data.adata.X).astype(np.int32)
            counts.tofile(self.folder / f"{i}_counts.bin")  # genes of a sample are contiguous
            columns = [name for name in ("condition", "batch") if name in data.adata.obs]
            data.adata.obs[columns].to_csv(self.folder / f"{i}_samples.csv", index=False)
        pd.DataFrame(
            {
                "id": range(len(data_sets)),
                "n_genes": [data.adata.n_vars for data in data_sets],
                "n_obs": [data.adata.n_obs for data in data_sets],
            }
        ).to_csv(self.folder / "index.csv", index=False)
        shutil.copy(_SCRIPT, self.folder)
        script = f"{self.seen_as}/{_SCRIPT.name}"
        subprocess.run([*shlex.split(self.command), script, self.seen_as], check=True)
        rows = [row for i, data in enumerate(data_sets) for row in self._scores(i, data)]
        self._empty()
        return rows

    def _scores(self, i: int, data: DataSet) -> list[dict[str, Any]]:
        names = (self.folder / f"{i}_methods.txt").read_text().split()
        answers = np.fromfile(self.folder / f"{i}_answers.bin").reshape(2, len(names), -1)
        return [
            score(data, name, "R", pval=pval, padj=padj)
            for name, pval, padj in zip(names, *answers, strict=True)
        ]

    def _empty(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
