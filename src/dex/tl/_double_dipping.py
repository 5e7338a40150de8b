"""Labels that were made of the very values that are then tested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData

DoubleDipping = Literal["warn", "allow"]
_GRAPH_PARAMS = {"resolution", "random_state"}
"""What scanpy's leiden and louvain leave in ``uns[key]["params"]``, beside ``obs[key]``."""


def dipped_warning(
    adata: AnnData, compared: Sequence[str], double_dipping: DoubleDipping
) -> tuple[str, ...]:
    """Warn of the first of the columns compared that holds clusters of this AnnData.

    Raises
    ------
    InputError
        If ``double_dipping`` is neither ``"warn"`` nor ``"allow"``.
    """
    if double_dipping not in {"warn", "allow"}:
        msg = f"double_dipping={double_dipping!r} is not known; it is 'warn' or 'allow'."
        raise InputError(msg)
    clusters = [name for name in compared if _made_here(adata.uns.get(name))]
    if not clusters or double_dipping == "allow":
        return ()
    return (
        f"obs[{clusters[0]!r}] are clusters of these very values, made to differ: the genes are a "
        "ranking, and their p-values are far too small even if there are no clusters "
        "(double dipping). Valid are conditions within clusters, other data, or one half of split "
        "counts clustered and the other tested; double_dipping='allow' silences this.",
    )


def _made_here(entry: Any) -> bool:
    """Whether ``uns[key]`` is left by a clustering of observations, ours or scanpy's."""
    params = entry.get("params") if isinstance(entry, dict) else None
    if not isinstance(params, dict):
        return False
    if params.get("made_by") == "dex.tl.cluster":
        return params.get("axis") == "obs"
    return params.keys() >= _GRAPH_PARAMS
