"""Write a fit into an AnnData, whole or not at all, and read it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.data.source import obs_of, var_of
from dex.design.stored import StoredDesign, require_same_labels
from dex.errors import InputError
from dex.results.fit import Fit
from dex.results.schema import FIT_FORMAT_VERSION
from dex.results.store import check_key, versions
from dex.results.swap import Entries, Stale, swap

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray

    from dex.design.matrix import Design
    from dex.typing import Float, Int

_TESTED, _TOTAL = "tested", "total"
_ARRAYS = ("varm", "var", "obsm", "obs")


@dataclass(frozen=True, slots=True)
class FittedModel:
    """A fit, and what it was made of."""

    fit: Fit
    """Of the genes at ``genes``."""
    genes: Int
    """Positions of the genes fitted, sorted."""
    design: Design
    params: dict[str, Any]
    """What was asked and decided; serialisable."""
    notes: tuple[str, ...]
    """What was said while it was made."""
    totals: Float
    """Sums over all genes of the matrix that was fitted, ``(n_obs,)``: they tell whether it is
    still the same."""


def store_fit(adata: AnnData, model: FittedModel, *, key: str) -> None:
    """Write ``model`` under ``key``; ``adata`` is as it was if anything goes wrong.

    An earlier fit under the same key goes: exactly what its ``uns`` entry lists.
    """
    fit, design = model.fit, StoredDesign.of(model.design)
    kept, n_obs, n_vars = model.design.kept, adata.n_obs, adata.n_vars
    varm = {"coef": _spread(fit.coef, model.genes, n_vars)}
    if fit.cov is not None:
        varm["cov"] = _spread(fit.cov, model.genes, n_vars)
    if fit.cov_between is not None:
        varm["cov_between"] = _spread(fit.cov_between, model.genes, n_vars)
    var = {name: _spread(values, model.genes, n_vars) for name, values in fit.genes.items()}
    var[_TESTED] = np.isin(np.arange(n_vars), model.genes)
    obs = {name: _spread(values, np.flatnonzero(kept), n_obs) for name, values in fit.obs.items()}
    obs[_TOTAL] = model.totals
    obsm: dict[str, NDArray[Any]] = {"design": design.matrix}
    if model.design.factors:
        obsm |= {"levels": design.levels, "held": design.held}
    places = dict(zip(_ARRAYS, (varm, var, obsm, obs), strict=True))
    entry = {
        "kind": "fit",
        **{place: _strings(held) for place, held in places.items()},
        "design": design.text,
        "dependence": design.dependence,
        "params": {name: value for name, value in model.params.items() if value is not None},
        "shared": fit.shared,
        "notes": _strings(model.notes),
        "fit_notes": _strings(fit.notes),
        "n_obs": int(kept.sum()),
        "var_names": _strings(adata.var_names),
        "versions": versions(),
        "format_version": FIT_FORMAT_VERSION,
    }
    named = ({f"{key}_{name}": a for name, a in held.items()} for held in places.values())
    swap(adata, key, _stale(adata.uns.get(key), key), Entries(entry, *named))


def check_fit_free(adata: AnnData, key: str) -> None:
    """Refuse a key under which something lies that is no fit.

    Raises
    ------
    InputError
        If ``adata.uns[key]`` is something else, or the key cannot be written to a file.
    """
    check_key(key)
    if key in adata.uns and not is_fit(adata.uns[key]):
        msg = f"key_added={key!r}: adata.uns[{key!r}] is no fit; choose another name."
        raise InputError(msg)


def read_fit(adata: AnnData, key: str) -> FittedModel:
    """Find the fit that :func:`dex.tl.fit` left under ``key``.

    Raises
    ------
    InputError
        If there is none, or if observations or their labels are not those that were fitted.
    """
    entry: Any = adata.uns.get(key)
    if not is_fit(entry):
        have = [name for name, value in adata.uns.items() if is_fit(value)]
        found = ", ".join(map(repr, have)) or "none"
        msg = f"fit_key={key!r}: no fit there; there is {found}. dex.tl.fit makes one."
        raise InputError(msg)
    held = {name: _read(adata, key, entry, name) for name in _ARRAYS}
    design = _design(adata, entry, held["obsm"])
    genes = np.flatnonzero(held["var"].pop(_TESTED))
    totals = held["obs"].pop(_TOTAL)
    fit = Fit(
        design.matrix,
        held["varm"]["coef"][genes],
        {name: values[genes] for name, values in held["var"].items()},
        cov=held["varm"]["cov"][genes] if "cov" in held["varm"] else None,
        cov_between=held["varm"]["cov_between"][genes] if "cov_between" in held["varm"] else None,
        obs={name: values[design.kept] for name, values in held["obs"].items()},
        shared=dict(entry["shared"]),
        notes=tuple(map(str, entry["fit_notes"])),
    )
    notes = tuple(map(str, entry["notes"]))
    return FittedModel(fit, genes, design, dict(entry["params"]), notes, totals)


def same_genes(adata: AnnData, key: str) -> bool:
    """Whether the genes are those that were there at the fit under ``key``, in their order."""
    return bool(np.array_equal(adata.uns[key]["var_names"], np.asarray(adata.var_names, object)))


def is_fit(value: Any) -> bool:
    """Whether an entry of ``uns`` is a fit of ours."""
    return isinstance(value, dict) and str(value.get("kind", "")) == "fit"


def _design(adata: AnnData, entry: dict[str, Any], obsm: dict[str, Any]) -> Design:
    none = np.empty((adata.n_obs, 0), dtype=np.int32)
    parts = (obsm["design"], obsm.get("levels", none), obsm.get("held", none))
    stored = StoredDesign(*parts, str(entry["design"]), np.asarray(entry["dependence"]))
    design = stored.design()
    if (n_kept := int(design.kept.sum())) != int(entry["n_obs"]):
        msg = (
            f"adata has {n_kept} of the {int(entry['n_obs'])} observations that were fitted; take "
            "the AnnData that was, or fit again."
        )
        raise InputError(msg)
    require_same_labels(design, obs_of(adata))
    return design


def _read(adata: AnnData, key: str, entry: dict[str, Any], place: str) -> dict[str, Any]:
    frames = {"var": var_of, "obs": obs_of}
    held = frames[place](adata) if place in frames else getattr(adata, place)
    names = list(map(str, entry[place]))
    if lost := [f"{key}_{name}" for name in names if f"{key}_{name}" not in held]:
        msg = f"adata.{place} has lost {', '.join(lost)} of the fit {key!r}; fit again."
        raise InputError(msg)
    return {name: np.asarray(held[f"{key}_{name}"]) for name in names}


def _spread(values: Any, places: Int, n: int) -> np.ndarray[Any, Any]:
    """Rows at their places among all, NaN elsewhere."""
    full = np.full((n, *values.shape[1:]), np.nan)
    full[places] = values
    return full


def _strings(words: Any) -> np.ndarray[Any, Any]:
    return np.array([str(word) for word in words], dtype=object)


def _stale(entry: Any, key: str) -> Stale:
    if not is_fit(entry):
        return Stale()
    return Stale(*([f"{key}_{name}" for name in entry[place]] for place in _ARRAYS))
