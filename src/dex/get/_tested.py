"""What a stored result was made of, made again from its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.data import Expression, Source
from dex.data.pseudobulk import Samples, pseudobulk
from dex.data.scale import Scale
from dex.data.source import obs_of
from dex.data.sums import Sums
from dex.results.schema import SIZE_FACTORS

if TYPE_CHECKING:
    import pandas as pd

    from dex.results import StoredResult
    from dex.typing import Float, Int


@dataclass(frozen=True, slots=True)
class Tested:
    """A matrix, its observations, and how its counts are normalised."""

    source: Source
    obs: pd.DataFrame
    size_factors: str = "auto"
    divisors: Float | None = None
    """What the counts were divided by, ``(n_obs,)``: NaN where an observation was not used."""
    scale: Scale | None = None
    """What counts were normalised to; None where nothing was."""

    @classmethod
    def by(cls, stored: StoredResult) -> Tested:
        """Find the matrix that a result was made of; cells are added up again."""
        params, samples = stored.params, samples_of(stored)
        if samples is not None:
            layer = params.get("sample_layer")
            cells = Source.from_adata(stored.adata, layer=layer, scale="counts", unit="cells")
            source, obs = pseudobulk(cells, samples), samples.obs
            names, factors = params["sample_names"], params["sample_size_factors"]
            known = dict(zip(names, factors, strict=True))
            return cls(
                source,
                obs,
                _method(params),
                np.array([known.get(i, np.nan) for i in obs.index]),
                _normalised_scale(params),
            )
        source = Source.from_adata(
            stored.adata,
            layer=params.get("layer"),
            scale=params["source_scale"],
            unit=params["unit"],
        )
        obs = obs_of(stored.adata)
        column = f"{stored.key}_{SIZE_FACTORS}"
        divisors = obs[column].to_numpy(dtype=np.float64) if column in obs else None
        return cls(source, obs, _method(params), divisors, _normalised_scale(params))

    def expression(self, genes: Int) -> Expression:
        """Values of some genes, ``genes`` sorted positions, in all observations.

        Counts are divided by what they were divided by for the test, whichever genes are left.
        """
        return Expression.from_source(
            self.source,
            np.arange(len(self.obs)),
            genes,
            size_factors=self.size_factors,
            obs=self.obs,
            divisors=self._complete_divisors(),
            scale=self.scale,
        )

    def _complete_divisors(self) -> Float | None:
        """Observations that were not used get what their totals call for."""
        if self.divisors is None or np.isnan(self.divisors).all():
            return None
        missing = np.isnan(self.divisors)
        if not missing.any():
            return self.divisors
        totals = Sums.of(self.source, np.arange(len(self.obs))).totals
        per_count = np.median(self.divisors[~missing] / np.maximum(totals[~missing], 1.0))
        return np.where(missing, np.maximum(totals, 1.0) * per_count, self.divisors)


def _method(params: dict[str, Any]) -> str:
    """How counts were normalised; the first version of results did so by library size."""
    return str(
        params.get("size_factors")
        or ("library" if params.get("source_scale") == "counts" else "auto")
    )


def _normalised_scale(params: dict[str, Any]) -> Scale | None:
    return Scale(params["scale"]) if params["source_scale"] == Scale.COUNTS else None


def samples_of(stored: StoredResult) -> Samples | None:
    """Return the samples that cells were added up into for a result, if they were."""
    params = stored.params
    if "sample_by" not in params:
        return None
    by = [str(name) for name in params["sample_by"]]
    return Samples.from_obs(obs_of(stored.adata), by, min_cells=int(params["min_cells"]))
