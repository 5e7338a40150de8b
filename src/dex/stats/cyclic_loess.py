"""Observations of logs brought onto one another along smooth curves [Ballman2004]_, as in limma."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Literal

import numpy as np

from dex.errors import InputError
from dex.stats.lowess import choose_span, lowess, weighted_lowess

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dex.typing import Float

Variant = Literal["fast", "affy", "pairs"]
SPAN, N_CYCLES = 0.7, 3
_LOESS_SPAN_GENES, _LOESS_SPAN = 200, 0.6  # of the adaptive span, by limma's help page


def cyclic_loess(
    values: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    variant: Variant = "fast",
    span: float | None = SPAN,
    n_cycles: int = N_CYCLES,
) -> Float:
    """Take away, cycle by cycle, what an observation differs from others by along their mean.

    Parameters
    ----------
    values
        Logs, NaN where missing, shape ``(n_obs, n_vars)``.
    weights
        Of the genes, not negative, shape ``(n_vars,)``.
    variant
        ``"fast"`` compares every observation with the mean of all; ``"pairs"`` takes every pair in
        turn and gives each half of the difference, so that the order of observations matters;
        ``"affy"`` adds up the differences of all pairs before it moves one. A gene missing in one
        observation becomes missing in all by the latter two.
    span
        Share of the genes that are neighbours; None chooses it by their number.
    n_cycles
        Number of passes over all observations.

    Returns
    -------
    Normalised values, same shape.

    Raises
    ------
    InputError
        If the variant is not known or an observation has no value.

    References
    ----------
    .. [Ballman2004] Ballman KV, Grill DE, Oberg AL, Therneau TM (2004). Faster cyclic loess:
       normalizing RNA arrays via linear models. Bioinformatics 20, 2778-2786.

    Examples
    --------
    >>> values = np.arange(20.0) + np.array([[0.0], [1.0], [5.0]])
    >>> cyclic_loess(values)[:, 0].round(6).tolist()
    [2.0, 2.0, 2.0]
    """
    out = np.array(values, dtype=np.float64)
    cycles = {"fast": _towards_mean, "affy": _all_pairs_at_once, "pairs": _pair_by_pair}
    if variant not in cycles:
        msg = f"variant={variant!r} is not known; it is one of {', '.join(map(repr, cycles))}."
        raise InputError(msg)
    if span is None:
        span = choose_span(out.shape[1], small_n=_LOESS_SPAN_GENES, min_span=_LOESS_SPAN)
    smoother = _Smoother(None if weights is None else np.asarray(weights, np.float64), span)
    for _ in range(n_cycles):
        cycles[variant](out, smoother)
    return out


class _Smoother:
    """Curve of ``y`` along ``x`` over the genes that have both."""

    def __init__(self, weights: Float | None, span: float) -> None:
        self.weights = weights
        self.span = span

    def __call__(self, x: Float, y: Float) -> Float:
        known = np.isfinite(x) & np.isfinite(y)
        if not known.any():
            msg = "Two observations have no gene in common; remove one of them."
            raise InputError(msg)
        out = np.full(len(x), np.nan)
        if self.weights is None:
            out[known] = lowess(x[known], y[known], span=self.span)
        else:
            weights = self.weights[known]
            out[known] = weighted_lowess(x[known], y[known], weights, span=self.span)
        return out


def _towards_mean(values: Float, smoother: _Smoother) -> None:
    n_known = np.isfinite(values).sum(axis=0)
    mean = np.where(n_known, np.nansum(values, axis=0) / np.maximum(n_known, 1), np.nan)
    for i in range(len(values)):
        values[i] -= smoother(mean, values[i] - mean)


def _all_pairs_at_once(values: Float, smoother: _Smoother) -> None:
    excess = np.zeros_like(values)
    for a, b in combinations(range(len(values)), 2):
        curve = smoother((values[a] + values[b]) / 2, values[b] - values[a])
        excess[b] += curve
        excess[a] -= curve
    values -= excess / len(values)


def _pair_by_pair(values: Float, smoother: _Smoother) -> None:
    for a, b in combinations(range(len(values)), 2):
        half = smoother((values[a] + values[b]) / 2, values[b] - values[a]) / 2
        values[a] += half
        values[b] -= half
