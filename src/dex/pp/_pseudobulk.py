"""Cells added up into samples, as an AnnData of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from anndata import AnnData

from dex._logging import logger
from dex.data import Source
from dex.data.pseudobulk import Samples
from dex.data.pseudobulk import pseudobulk as added_up
from dex.data.scale import LAYERS_KEY, Scale
from dex.data.source import counts_source, obs_of, var_of
from dex.design.labels import column_of
from dex.design.wording import listed
from dex.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Function = Literal["sum", "mean"]
_NEED = "cells are added up as counts; put raw counts into adata.layers['counts']"


def pseudobulk(
    adata: AnnData,
    replicate: str,
    *,
    groupby: str | None = None,
    per: str | None = None,
    layer: str | None = None,
    func: Function = "sum",
    min_cells: int = 10,
    n_threads: int | None = None,
) -> AnnData:
    """Add up the counts of cells into samples: one of each replicate, group and stratum.

    Cells of one donor are not replicates of a condition; donors are [Squair2021]_. Sums of raw
    counts can be tested as bulk samples are [Crowell2020]_.

    Parameters
    ----------
    adata
        Cells x genes with raw counts, in memory or backed; read once, never made dense.
    replicate
        Column of ``obs`` that names the independent unit: donor, animal, culture.
    groupby
        Column of ``obs`` that is to be compared, where replicates have cells on several sides.
    per
        Column of ``obs`` that says which cells are to be analysed apart, as the cell type.
    layer
        Layer with the counts; by default ``X``, or ``layers["counts"]`` where ``X`` holds logs.
    func
        ``"sum"``, or ``"mean"`` per cell.
    min_cells
        Samples of fewer cells are left out: their sums are mostly noise.
    n_threads
        Threads; by default the cores that the process may use.

    Returns
    -------
    AnnData of samples x genes with sums in ``X`` (float64). ``obs`` has what the samples were made
    by, ``n_cells``, and every column of ``adata.obs`` that is constant within all samples; others
    are left out, and named. ``var`` is a copy. ``uns["pseudobulk"]`` says how it was made.

    Raises
    ------
    dex.errors.InputError
        If there are no counts, a column is not there, or fewer than two samples are left.

    References
    ----------
    .. [Crowell2020] Crowell HL, Soneson C, Germain PL, et al. (2020). muscat detects
       subpopulation-specific state transitions from multi-sample multi-condition single-cell
       transcriptomics data. Nature Communications 11, 6077.
    .. [Squair2021] Squair JW, Gautier M, Kathe C, et al. (2021). Confronting false discoveries in
       single-cell differential expression. Nature Communications 12, 5692.

    Examples
    --------
    >>> import dex
    >>> cells = dex.datasets.simulate_counts(
    ...     n_genes=50, n_per_group=3, cells_per_replicate=20, seed=0
    ... )
    >>> samples = dex.pp.pseudobulk(cells, "replicate")
    >>> samples.shape, samples.obs["n_cells"].tolist()
    ((6, 50), [20, 20, 20, 20, 20, 20])
    """
    if func not in get_args(Function):
        msg = f"func={func!r} is not known; it is one of {listed(get_args(Function))}."
        raise InputError(msg)
    obs = obs_of(adata)
    by = list(dict.fromkeys(name for name in (replicate, groupby, per) if name is not None))
    for name, argument in ((replicate, "replicate"), (groupby, "groupby"), (per, "per")):
        if name is not None:
            column_of(obs, name, argument=argument)
    source = counts_source(adata, Source.from_adata(adata, layer=layer), need=_NEED)
    samples = Samples.from_obs(obs, by, min_cells=min_cells)
    for note in (*source.notes, samples.note, *_varying(obs, samples)):
        logger.info(note)
    matrix = added_up(source, samples, n_threads=n_threads).matrix
    if func == "mean":
        matrix = matrix / samples.obs["n_cells"].to_numpy()[:, None]
    made: dict[str, Any] = {
        "by": np.array(by, dtype=object),
        "func": func,
        "min_cells": min_cells,
        "layer": source.layer or "X",
    }
    scale = Scale.COUNTS if func == "sum" else Scale.LINEAR
    return AnnData(
        matrix,
        obs=samples.obs,
        var=var_of(adata).copy(),
        uns={"pseudobulk": made, LAYERS_KEY: {"X": {"scale": str(scale)}}},
    )


def _varying(obs: pd.DataFrame, samples: Samples) -> tuple[str, ...]:
    left_out = [str(name) for name in obs.columns if name not in samples.obs]
    if not left_out:
        return ()
    return (f"Left out, as they vary within a sample: {listed(left_out, limit=10)}.",)
