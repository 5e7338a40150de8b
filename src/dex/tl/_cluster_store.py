"""Clusters are written into an AnnData, whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dex.errors import InputError
from dex.results.store import check_key, versions
from dex.results.swap import Entries, Stale, swap
from dex.tl._learning import spread

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
        f"obs['{key}_stability']": f"{key}_stability" in adata.obs,
        f"var['{key}_stability']": f"{key}_stability" in adata.var,
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
    column = pd.Categorical.from_codes(codes, levels)
    columns: dict[str, Any] = {key: column}
    pairs: dict[str, Any] = {}
    if found.consensus is not None:
        assert found.stability is not None
        entry["ambiguous"] = found.ambiguous
        columns[f"{key}_stability"] = spread(found.stability, where, n)
        consensus = np.zeros((n, n))
        consensus[np.ix_(where, where)] = found.consensus
        pairs[f"{key}_consensus"] = consensus
    new = (
        Entries(entry, {}, obs=columns, obsp=pairs)
        if of_obs
        else Entries(entry, {}, var=columns, varp=pairs)
    )
    swap(adata, key, _stale(adata.uns.get(key), key), new)


def _stale(entry: Any, key: str) -> Stale:
    """Return what an earlier run has left, on either axis."""
    if entry is None:
        return Stale()
    columns, pairs = (key, f"{key}_stability"), (f"{key}_consensus",)
    if entry["params"]["axis"] == "obs":
        return Stale(obs=columns, obsp=pairs)
    return Stale(var=columns, varp=pairs)
