"""What the tests of several rooms share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from dex.stats.design_rows import DesignRows

if TYPE_CHECKING:
    from collections.abc import Callable

settings.register_profile("dex", deadline=None)  # a busy machine is no failure
settings.load_profile("dex")


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Folder of the real data sets, with ``airway/counts.csv.gz`` and others in it."""
    root = os.environ.get("DEX_REALDATA")
    if not root:
        pytest.skip("the environment variable DEX_REALDATA does not point to the real data sets")
    folder = Path(root) / "data"
    assert folder.is_dir(), f"DEX_REALDATA={root} has no folder 'data'"
    return folder


@dataclass(frozen=True)
class Deseq2Run:
    """What DESeq2 made of a data set, by stage; genes in rows."""

    counts: np.ndarray
    """Shape ``(n_obs, n_vars)``."""
    design: np.ndarray
    size_factors: np.ndarray
    tight: pd.DataFrame
    """With tight tolerances; all stages, and the answers to all questions."""
    default: pd.DataFrame
    """At R's defaults; some stages, and the answer to the first question."""
    scalars: pd.Series
    """Of the tight run."""


_DESEQ2 = Path(__file__).parent / "reference" / "deseq2"
_SAMPLES = {
    "df1": ("few", [0, 1, 3]),
    "df2": ("few", [0, 1, 3, 4]),
    "df3": ("few", list(range(5))),
    "df4": ("few", list(range(6))),
    "df4_t": ("few", list(range(6))),
    "six": ("outliers", [*range(6), *range(7, 13)]),
    "seven": ("outliers", list(range(14))),
    "rising": ("rising", list(range(10))),
    "wide": ("wide", list(range(120))),
    "thousand": ("thousand", list(range(1000))),
}


@pytest.fixture(scope="session")
def deseq2_run() -> Callable[[str], Deseq2Run]:
    """Find a run of tests/reference/deseq2/make.R by its name."""

    def run(name: str) -> Deseq2Run:
        data, samples = _SAMPLES.get(name, ("factors", list(range(12))))
        counts = pd.read_csv(_DESEQ2 / f"{data}_counts.csv.gz", index_col=0).to_numpy(float)
        return Deseq2Run(
            np.asfortranarray(counts[:, samples].T),
            pd.read_csv(_DESEQ2 / f"{name}_design.csv.gz").to_numpy(float),
            pd.read_csv(_DESEQ2 / f"{name}_size_factors.csv.gz")["size_factor"].to_numpy(),
            pd.read_csv(_DESEQ2 / f"{name}_tight.csv.gz"),
            pd.read_csv(_DESEQ2 / f"{name}_default.csv.gz"),
            pd.read_csv(_DESEQ2 / "scalars.csv", index_col=0).loc[f"{name}_tight"],
        )

    return run


_EDGER = Path(__file__).parent / "reference" / "edger"


@dataclass(frozen=True)
class EdgerCase:
    """Simulated counts, and what edgeR makes of them: tests/reference/edger/make.R."""

    name: str

    def read(self, table):
        return pd.read_csv(_EDGER / f"{self.name}_{table}.csv.gz")

    @property
    def counts(self):
        return np.asfortranarray(self.read("counts").to_numpy(float))

    @property
    def design(self):
        return self.read("samples").to_numpy()[:, :-1]

    @property
    def rows(self):
        return DesignRows.from_design(self.design)

    @property
    def lib_sizes(self):
        return self.read("samples")["lib_size"].to_numpy()

    @property
    def depths(self):
        """Library sizes, times lengths where the case has some."""
        if self.name != "covariate":
            return self.lib_sizes
        lengths = self.read("lengths").to_numpy()
        lengths = lengths / np.exp(np.log(lengths).mean(axis=0))
        return lengths * self.lib_sizes[:, None]

    @property
    def last(self):
        """The contrast that is tested: the last coefficient."""
        return np.eye(self.design.shape[1])[-1:]

    @property
    def numbers(self):
        return self.read("numbers").set_index("name")["value"]

    @property
    def grouped(self):
        return self.rows.to_coef is not None

    def depths_of(self, genes):
        return self.depths if self.depths.ndim == 1 else self.depths[:, genes]


@pytest.fixture(scope="session")
def edger_case():
    """Cases of simulated counts by name."""
    return EdgerCase
