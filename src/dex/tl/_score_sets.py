"""Scores of gene sets in every observation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from dex._logging import logger
from dex.data.gene_sets import match_sets
from dex.data.threads import map_threads
from dex.design.wording import listed
from dex.errors import InputError
from dex.results.actual import check_writable, make_actual
from dex.results.store import check_key
from dex.stats.moments import group_moments
from dex.stats.set_scores import (
    aucell_scores,
    gsva_scores,
    kernel_distribution,
    mean_z_scores,
    ssgsea_scores,
)
from dex.tl._options import require_choice
from dex.tl._pca import expression_params, log_expression

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from os import PathLike

    from anndata import AnnData
    from numpy.typing import ArrayLike

    from dex.data import Expression
    from dex.data.expression import Columns, GeneBlock
    from dex.stats.gene_sets import SetIndex
    from dex.typing import Float, Int

_MADE_BY = "dex.tl.score_sets"
_METHODS = {
    "mean_z": (),
    "ssgsea": ("exponent",),
    "gsva": ("exponent", "max_diff"),
    "aucell": ("top",),
}
_MOST_OBS_FOR_GSVA = 5_000
_VALUES_AT_A_TIME = 2**22


def score_sets(
    adata: AnnData,
    gene_sets: str | PathLike[str] | Mapping[str, Sequence[str]] | pd.DataFrame,
    *,
    method: Literal["mean_z", "ssgsea", "gsva", "aucell"] = "mean_z",
    layer: str | None = None,
    scale: str | None = None,
    size_factors: str = "auto",
    mask_var: str | ArrayLike | None = None,
    gene_symbols: str | None = None,
    min_size: int = 5,
    max_size: int | None = None,
    key_added: str | None = None,
    n_threads: int | None = None,
    **method_options: Any,
) -> None:
    """Score gene sets in every sample or cell, whatever it is compared with.

    Scores describe; they are no tests. For a comparison of groups see :func:`dex.tl.enrich`.

    Parameters
    ----------
    adata
        Observations x genes: counts or logs in ``X`` or in a layer.
    gene_sets
        A GMT file; a dict ``{name: genes}``; or a table with the columns ``gene_set`` and
        ``gene``. Nothing is downloaded.
    method
        ``"mean_z"``
            Mean of the genes' z-scores over all observations: relative to those.
        ``"ssgsea"``
            Ranks of the genes within each observation [Barbie2009]_, of which it needs no other.
            Divided by the range of all scores, as is usual.
        ``"gsva"``
            Where each gene lies in its own distribution over the observations, by normal kernels,
            and then as GSEA [Haenzelmann2013]_. For samples, at most 5,000.
        ``"aucell"``
            How early the genes come among the highest 5 % of each cell [Aibar2017]_.
    layer, scale, size_factors
        What is read, as for :func:`dex.tl.rank_genes`: counts are normalised on the way, without a
        new layer.
    mask_var
        Genes that there are for this: a boolean column of ``adata.var``, or a boolean array.
    gene_symbols
        Column of ``var`` in which the names of the sets are looked for. By default ``var_names``
        or the column of ``var`` that has most of them.
    min_size, max_size
        Sets with fewer or more genes found are left out.
    key_added
        Where the scores go, by default ``score_`` and the method; earlier ones are replaced.
    n_threads
        Threads; by default the cores that the process may use.
    **method_options
        ``"ssgsea"``
            ``exponent`` (0.25) of the weights of ranks; ``normalize`` (True).
        ``"gsva"``
            ``exponent`` (1); ``max_diff`` (True): the difference of the largest deviations up and
            down, else the larger of them.
        ``"aucell"``
            ``top`` (0.05): share of genes that counts.

    Returns
    -------
    None. Writes

    ``adata.obsm[key_added]``
        A DataFrame, a row for each observation and a column for each set. A ``/`` in a set's name
        becomes ``|``, which files can hold.
    ``adata.uns[key_added]``
        ``n_genes`` found of each set, ``params``.

    Raises
    ------
    dex.errors.InputError
        If sets, layer, option or key cannot be used as asked; ``adata`` is then unchanged.

    References
    ----------
    .. [Barbie2009] Barbie DA, Tamayo P, Boehm JS et al. (2009). Systematic RNA interference reveals
       that oncogenic KRAS-driven cancers require TBK1. Nature 462, 108-112.
    .. [Haenzelmann2013] Hänzelmann S, Castelo R, Guinney J (2013). GSVA: gene set variation
       analysis for microarray and RNA-seq data. BMC Bioinformatics 14:7.
    .. [Aibar2017] Aibar S, Gonzalez-Blas CB, Moerman T et al. (2017). SCENIC: single-cell
       regulatory network inference and clustering. Nature Methods 14, 1083-1086.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, n_per_group=4, seed=1)
    >>> dex.tl.score_sets(adata, {"first": adata.var_names[:20], "next": adata.var_names[20:60]})
    >>> adata.obsm["score_mean_z"].shape
    (8, 2)
    """
    check_writable(adata)
    require_choice("method", method, tuple(_METHODS))
    how = _How(method, n_threads, _checked_options(method, method_options))
    key = f"score_{method}" if key_added is None else key_added
    _check_free(adata, key)
    matched = match_sets(adata, gene_sets, gene_symbols=gene_symbols)
    expression = log_expression(
        adata, mask_var, layer=layer, scale=scale, size_factors=size_factors, n_threads=n_threads
    )
    names, sets = _sized(matched.names, matched.index, expression, min_size, max_size)
    scores = how.scores(expression, sets)
    for note in (*matched.warnings, *matched.notes, *expression.notes):
        logger.info(note)
    params = {
        "made_by": _MADE_BY,
        "method": method,
        **expression_params(expression),
        "gene_symbols": matched.column,
        **how.options,
    }
    columns = pd.Index([name.replace("/", "|") for name in names], dtype=object)
    table = pd.DataFrame(scores, index=adata.obs_names.copy(), columns=columns)
    make_actual(adata)
    adata.obsm[key] = table
    adata.uns[key] = {
        "gene_sets": np.array(names, dtype=object),
        "n_genes": sets.sizes.astype(np.int64),
        "params": {name: value for name, value in params.items() if value is not None},
    }


@dataclass(frozen=True, slots=True)
class _How:
    method: str
    n_threads: int | None
    options: dict[str, Any]

    def scores(self, expression: Expression, sets: SetIndex) -> Float:
        """All scores, ``(n_obs, n_sets)``."""
        if self.method == "gsva":
            placed = _kernel_distribution(expression, self.n_threads)
            return self._by_rows(
                len(placed), placed.shape[1], lambda rows: placed[rows], self._gsva(sets)
            )
        score = {"mean_z": self._mean_z, "ssgsea": self._ssgsea, "aucell": self._aucell}
        found = self._by_rows(
            len(expression.rows),
            sets.n_vars,
            lambda rows: expression.take(rows).values(),
            score[self.method](expression, sets),
        )
        if self.method == "ssgsea" and self.options.get("normalize", True):
            reach = np.nanmax(found) - np.nanmin(found)
            return found / reach if reach > 0 else found
        return found

    def _by_rows(
        self,
        n_obs: int,
        n_vars: int,
        read: Callable[[Int], Float],
        score: Callable[[Float], Float],
    ) -> Float:
        """Score some observations at a time, by threads."""
        step = max(_VALUES_AT_A_TIME // n_vars, 1)
        pieces = [np.arange(first, min(first + step, n_obs)) for first in range(0, n_obs, step)]
        parts = map_threads(
            lambda rows: score(read(rows)), pieces, n_threads=self.n_threads, label=self.method
        )
        return np.concatenate(parts)

    def _mean_z(self, expression: Expression, sets: SetIndex) -> Callable[[Float], Float]:
        mean, sd = _moments(expression, self.n_threads)
        return lambda values: mean_z_scores(values, mean, sd, sets)

    def _ssgsea(self, _: Expression, sets: SetIndex) -> Callable[[Float], Float]:
        exponent = float(self.options.get("exponent", 0.25))
        return lambda values: ssgsea_scores(values, sets, exponent=exponent)

    def _aucell(self, _: Expression, sets: SetIndex) -> Callable[[Float], Float]:
        top = float(self.options.get("top", 0.05))
        return lambda values: aucell_scores(values, sets, top=top)

    def _gsva(self, sets: SetIndex) -> Callable[[Float], Float]:
        exponent = float(self.options.get("exponent", 1.0))
        max_diff = bool(self.options.get("max_diff", True))
        return lambda placed: gsva_scores(placed, sets, exponent=exponent, max_diff=max_diff)


def _moments(expression: Expression, n_threads: int | None) -> tuple[Float, Float]:
    """Mean and standard deviation of each gene."""
    everybody = np.zeros(len(expression.rows), dtype=np.intp)

    def moments(block: GeneBlock) -> Columns:
        found = group_moments(block.values, everybody, 1)
        return {"mean": found.mean[:, 0], "var": found.var[:, 0]}

    found = expression.map_blocks(moments, n_threads=n_threads, label="moments")
    return found["mean"], np.sqrt(np.nan_to_num(found["var"]))


def _kernel_distribution(expression: Expression, n_threads: int | None) -> Float:
    n = len(expression.rows)
    if n > _MOST_OBS_FOR_GSVA:
        msg = (
            f"method='gsva' compares every observation with every other, and there are {n:,}; it "
            f"takes {_MOST_OBS_FOR_GSVA:,}. Use method='aucell' or 'ssgsea', or pseudobulk."
        )
        raise InputError(msg)

    def placed(block: GeneBlock) -> Columns:
        return {"placed": kernel_distribution(block.values).T}

    found = expression.map_blocks(placed, n_threads=n_threads, label="distributions")
    return np.ascontiguousarray(found["placed"].T)


def _checked_options(method: str, given: dict[str, Any]) -> dict[str, Any]:
    takes = (*_METHODS[method], *(("normalize",) if method == "ssgsea" else ()))
    if unknown := [name for name in given if name not in takes]:
        said = f"takes {', '.join(takes)}" if takes else "has no options of its own"
        msg = f"{unknown[0]}={given[unknown[0]]!r}: method={method!r} {said}."
        raise InputError(msg)
    if not 0 < given.get("top", 0.05) <= 1:
        msg = f"top={given['top']!r} is not a share of the genes; it lies between 0 and 1."
        raise InputError(msg)
    if not given.get("exponent", 1.0) >= 0:
        msg = f"exponent={given['exponent']!r} is below 0."
        raise InputError(msg)
    return given


def _check_free(adata: AnnData, key: str) -> None:
    check_key(key)
    entry = adata.uns.get(key)
    ours = isinstance(entry, dict) and entry.get("params", {}).get("made_by") == _MADE_BY
    if (key in adata.obsm or entry is not None) and not ours:
        where = f"obsm[{key!r}]" if key in adata.obsm else f"uns[{key!r}]"
        msg = f"key_added={key!r}: adata.{where} holds something else; choose another name."
        raise InputError(msg)


def _sized(
    names: tuple[str, ...],
    index: SetIndex,
    expression: Expression,
    min_size: int,
    max_size: int | None,
) -> tuple[list[str], SetIndex]:
    """Sets of the sizes wanted, as positions among the genes of the expression."""
    genes = np.zeros(index.n_vars, dtype=bool)
    genes[expression.blocks.genes] = True
    sets = index.among(genes)
    largest = min(np.inf if max_size is None else max_size, sets.n_vars - 1)
    keep = (sets.sizes >= max(min_size, 1)) & (sets.sizes <= largest)
    if not keep.any():
        msg = (
            f"none of the {len(names)} sets is of a size to be scored: they have "
            f"{sets.sizes.min()} to {sets.sizes.max()} of {sets.n_vars} genes; see min_size= and "
            "max_size=."
        )
        raise InputError(msg)
    if not keep.all():
        left = [name for name, kept in zip(names, keep, strict=True) if not kept]
        logger.info("Left out for their size: %d sets (%s).", len(left), listed(left, limit=3))
    return [name for name, kept in zip(names, keep, strict=True) if kept], sets.take(keep)
