"""How often random sets of one size score so high, however seldom that is.

After Korotkevich, Sukhov, Budin, Shpak, Artyomov & Sergushichev (2021), bioRxiv 060012: adaptive
multilevel splitting. Random sets above a level are halved at their median, which is the next level;
the upper half takes the place of the lower, and all walk until they are independent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import digamma, polygamma

from dex.stats.set_walk import SLACK, walk_above

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from dex.stats.random_sets import RandomSets
    from dex.typing import Bool, Float

ENOUGH = 50
"""Random sets that score as high, from which counting them is as good as going by levels."""
_N_WALKERS = 101
"""Half of them are left behind at each level."""
_STEPS, _STEPS_PER_GENE = 50, 0.3
"""Of each walk; more of them change log10 p of 1e-10 by less than what it varies with the seed."""
_TAKEN, _MOST_TIMES = 0.2, 20
"""Share of the steps that is to be taken; where the last walks took less, the next are longer, up
to so many times. A walk's own length must not depend on its steps: its end would not be fair."""
_MOST_LEVELS = 20_000


@dataclass(frozen=True, slots=True)
class ScoreTail:
    """Probabilities of scores at least as high, given that the score is positive."""

    log_pval: Float
    """Natural logs, ``(n_scores,)``."""
    var: Float
    """Variance of these logs."""


def counted_tail(random: RandomSets, es: Float) -> tuple[ScoreTail, Bool]:
    """Tail by counting, and whether that is good enough, for each score of ``(n_scores,)``."""
    null = np.sort(random.up[random.is_up])
    n_as_high = len(null) - np.searchsorted(null, es - SLACK)
    return ScoreTail(*_log_share(n_as_high, len(null))), n_as_high >= ENOUGH


def levelled_tail(
    rng: np.random.Generator, weights: Float, random: RandomSets, es: Float
) -> ScoreTail:
    """Tail of high scores, ``(n_scores,)``, level by level; starts at the highest of ``random``.

    ``weights`` are those of the ranked list.
    """
    n_random, n = len(random.up), _N_WALKERS
    order = np.argsort(random.up)[::-1]
    walkers = random.take(order[:n])
    log_above, var_above = _log_share(n, n_random)
    log_pval, var = np.empty(len(es)), np.full(len(es), np.inf)
    open_ = np.ones(len(es), dtype=bool)
    n_steps = fewest = _STEPS + int(_STEPS_PER_GENE * walkers.places.shape[1])
    for _ in range(_MOST_LEVELS):
        level = float(np.median(walkers.up))
        above = np.flatnonzero(walkers.up > level + SLACK)
        reached = open_ & ((es <= level) | (len(above) == 0))
        log_share, var_share = _shares_above(walkers, es[reached])
        log_pval[reached], var[reached] = log_above + log_share, var_above + var_share
        open_ &= ~reached
        if not open_.any():
            break
        log_share, var_share = _log_share(len(above), n)
        log_above, var_above = log_above + log_share, var_above + var_share
        log_pval[open_] = log_above
        parents = np.arange(n)
        below = np.setdiff1d(parents, above)
        parents[below] = above[rng.integers(len(above), size=len(below))]
        walkers = walkers.take(parents)
        taken = walk_above(rng, weights, level, n_steps, walkers.places, walkers.up, walkers.down)
        n_steps = fewest * int(np.clip(_TAKEN * n * n_steps / max(taken, 1), 1, _MOST_TIMES))
    log_sign, var_sign = _log_share(np.count_nonzero(random.is_up), n_random)
    return ScoreTail(log_pval - log_sign, var + var_sign)


def _shares_above(walkers: RandomSets, es: Float) -> tuple[Float, Float]:
    as_high = (walkers.up >= es[:, None] - SLACK) & walkers.is_up
    return _log_share(np.count_nonzero(as_high, axis=1), len(walkers.up))


def _log_share(k: ArrayLike, n: int) -> tuple[Float, Float]:
    """Mean and variance of the log of a probability, of which ``k`` of ``n`` are known.

    As of the k + 1st order statistic of n uniform numbers, which is beta(k + 1, n - k).
    """
    known = np.asarray(k, dtype=np.float64)
    mean = digamma(known + 1) - digamma(n + 1)
    return mean, polygamma(1, known + 1) - polygamma(1, n + 1)
