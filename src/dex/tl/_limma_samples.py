"""What limma's methods are told of the samples: weights, and which are of one block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from dex.design.labels import Labels, column_of
from dex.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from dex.tl._model import FitSetting
    from dex.typing import Float, Int


def require_sample_weights(value: object) -> None:
    """Refuse what is neither a wish nor the name of a column.

    Raises
    ------
    InputError
        If it is neither.
    """
    if not isinstance(value, bool | str):
        msg = f"sample_weights={value!r} is not known; give True, False or a column of obs."
        raise InputError(msg)


def given_weights(obs: pd.DataFrame, sample_weights: bool | str) -> Float | None:  # noqa: FBT001  # an option
    """Weights from a column of ``obs``; None if they are not given.

    Raises
    ------
    InputError
        If there is no such column, or one of its values is no weight.
    """
    if not isinstance(sample_weights, str):
        return None
    column = column_of(obs, sample_weights, argument="sample_weights")
    number = is_numeric_dtype(column) and not is_bool_dtype(column)
    weights = column.to_numpy(dtype=np.float64) if number else np.zeros(len(column))
    if not (np.isfinite(weights) & (weights > 0)).all():
        what = f"obs[{sample_weights!r}]"
        msg = f"sample_weights: {what} must be positive numbers; {_wrong(weights, column)}."
        raise InputError(msg)
    return weights


def both_weights(weights: Float | None, samples: Float | None) -> Float | None:
    """Weights of values, ``(n_obs, n_genes)``, times those of their observations, ``(n_obs,)``."""
    if samples is None:
        return weights
    return samples[:, None] if weights is None else weights * samples[:, None]


def block_codes(setting: FitSetting) -> Int | None:
    """Block of every observation, from 0; None without blocks.

    Raises
    ------
    InputError
        If an observation is in no block, or no block has two.
    """
    if setting.block is None:
        return None
    labels = Labels.from_column(column_of(setting.obs, setting.block, argument="block"))
    where = f"block={setting.block!r}"
    if (labels.codes < 0).any():
        name = setting.obs.index[int(np.argmax(labels.codes < 0))]
        msg = f"{where} is missing in {name!r}; every observation needs one, if its own."
        raise InputError(msg)
    sizes = np.bincount(labels.codes)
    if sizes.max() < 2:
        msg = f"{where}: every observation has its own, so none are repeated; leave it out."
        raise InputError(msg)
    if len(sizes) < 2:
        msg = f"{where}: all observations are in one; leave it out."
        raise InputError(msg)
    return np.asarray(np.unique(labels.codes, return_inverse=True)[1], dtype=np.intp)


def _wrong(weights: Float, column: pd.Series) -> str:
    first = int(np.argmax(~(np.isfinite(weights) & (weights > 0))))
    return f"that of {column.index[first]!r} is {column.iloc[first]!r}"
