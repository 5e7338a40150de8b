"""Where results of learning go: columns of their own, all or none, and over nobody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dex.errors import InputError
from dex.results.store import check_key, versions
from dex.results.swap import Entries, Stale, swap

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from anndata import AnnData

_NAMES = {
    "obs": ("predicted", "own", "probability", "auc"),
    "var": ("frequency", "coef", "rank", "selected", "module", "connectivity"),
    "obsm": ("probability", "eigengenes"),
    "varm": ("coef", "membership"),
}
"""Of what is written, without the key: refused before anything is computed."""


def check_place(adata: AnnData, key: str, *, made_by: str) -> None:
    """Refuse a key that cannot be written, or under which something else lies.

    Raises
    ------
    InputError
        If so.
    """
    check_key(key)
    entry = adata.uns.get(key)
    if entry is not None and _author(entry) != made_by:
        msg = f"key_added={key!r}: adata.uns[{key!r}] holds something else; choose another name."
        raise InputError(msg)
    named = {place: [f"{key}_{name}" for name in names] for place, names in _NAMES.items()}
    _require_own(adata, key, named)


def write(
    adata: AnnData,
    key: str,
    entry: dict[str, Any],
    *,
    obs: dict[str, Any],
    var: dict[str, Any],
    obsm: dict[str, Any] | None = None,
    varm: dict[str, Any] | None = None,
) -> None:
    """Write a result under ``key``, all or none; names are without the key.

    Raises
    ------
    InputError
        If a column is there that no earlier result under ``key`` has written.
    """
    parts = {"obs": obs, "var": var, "obsm": obsm or {}, "varm": varm or {}}
    named = {
        place: {f"{key}_{name}": values for name, values in columns.items()}
        for place, columns in parts.items()
    }
    _require_own(adata, key, named)
    stale = {place: _listed(adata, key, place) for place in parts}
    listed = {
        f"{place}_columns": np.array(list(columns), dtype=object)
        for place, columns in named.items()
    }
    swap(adata, key, Stale(**stale), Entries({**entry, **listed, "versions": versions()}, **named))


def _require_own(adata: AnnData, key: str, named: Mapping[str, Collection[str]]) -> None:
    for place, names in named.items():
        own = _listed(adata, key, place)
        for name in names:
            if name in getattr(adata, place) and name not in own:
                there = f"adata.{place}[{name!r}] is there and not of an earlier result"
                msg = f"key_added={key!r}: {there} of this kind; choose another name, or drop it."
                raise InputError(msg)


def _listed(adata: AnnData, key: str, place: str) -> list[str]:
    """Full names of what the result under ``key`` has written there."""
    return [str(name) for name in adata.uns.get(key, {}).get(f"{place}_columns", ())]


def _author(entry: Any) -> str:
    return str(entry.get("made_by", "")) if isinstance(entry, dict) else ""
