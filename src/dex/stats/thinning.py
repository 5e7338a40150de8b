"""Counts divided at random into two sets that know nothing of each other [Neufeld2024]_.

References
----------
.. [Neufeld2024] Neufeld, Gao, Popp, Battle and Witten (2024), Biostatistics 25:270; Poisson counts.
.. [Neufeld2023] Neufeld, Popp, Gao, Battle and Witten (2023), arXiv:2307.12985; negative binomial
   counts, whose shares are beta-binomial.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dex.typing import Float


def thinned(
    counts: Float, fraction: float, dispersion: Float | None, *, rng: np.random.Generator
) -> Float:
    """Part of each count, ``(n,)``; the rest is independent of it.

    That holds if counts are Poisson, or, with ``dispersion`` of each, ``(n,)``, negative binomial
    of variance ``mu + dispersion * mu**2``: both parts are then so, with the dispersion over their
    share.

    Examples
    --------
    >>> part = thinned(np.full(1000, 10.0), 0.2, None, rng=np.random.default_rng(0))
    >>> float(part.max()) <= 10, bool(abs(part.mean() - 2) < 0.2)
    (True, True)
    """
    share = np.full(len(counts), fraction)
    if dispersion is not None:
        spread = dispersion > 0
        size = 1 / dispersion[spread]
        share[spread] = rng.beta(fraction * size, (1 - fraction) * size)
    return np.asarray(rng.binomial(counts.astype(np.int64), share), dtype=np.float64)
