"""Genes that are called for a single count: told, and left as the method has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from dex.design.wording import listed, plural
from dex.stats.cooks import (
    CELL,
    LEAST_DISPERSION,
    cooks_cutoff,
    cooks_distances,
    exceeded,
    in_cells,
    robust_dispersion,
)
from dex.stats.design_rows import DesignRows
from dex.stats.multitest import adjust_columns
from dex.stats.nb_glm import fitted_means
from dex.tl._counted import Counted

if TYPE_CHECKING:
    from dex.data.expression import Columns, Expression
    from dex.results.fit import Fit
    from dex.tl._model import TestSetting
    from dex.typing import Bool, Float, Int

_LN2 = float(np.log(2))
_PADJ = 0.05
_SHOWN = 3
_PART_BYTES = 2**18
"""Of counts: what is made of them is several times as much."""
_LITTLE = 1e-8
"""Of information: less than that of a millionth of a count."""


def single_counts_note(
    fit: Fit, log10_pval: Float, dispersion: Float, setting: TestSetting
) -> tuple[str, ...]:
    """Say how many of the genes called would move most of their effect without one count.

    Such counts are told as DESeq2 tells them, by Cook's distances above the 99% quantile of F where
    a row of the design has three observations or more. A dispersion that all genes share knows of
    no gene with wild counts, and likelihoods of means follow these.

    Parameters
    ----------
    log10_pval
        Of all genes, ``(n_vars, n_tests)``: called are those at an adjusted p-value of 0.05.
    dispersion
        What they were fitted with, ``(n_vars,)``.
    """
    counted = Counted(cast("Expression", setting.expression), setting.n_threads)
    rows = DesignRows.from_design(fit.design)
    told = in_cells(rows.index, CELL)
    limit = np.log10(_PADJ)
    log10_padj = adjust_columns(log10_pval, setting.padj_method, scope=setting.padj_scope)
    called = np.flatnonzero((log10_padj <= limit).any(axis=1))
    if not len(called) or not told.any() or counted.weights(called[:1]) is not None:
        return ()
    cutoff = cooks_cutoff(*fit.design.shape)
    scale = np.exp(np.log(counted.libraries).mean())

    def is_wild(counts: Float, places: Int) -> Bool:
        depths = counted.depths(places)
        mu = fitted_means(rows, depths, fit.coef[places] * _LN2)
        leverage = _leverages(rows, mu / (1.0 + dispersion[places] * mu))

        def distances(some: Bool | slice, robust: Float) -> Float:
            parts = (counts[:, some], mu[:, some], robust, leverage[:, some])
            return cooks_distances(*parts, rows.n_coefs)

        # Few are far even if their dispersion were the least that there is.
        least = np.full(len(places), LEAST_DISPERSION)
        far = (distances(slice(None), least)[told] > cutoff).any(axis=0)
        some = counts[:, far] / (depths[:, None] if depths.ndim == 1 else depths[:, far]) * scale
        found = distances(far, robust_dispersion(some, rows.index))
        wild = (found[told] > cutoff).any(axis=0)
        if len(rows.rows) == 2:  # of two groups a count may be the only low one of the high side
            wild &= ~exceeded(counts[:, far], found)
        far[far] = wild
        return np.asarray(far)

    def columns(counts: Float, places: Int) -> Columns:
        parts = np.array_split(
            np.arange(len(places)), min(len(places), -(-counts.nbytes // _PART_BYTES))
        )
        found = [is_wild(counts[:, part], places[part]) for part in parts]
        return {"far": np.concatenate(found).astype(np.float64)}

    far = called[counted.map_some(columns, called, "single counts")["far"] > 0]
    if not len(far):
        return ()
    expression = counted.expression
    best = far[np.argsort(log10_pval[far].min(axis=1), kind="stable")]
    names = expression.source.var_names[expression.blocks.genes[best]]
    return (
        f"{len(far):,} of {plural(len(called), 'gene')} at padj <= {_PADJ:g} hang on single counts "
        f"(Cook's distance): {listed(list(names), limit=_SHOWN)}. method='limma_voom' is hardly "
        "moved by such counts, and 'deseq2' sets them aside.",
    )


def _leverages(design: DesignRows, weights: Float) -> Float:
    """Hat values of the working ``weights``, both ``(n_obs, n_vars)``.

    Without a kernel: small data do not wait for it to be compiled, and the genes called are few.
    """
    rows = design.rows
    in_row = (design.index == np.arange(len(rows))[:, None]).astype(np.float64)
    information = np.einsum("rj,ra,rb->jab", in_row @ weights, rows, rows)
    cov = np.linalg.inv(information + _LITTLE * np.eye(design.n_coefs))  # a group may be empty
    of_row = np.einsum("ra,jab,rb->rj", rows, cov, rows)
    return np.asarray(weights * of_row[design.index])
