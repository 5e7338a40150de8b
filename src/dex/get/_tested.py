"""What a stored result was made of, made again from its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dex.data import Expression, Source
from dex.data.pseudobulk import Samples, pseudobulk
from dex.data.source import obs_of

if TYPE_CHECKING:
    import pandas as pd

    from dex.results import StoredResult
    from dex.typing import Int


@dataclass(frozen=True, slots=True)
class Tested:
    """A matrix, its observations, and how its counts are normalised."""

    source: Source
    obs: pd.DataFrame
    size_factors: str = "auto"

    @classmethod
    def by(cls, stored: StoredResult) -> Tested:
        """Find the matrix that a result was made of; cells are added up again."""
        params = stored.params
        factors = params.get("size_factors") or "auto"
        samples = samples_of(stored)
        if samples is not None:
            layer = params.get("sample_layer")
            cells = Source.from_adata(stored.adata, layer=layer, scale="counts", unit="cells")
            return cls(pseudobulk(cells, samples), samples.obs, factors)
        source = Source.from_adata(
            stored.adata,
            layer=params.get("layer"),
            scale=params["source_scale"],
            unit=params["unit"],
        )
        return cls(source, obs_of(stored.adata), factors)

    def expression(self, genes: Int) -> Expression:
        """Values of some genes, ``genes`` sorted positions, in all observations."""
        return Expression.from_source(
            self.source,
            np.arange(len(self.obs)),
            genes,
            size_factors=self.size_factors,
            obs=self.obs,
        )


def samples_of(stored: StoredResult) -> Samples | None:
    """Return the samples that cells were added up into for a result, if they were."""
    params = stored.params
    if "sample_by" not in params:
        return None
    by = [str(name) for name in params["sample_by"]]
    return Samples.from_obs(obs_of(stored.adata), by, min_cells=int(params["min_cells"]))
