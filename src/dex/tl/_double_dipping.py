"""Labels that were made of the very values that are then tested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from dex.data.scale import LAYERS_KEY
from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData

DoubleDipping = Literal["warn", "allow"]
_GRAPH_PARAMS = {"resolution", "random_state"}
"""What scanpy's leiden and louvain leave in ``uns[key]["params"]``, beside ``obs[key]``."""


def dipped_warning(
    adata: AnnData,
    compared: Sequence[str],
    double_dipping: DoubleDipping,
    *,
    layer: str | None = None,
) -> tuple[str, ...]:
    """Warn of the first of the columns compared that holds clusters of this AnnData.

    Clusters of one part of split counts are for the other part, ``layer``. Of scanpy's it is not
    known what they are of: of the other part, if it is the second that is tested.

    Raises
    ------
    InputError
        If ``double_dipping`` is neither ``"warn"`` nor ``"allow"``.
    """
    if double_dipping not in {"warn", "allow"}:
        msg = f"double_dipping={double_dipping!r} is not known; it is 'warn' or 'allow'."
        raise InputError(msg)
    clusters = clusters_among(adata, compared, layer)
    if not clusters or double_dipping == "allow":
        return ()
    return (
        f"obs[{clusters[0]!r}] are clusters of these very values, made to differ: the genes are a "
        "ranking, and their p-values are far too small even if there are no clusters "
        "(double dipping). Valid are conditions within clusters, other data, or counts split by "
        "dex.pp.split_counts, one part clustered and the other tested; double_dipping='allow' "
        "silences this.",
    )


def clusters_among(adata: AnnData, columns: Sequence[str], layer: str | None) -> list[str]:
    """Columns that hold clusters of the values of ``layer``."""
    return [
        name
        for name in columns
        if _made_here(adata.uns.get(name)) and not _of_other_part(adata, name, layer)
    ]


def _made_here(entry: Any) -> bool:
    """Whether ``uns[key]`` is left by a clustering of observations, ours or scanpy's."""
    params = entry.get("params") if isinstance(entry, dict) else None
    if not isinstance(params, dict):
        return False
    if params.get("made_by") == "dex.tl.cluster":
        return params.get("axis") == "obs"
    return params.keys() >= _GRAPH_PARAMS


def _of_other_part(adata: AnnData, key: str, layer: str | None) -> bool:
    """Whether clusters are of the part of split counts that is not tested."""
    records = adata.uns.get(LAYERS_KEY, {})
    tested = records.get(layer, {}) if layer is not None else {}
    if "split" not in tested:
        return False
    params = adata.uns[key]["params"]
    if params.get("made_by") != "dex.tl.cluster":
        return str(layer).endswith("_test")
    other = params.get("layer")
    return bool(other != layer and records.get(other, {}).get("split") == tested["split"])
