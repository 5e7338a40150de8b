"""Columns of a result that are the same in all its tests take the memory of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def distinct(values: NDArray[Any]) -> NDArray[Any]:
    """What takes memory of ``(n_vars, n_tests)``: one column, if all are views of it."""
    shared = values.ndim == 2 and values.shape[1] > 1 and values.strides[1] == 0
    return values[:, :1] if shared else values


def widen(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return one column as a read-only view of ``shape``; what has that shape comes as it is."""
    return values if values.shape == shape else np.broadcast_to(values, shape)
