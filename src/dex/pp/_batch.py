"""Take away what batches add, for plots: a new layer, its scale recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dex._logging import logger
from dex.data import Expression, Scale
from dex.data.layers import Layer, check_layer, write_layer
from dex.data.source import obs_of
from dex.design.matrix import Design
from dex.design.wording import did_you_mean, listed
from dex.errors import DesignError, InputError
from dex.pp._counts import find_source
from dex.results.actual import make_actual
from dex.stats.batch_effect import batch_columns, centred
from dex.stats.batch_effect import remove_batch_effect as removed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData

    from dex.typing import Float

_TAKEN = frozenset({Scale.COUNTS, Scale.LINEAR, *(scale for scale in Scale if scale.is_log)})


def remove_batch_effect(
    adata: AnnData,
    batch: str | Sequence[str],
    *,
    design: str = "~ 1",
    layer: str | None = None,
    scale: str | None = None,
    key_added: str = "batch_removed",
    n_threads: int | None = None,
) -> None:
    """Take away what batches add to the logs, in a new layer **for plots only**.

    A linear model with the design and the batches is fitted to every gene, and the batches' part
    of it taken away, as limma's ``removeBatchEffect`` does [Ritchie2015]_. PCA, heatmaps and
    expression plots of that layer show what the design is about. **Do not test it**: a test on it
    believes that the batches' effects were known. Write ``design="~ batch + condition"`` there.

    Parameters
    ----------
    adata
        Observations x genes, in memory: logs, or counts and linear values, which are logged as
        :func:`dex.tl.rank_genes` does.
    batch
        Columns of ``obs``. Of numbers it is the slope that is taken away, at their mean; batches
        that are numbered need ``obs[batch].astype("category")``.
    design
        What is to be kept: a formula as ``"~ condition"``. By default nothing is, so that also a
        difference of conditions goes, as far as the batches differ in them.
    layer
        Layer to start from; by default ``X``.
    scale
        What its values are, where that is not recorded and they do not show it.
    key_added
        Name of the layer. One that dex has made is replaced, any other is not.
    n_threads
        Threads; by default the cores that the process may use.

    Returns
    -------
    None. Writes the dense ``adata.layers[key_added]``, and ``adata.uns["dex_layers"][key_added]``
    with its scale, source, ``batch`` and ``design``.

    Raises
    ------
    dex.errors.InputError
        If a column is not there or misses values, or the values or the layer cannot be used as
        asked. ``DesignError`` if the batches cannot be told from the design, ``FormulaError`` if
        the formula cannot be read. ``adata`` is then unchanged.

    References
    ----------
    .. [Ritchie2015] Ritchie et al. (2015), Nucleic Acids Research 43:e47.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, n_per_group=4, seed=0)
    >>> adata.obs["day"] = ["mon", "tue"] * 4
    >>> dex.pp.remove_batch_effect(adata, "day", design="~ condition")
    >>> sums = adata.layers["batch_removed"].sum(axis=1)
    >>> monday = (adata.obs["day"] == "mon").to_numpy()
    >>> bool(abs(sums[monday].mean() - sums[~monday].mean()) < 1e-6)
    True
    """
    obs = obs_of(adata)
    names = [batch] if isinstance(batch, str) else list(batch)
    nuisance = np.column_stack([_columns(obs, name) for name in names])
    kept = _kept(obs, design, nuisance, names)
    if adata.isbacked:
        msg = "adata is backed by a file, and layers are made in memory: use adata.to_memory()."
        raise InputError(msg)
    need = "a batch is removed from logs, counts or linear values"
    source = find_source(adata, need=need, takes=_TAKEN, layer=layer, scale=scale, beside_x=False)
    check_layer(adata, key_added, source=source.layer)
    rows, genes = np.arange(adata.n_obs), np.arange(adata.n_vars)
    expression = Expression.from_source(source, rows, genes, n_threads=n_threads)
    made = expression.map_blocks(
        lambda block: {"values": removed(block.values, kept, nuisance).T},
        n_threads=n_threads,
        label="batches",
    )
    record: dict[str, str | float] = {"batch": " + ".join(names), "design": design}
    where = "X" if source.layer is None else source.layer
    pseudocount = expression.pseudocount
    values = made["values"].T
    scale_made = expression.scale
    made_layer = Layer(
        key_added, values, scale_made, pseudocount, "remove_batch_effect", where, params=record
    )
    make_actual(adata)
    write_layer(adata, made_layer)
    for note in expression.notes:
        logger.info(note)
    logger.info(
        "layers[%r] holds %s without what %s adds, for plots only; to test, put it into design=.",
        key_added,
        source.where,
        listed([f"obs[{name!r}]" for name in names]),
    )


def _columns(obs: pd.DataFrame, name: str) -> Float:
    """Columns of the model for a column of ``obs``."""
    if name not in obs:
        msg = f"batch={name!r} is not a column of obs; it has {listed(map(str, obs.columns))}."
        raise InputError(msg + did_you_mean(str(name), map(str, obs.columns)))
    column = obs[name]
    if column.isna().any():
        msg = f"obs[{name!r}] misses {int(column.isna().sum())} values; fill them in."
        raise InputError(msg)
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return centred(column.to_numpy(dtype=np.float64))
    codes, levels = pd.factorize(column)
    if len(levels) < 2:
        msg = f"obs[{name!r}] has one value only, {levels[0]!r}: there is no batch to remove."
        raise InputError(msg)
    return batch_columns(codes)


def _kept(obs: pd.DataFrame, formula: str, nuisance: Float, names: list[str]) -> Float:
    """Design that is kept."""
    design = Design.from_obs(obs, formula)
    if not design.kept.all():
        n = int((~design.kept).sum())
        msg = f"{n} observations miss a value in design={formula!r}; fill them in."
        raise InputError(msg)
    both = np.column_stack([design.matrix, nuisance])
    if np.linalg.matrix_rank(both) < both.shape[1]:
        what = listed([f"obs[{name!r}]" for name in names])
        msg = (
            f"{what} cannot be told from design={formula!r}: some combination of batches is one of "
            "conditions. Leave out what is confounded."
        )
        raise DesignError(msg)
    return design.matrix
