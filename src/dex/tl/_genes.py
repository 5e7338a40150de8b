"""Which genes are tested."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dex._logging import logger
from dex.errors import InputError

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import ArrayLike

    from dex.typing import Int


def genes_tested(adata: AnnData, mask_var: str | ArrayLike | None) -> Int:
    """Positions of the genes in the mask, all if there is none.

    Names that several genes share are warned of: results go by position, but a gene cannot be
    found by such a name.

    Raises
    ------
    InputError
        If the mask is not a boolean column of ``var`` or a boolean per gene, or leaves no gene.
    """
    if not adata.var_names.is_unique:
        shared = adata.var_names[adata.var_names.duplicated()].unique()
        logger.warning(
            "Some gene names stand for several genes (%s in all, the first is %r); results are by "
            "position, adata.var_names_make_unique() tells them apart.",
            len(shared),
            shared[0],
        )
    if mask_var is None:
        return np.arange(adata.n_vars)
    mask = np.asarray(_column(adata, mask_var) if isinstance(mask_var, str) else mask_var)
    if mask.shape != (adata.n_vars,) or not pd.api.types.is_bool_dtype(mask):
        msg = (
            f"mask_var has shape {mask.shape} and type {mask.dtype}; it must hold True or False "
            f"for each of the {adata.n_vars} genes."
        )
        raise InputError(msg)
    if not mask.any():
        msg = "mask_var leaves no gene to test; it is False everywhere."
        raise InputError(msg)
    return np.flatnonzero(mask)


def _column(adata: AnnData, name: str) -> pd.Series:
    if name in adata.var:
        return adata.var[name]
    flags = [str(column) for column in adata.var if pd.api.types.is_bool_dtype(adata.var[column])]
    msg = f"mask_var={name!r} is not in adata.var; its boolean columns are {flags}."
    raise InputError(msg)
