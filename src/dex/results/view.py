"""What scanpy's own plots and tables read, as ``sc.tl.rank_genes_groups`` leaves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dex._logging import logger
from dex.data.source import obs_of
from dex.results.actual import make_actual
from dex.results.schema import COLUMNS, MARKER_SCORE
from dex.results.stored import StoredResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData

    from dex.data.expression import Columns
    from dex.design.tests import TestInfo
    from dex.typing import Float

_LARGEST_VIEW = 1_000_000
_LARGEST_HEADER = 65_000  # bytes: HDF5 keeps names and types of all fields in a header of 64 KiB
_FIELDS = {column.name: column.scanpy for column in COLUMNS.values() if column.scanpy}
_NAMES = "names"


def scanpy_view(
    columns: Columns,
    infos: Sequence[TestInfo],
    params: dict[str, Any],
    var_names: pd.Index[Any],
    obs: pd.DataFrame,
) -> dict[str, Any]:
    """Record arrays sorted by score, NaN last, a field per group; empty where scanpy has no such.

    Written when a categorical column is compared with the rest or with one of its levels, and the
    table has at most a million entries and no more fields than h5ad can hold.
    """
    groups = [info.group for info in infos]
    columns = _as_tested(columns)
    if not _is_scanpy_comparison(infos, params, obs) or not set(_FIELDS) <= set(columns):
        return {}
    scores = columns["stat"]
    if scores.size > _LARGEST_VIEW or _header_bytes(groups) > _LARGEST_HEADER:
        logger.info("Too many tests for scanpy's own plots: its record arrays are left out.")
        return {}
    # A group's values are put beside each other: they lie far apart in a table of many groups.
    order = np.argsort(np.ascontiguousarray(-scores.T), axis=1, kind="stable")  # NaN sorts last
    names = np.asarray(var_names, dtype=object)
    fields = [(group, object) for group in groups]
    view: dict[str, Any] = {_NAMES: np.rec.fromarrays(list(names[order]), dtype=fields)}
    for name, field in _FIELDS.items():
        by_group = np.ascontiguousarray(columns[name].T, dtype=np.float64)
        view[field] = _records(np.take_along_axis(by_group, order, axis=1).T, groups)
    return view


def _as_tested(columns: Columns) -> Columns:
    """Markers have a score for a statistic, and NaN for the p-values that scanpy's readers need."""
    if MARKER_SCORE not in columns:
        return columns
    score = columns[MARKER_SCORE]
    return {name: np.full_like(score, np.nan) for name in _FIELDS} | columns | {"stat": score}


def refresh_view(adata: AnnData, key: str = "rank_genes") -> None:
    """Make scanpy's view of a result anew, after genes were left out of ``adata``.

    The truth in ``adata.varm`` follows ``adata[:, genes]``; the record arrays that scanpy's
    plots read from ``adata.uns[key]`` cannot, and name genes that are gone.

    Parameters
    ----------
    adata
        AnnData with a result of :func:`dex.tl.rank_genes`.
    key
        Where the result is.

    Raises
    ------
    InputError
        If there is no result under ``key``.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.pbmc68k()
    >>> dex.tl.rank_genes(adata, "bulk_labels", method="t-test")
    >>> some = adata[:, :50].copy()
    >>> dex.tl.refresh_view(some)
    >>> len(some.uns["rank_genes"]["names"])
    50
    """
    stored = StoredResult.from_adata(adata, key)
    read = {*_FIELDS, MARKER_SCORE}
    columns = {name: stored.values(name) for name in stored.columns if name in read}
    entry = {name: value for name, value in stored.entry.items() if name not in _view_names()}
    entry.update(
        scanpy_view(columns, _infos(stored), stored.params, adata.var_names, obs_of(adata))
    )
    make_actual(adata)
    adata.uns[key] = entry


def _is_scanpy_comparison(
    infos: Sequence[TestInfo], params: dict[str, Any], obs: pd.DataFrame
) -> bool:
    column = obs.get(params.get("groupby"))
    if column is None or pd.api.types.is_numeric_dtype(column):
        return False
    groups = [info.group for info in infos]
    return (
        len({info.reference for info in infos}) == 1
        and len(set(groups)) == len(groups)
        and set(groups) <= set(map(str, column.dropna().unique()))
        and all(groups)  # NumPy renames a field without a name
        and not any(info.per for info in infos)
    )


def _records(table: Float, groups: list[str]) -> np.recarray[Any, Any]:
    """Rows of a table as records, a field per group."""
    records = np.ascontiguousarray(table).view([(group, np.float64) for group in groups])
    return records[:, 0].view(np.recarray)


def _header_bytes(fields: Sequence[str]) -> int:
    """Bytes that HDF5 takes for fields: 52 each, and the name padded to a multiple of 8."""
    return sum(52 + 8 * (len(field.encode()) // 8 + 1) for field in fields)


def _view_names() -> set[str]:
    return {_NAMES, *_FIELDS.values()}


def _infos(stored: StoredResult) -> list[TestInfo]:
    from dex.design.tests import TestInfo

    fields = ("name", "kind", "group", "reference", "per")
    return [TestInfo(*row) for row in zip(*map(stored.field, fields), strict=True)]
