"""Put entries into an AnnData and take old ones out, all or none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from dex.data.source import obs_of, var_of
from dex.results.actual import make_actual

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, MutableMapping

    from anndata import AnnData
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]

_MAPPINGS = ("varm", "obsm", "varp", "obsp")


@dataclass(frozen=True, slots=True)
class Entries:
    """What goes into an AnnData under one key, by full names."""

    uns: dict[str, Any]
    """The entry ``uns[key]``."""
    varm: Arrays
    var: Arrays = field(default_factory=dict)
    obsm: Arrays = field(default_factory=dict)
    obs: Arrays = field(default_factory=dict)
    varp: Arrays = field(default_factory=dict)
    obsp: Arrays = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stale:
    """Full names of what an earlier entry has left, and goes."""

    varm: Collection[str] = ()
    var: Collection[str] = ()
    obsm: Collection[str] = ()
    obs: Collection[str] = ()
    varp: Collection[str] = ()
    obsp: Collection[str] = ()


def swap(adata: AnnData, key: str, stale: Stale, new: Entries) -> None:
    """Swap the old for the new; put the old back if that is interrupted."""
    make_actual(adata)
    var_before, obs_before = var_of(adata), obs_of(adata)
    var_after = _with_columns(var_before, stale.var, new.var)
    obs_after = _with_columns(obs_before, stale.obs, new.obs)
    before = {
        place: _held(getattr(adata, place), {*getattr(stale, place), *getattr(new, place)})
        for place in _MAPPINGS
    }
    had_entry, entry_before = key in adata.uns, adata.uns.get(key)
    try:
        for place in _MAPPINGS:
            _exchange(getattr(adata, place), before[place], getattr(new, place))
        adata.var, adata.obs = var_after, obs_after
        adata.uns[key] = new.uns
    except BaseException:
        for place in _MAPPINGS:
            _exchange(getattr(adata, place), getattr(new, place), before[place])
        adata.var, adata.obs = var_before, obs_before
        adata.uns.pop(key, None)
        if had_entry:
            adata.uns[key] = entry_before
        raise


def _with_columns(table: pd.DataFrame, stale: Collection[str], new: Arrays) -> pd.DataFrame:
    """Replace columns all at once, which does not scatter the table over memory."""
    left = table.drop(columns=[*stale, *new], errors="ignore")
    return pd.concat([left, pd.DataFrame(dict(new), index=table.index)], axis=1) if new else left


def _held(mapping: Any, names: Collection[str]) -> dict[str, Any]:
    return {name: mapping[name] for name in names if name in mapping}


def _exchange(mapping: MutableMapping[str, Any], out: Arrays, into: Arrays) -> None:
    for name in out:
        mapping.pop(name, None)
    mapping.update(into)
