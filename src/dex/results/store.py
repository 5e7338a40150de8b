"""Write a result into an AnnData, whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np

from dex._logging import logger
from dex.data.source import obs_of
from dex.errors import InputError
from dex.results.schema import (
    COLUMNS,
    DESIGN,
    EFFECTS,
    FORMAT_VERSION,
    LARGE_RESULT,
    MARKER_SCORE,
    SAMPLE_WEIGHTS,
    SHORT_COLUMNS,
    SIZE_FACTORS,
)
from dex.results.stored import is_result
from dex.results.swap import Entries, Stale, swap
from dex.results.view import scanpy_view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData
    from numpy.typing import NDArray

    from dex.data.expression import Columns
    from dex.design.tests import TestInfo
    from dex.typing import Float

_PACKAGES = ("dex-de", "anndata", "numpy", "pandas", "scipy", "scanpy")


@dataclass(frozen=True, slots=True)
class Result:
    """All that a ranking leaves behind."""

    columns: Columns
    """Arrays ``(n_vars, n_tests)`` by the names in the schema, over all genes of the AnnData."""
    infos: tuple[TestInfo, ...]
    """What the tests are, in the order of the columns of the arrays."""
    n_group: tuple[int, ...]
    """Observations in the group of every test; all that were used where there is no group."""
    n_reference: tuple[int, ...]
    params: dict[str, Any]
    """What was asked and decided; serialisable, and with scanpy's ``groupby`` and ``reference``."""
    notes: tuple[str, ...] = ()
    effects: Columns = field(default_factory=dict)
    """Of an omnibus test: estimates ``(n_vars,)`` in log2 by name."""
    size_factors: Float | None = None
    """What the counts of the observations were divided by, ``(n_obs,)``; NaN where not used."""
    fitted: dict[str, NDArray[Any]] = field(default_factory=dict)
    """Of a model: what its fit has of every gene, ``(n_vars,)``, by the names in ``FIT_COLUMNS``;
    what is a column of the result too is left out."""
    shared: dict[str, Any] = field(default_factory=dict)
    """Of a model: what all genes share, as a trend."""
    design: Float | None = None
    """Of a model: the design matrix, ``(n_obs, n_coefs)``; NaN where an observation was left out.
    None where observations were added up first."""
    sample_weights: Float | None = None
    """Of a model that weighs the observations: ``(n_obs,)``, NaN where one was left out."""


def store(adata: AnnData, result: Result, *, key: str, stats: Sequence[str] | None = None) -> None:
    """Write ``result`` under ``key``; ``adata`` is as it was if anything goes wrong.

    An earlier result under the same key goes: exactly the columns that its ``uns`` entry lists.
    Of the columns those in ``stats`` are kept, beside the few that readers need.
    """
    check_key(key)
    columns = _columns_to_store(result, stats)
    entry = _entry(result, [*columns, *([EFFECTS] if result.effects else [])])
    entry.update(scanpy_view(columns, result.infos, result.params, adata.var_names, obs_of(adata)))
    arrays = {f"{key}_{name}": values for name, values in columns.items()}
    mirror = {} if len(result.infos) > 1 else {name: array[:, 0] for name, array in arrays.items()}
    fitted = {name: values for name, values in result.fitted.items() if name not in COLUMNS}
    mirror |= {f"{key}_{name}": values for name, values in fitted.items()}
    entry["fit_columns"], entry["shared"] = _strings(list(fitted)), result.shared
    if result.effects:
        arrays[f"{key}_{EFFECTS}"] = np.column_stack(list(result.effects.values()))
        entry["effects"] = _strings(list(result.effects))
    given = {SIZE_FACTORS: result.size_factors, SAMPLE_WEIGHTS: result.sample_weights}
    obs = {name: values for name, values in given.items() if values is not None}
    obsm = {} if result.design is None else {DESIGN: result.design}
    entry["obs_columns"], entry["obsm_columns"] = _strings(list(obs)), _strings(list(obsm))
    of_obs, of_obsm = ({f"{key}_{name}": a for name, a in held.items()} for held in (obs, obsm))
    new = Entries(entry, arrays, mirror, of_obsm, of_obs)
    swap(adata, key, _stale(adata.uns.get(key), key), new)


def check_key(key: str) -> None:
    """Refuse a key that h5ad cannot hold."""
    if not isinstance(key, str) or not key or "/" in key:
        msg = f"key_added={key!r} cannot be written to h5ad; use a string without '/'."
        raise InputError(msg)


def check_free(adata: AnnData, key: str) -> None:
    """Refuse a key under which something lies that is no result.

    Raises
    ------
    InputError
        If ``adata.uns[key]`` is not a result, ours or scanpy's.
    """
    entry = adata.uns.get(key, {})
    of_scanpy = isinstance(entry, dict) and (not entry or "names" in entry)
    if not (of_scanpy or is_result(entry)):
        msg = f"key_added={key!r}: adata.uns[{key!r}] holds something else; choose another name."
        raise InputError(msg)
    column = f"{key}_{SIZE_FACTORS}"
    if column in obs_of(adata) and column not in _obs_names(entry, key):
        msg = f"key_added={key!r}: adata.obs[{column!r}] holds something else; choose another name."
        raise InputError(msg)


def check_stats(stats: Sequence[str] | None) -> None:
    """Refuse what is not a list of columns of the schema.

    Raises
    ------
    InputError
        If a name is not a column's.
    """
    unknown = [name for name in listed_stats(stats) if name not in COLUMNS]
    if unknown:
        msg = f"stats={unknown!r}: no columns of a result; they are {', '.join(COLUMNS)}."
        raise InputError(msg)


def listed_stats(stats: Sequence[str] | None) -> tuple[str, ...]:
    """Columns asked for, also if it is one by itself."""
    return (stats,) if isinstance(stats, str) else tuple(stats or ())


def _columns_to_store(result: Result, stats: Sequence[str] | None) -> Columns:
    unknown = set(result.columns) - set(COLUMNS)
    if unknown:
        msg = f"columns {sorted(unknown)} are not in the schema"
        raise KeyError(msg)
    there = {name: result.columns[name] for name in COLUMNS if name in result.columns}
    n_vars = len(next(iter(there.values())))
    if stats is None and n_vars * len(result.infos) <= LARGE_RESULT:
        return there
    kept = {*SHORT_COLUMNS, MARKER_SCORE, *listed_stats(stats)}
    columns = {name: values for name, values in there.items() if name in kept}
    if stats is None:
        logger.info(
            "%d genes x %d tests: only %s are stored; stats= names more.",
            n_vars,
            len(result.infos),
            ", ".join(columns),
        )
    if absent := [name for name in listed_stats(stats) if name not in there]:
        logger.info("stats=: the method gives no %s.", ", ".join(absent))
    return columns


def _entry(result: Result, columns: list[str]) -> dict[str, Any]:
    """``uns[key]`` without the scanpy view; arrays of strings, numbers and plain dicts only."""
    infos = result.infos
    return {
        "columns": _strings(columns),
        "tests": {
            "name": _strings([info.name for info in infos]),
            "kind": _strings([info.kind for info in infos]),
            "group": _strings([info.group for info in infos]),
            "reference": _strings([info.reference for info in infos]),
            "per": _strings([info.per for info in infos]),
            "n_obs": np.array(result.n_group, dtype=np.int64) + np.array(result.n_reference),
            "df": _shared_df(result),
            "n_group": np.array(result.n_group, dtype=np.int64),
            "n_reference": np.array(result.n_reference, dtype=np.int64),
        },
        "params": {name: value for name, value in result.params.items() if value is not None},
        "notes": _strings(list(result.notes)),
        "versions": versions(),
        "format_version": FORMAT_VERSION,
    }


def versions() -> dict[str, str]:
    """Versions of what computed it."""
    return {package: _version(package) for package in _PACKAGES}


@cache
def _version(package: str) -> str:
    return metadata.version(package)


def _shared_df(result: Result) -> np.ndarray[Any, Any]:
    """Degrees of freedom of every test, ``(n_tests,)``; NaN where they differ between genes."""
    if "df" not in result.columns:
        return np.full(len(result.infos), np.nan)
    df = result.columns["df"]
    known = ~np.isnan(df)
    lowest = np.where(known, df, np.inf).min(axis=0)
    highest = np.where(known, df, -np.inf).max(axis=0)
    return np.where(lowest == highest, lowest, np.nan)


def _strings(words: list[str]) -> np.ndarray[Any, Any]:
    return np.array(words, dtype=object)


def _stale(entry: Any, key: str) -> Stale:
    """Return what the result that ``entry`` describes has left, and nothing else."""
    if not is_result(entry):
        return Stale()
    names = [f"{key}_{name}" for name in map(str, entry["columns"])]
    mirrored = names if len(entry["tests"]["name"]) == 1 else []
    fitted = [f"{key}_{name}" for name in map(str, entry.get("fit_columns", ()))]
    obsm = [f"{key}_{name}" for name in map(str, entry.get("obsm_columns", ()))]
    return Stale(names, [*mirrored, *fitted], obsm, _obs_names(entry, key))


def _obs_names(entry: Any, key: str) -> list[str]:
    """Likewise of ``obs``."""
    columns = entry.get("obs_columns", ()) if is_result(entry) else ()
    return [f"{key}_{name}" for name in map(str, columns)]
