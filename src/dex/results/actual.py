"""A view of an AnnData becomes one of its own before anything is written into it."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from dex._logging import logger
from dex.errors import InputError

if TYPE_CHECKING:
    from anndata import AnnData


def check_writable(adata: AnnData) -> None:
    """Refuse a view of a file: it can neither be written to nor copied into memory unasked.

    Raises
    ------
    InputError
        If ``adata`` is such a view.
    """
    if adata.is_view and adata.isbacked:
        msg = (
            "adata is a view of a backed file, which cannot hold results; rank its copy in memory, "
            "adata = adata.to_memory()."
        )
        raise InputError(msg)


def make_actual(adata: AnnData) -> None:
    """Turn a view into data of its own, as any assignment to it would, and say so."""
    check_writable(adata)
    if adata.is_view:
        adata.uns = deepcopy(adata.uns)  # nested entries of a view's uns are still its parent's
        logger.warning(
            "adata was a view: the results are in it, now a copy; its parent is unchanged."
        )
