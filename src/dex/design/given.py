"""A design matrix that the user made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dex.design.labels import is_numeric
from dex.design.model_frame import complete_rows
from dex.design.wording import listed
from dex.errors import InputError

if TYPE_CHECKING:
    from dex.typing import Bool, Float


@dataclass(frozen=True, slots=True)
class GivenColumns:
    """Columns of a matrix given as a design."""

    columns: tuple[str, ...]
    matrix: Float
    """In the observations kept, shape ``(n_kept, n_columns)``."""
    kept: Bool
    """Observations without a missing value, shape ``(n_obs,)``."""
    notes: tuple[str, ...]


def given_columns(obs: pd.DataFrame, design: pd.DataFrame | np.ndarray[Any, Any]) -> GivenColumns:
    """Check a design matrix against ``obs``; the columns of an array are called ``x0``, ``x1``, ...

    Raises
    ------
    InputError
        If its rows are not the observations, or it holds labels or infinite values.
    """
    frame = _framed(obs, design)
    text = [str(name) for name in frame.columns if not _is_number_like(frame[name])]
    if text:
        msg = f"columns {listed(text)} of the design matrix hold labels; write a formula instead."
        raise InputError(msg)
    columns = tuple(frame.columns)
    numbers = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    infinite = np.isinf(numbers).any(axis=0)
    if infinite.any():
        names = [name for name, is_bad in zip(columns, infinite, strict=True) if is_bad]
        msg = f"columns {listed(names)} of the design matrix are infinite somewhere."
        raise InputError(msg)
    kept, notes = complete_rows({name: frame[name] for name in columns}, n_obs=len(obs))
    return GivenColumns(columns, numbers[kept], kept, notes)


def _framed(obs: pd.DataFrame, design: object) -> pd.DataFrame:
    if isinstance(design, pd.DataFrame):
        frame = _aligned(obs, design)
        frame.columns = pd.Index([str(name) for name in design.columns])
        if not frame.columns.is_unique:
            msg = f"the design matrix has columns of the same name: {listed(frame.columns)}."
            raise InputError(msg)
        return frame
    array = np.asarray(design)
    if array.ndim != 2 or array.dtype.kind not in "biuf":
        msg = (
            "design is a formula ('~ batch + condition'), or a matrix of numbers with 2 dimensions."
        )
        raise InputError(msg)
    _require_rows(len(obs), len(array))
    return pd.DataFrame(array, columns=[f"x{i}" for i in range(array.shape[1])])


def _aligned(obs: pd.DataFrame, design: pd.DataFrame) -> pd.DataFrame:
    _require_rows(len(obs), len(design))
    if design.index.equals(obs.index) or isinstance(design.index, pd.RangeIndex):
        return design.copy()
    if not (design.index.is_unique and obs.index.isin(design.index).all()):
        absent = obs.index[~obs.index.isin(design.index)]
        lacks = listed(absent, limit=5)
        msg = f"the index of the design matrix is not that of obs; it lacks {lacks}."
        raise InputError(msg)
    return design.loc[obs.index].copy()


def _require_rows(n_obs: int, n_rows: int) -> None:
    if n_rows != n_obs:
        msg = f"the design matrix has {n_rows:,} rows, and obs has {n_obs:,} observations."
        raise InputError(msg)


def _is_number_like(column: pd.Series[Any]) -> bool:
    return is_numeric(column) or column.dtype.kind == "b"
