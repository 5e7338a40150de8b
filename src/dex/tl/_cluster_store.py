"""Clusters are written into an AnnData, whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dex.errors import InputError
from dex.results.actual import make_actual
from dex.results.store import check_key, versions

if TYPE_CHECKING:
    from anndata import AnnData

    from dex.typing import Float, Int


@dataclass(frozen=True, slots=True)
class Clustered:
    """Points in clusters."""

    labels: Int
    """From 0, the largest first, shape ``(n_points,)``."""
    consensus: Float | None = None
    """Shape ``(n_points, n_points)``."""
    stability: Float | None = None
    """Shape ``(n_points,)``."""
    ambiguous: Float | None = None
    """Share of ambiguous pairs in 1 to ``k_max`` clusters."""

    @property
    def k(self) -> int:
        """Number of clusters."""
        return int(self.labels.max()) + 1


def check_cluster_key(adata: AnnData, key: str, *, made_by: str) -> None:
    """Refuse a key that h5ad cannot hold, or under which something else lies.

    Raises
    ------
    InputError
        If the key cannot be used.
    """
    check_key(key)
    entry = adata.uns.get(key)
    if isinstance(entry, dict) and entry.get("params", {}).get("made_by") == made_by:
        return
    places = {
        f"uns[{key!r}]": entry is not None,
        f"obs[{key!r}]": key in adata.obs,
        f"var[{key!r}]": key in adata.var,
    }
    taken = [place for place, there in places.items() if there]
    if taken:
        msg = f"key_added={key!r}: adata.{taken[0]} holds something else; choose another name."
        raise InputError(msg)


def store_clusters(
    adata: AnnData,
    key: str,
    found: Clustered,
    tested: dict[str, Any],
    *,
    params: dict[str, Any],
    notes: tuple[str, ...],
    genes: Int,
) -> None:
    """Write labels, consensus and the test; what lay under the key goes."""
    of_obs = params["axis"] == "obs"
    n = adata.n_obs if of_obs else adata.n_vars
    where = np.arange(n) if of_obs else genes
    codes = np.full(n, -1, dtype=np.intp)
    codes[where] = found.labels
    levels = pd.Index([str(i + 1) for i in range(found.k)])
    entry: dict[str, Any] = {
        "k": found.k,
        **tested,
        "sizes": np.bincount(found.labels),
        "params": {name: value for name, value in params.items() if value is not None},
        "notes": np.array(notes, dtype=object),
        "versions": versions(),
    }
    make_actual(adata)
    _forget(adata, key)
    table, pairs = (adata.obs, adata.obsp) if of_obs else (adata.var, adata.varp)
    table[key] = pd.Categorical.from_codes(codes, levels)
    if found.consensus is not None:
        assert found.stability is not None
        entry["ambiguous"] = found.ambiguous
        stability = np.full(n, np.nan)
        stability[where] = found.stability
        table[f"{key}_stability"] = stability
        consensus = np.zeros((n, n))
        consensus[np.ix_(where, where)] = found.consensus
        pairs[f"{key}_consensus"] = consensus
    adata.uns[key] = entry


def _forget(adata: AnnData, key: str) -> None:
    """Take away what an earlier run has left, on either axis."""
    entry = adata.uns.pop(key, None)
    if entry is None:
        return
    of_obs = entry["params"]["axis"] == "obs"
    table: Any = adata.obs if of_obs else adata.var
    pairs = adata.obsp if of_obs else adata.varp
    for column in (key, f"{key}_stability"):
        if column in table:
            del table[column]
    if f"{key}_consensus" in pairs:
        del pairs[f"{key}_consensus"]
