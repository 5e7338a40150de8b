"""What shrinkage of effects gives, whatever the prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dex.typing import Bool, Float


@dataclass(frozen=True, slots=True)
class ShrunkEffects:
    """Posterior of an effect, gene by gene."""

    estimate: Float
    """Natural log, shape ``(n_vars,)``: the mode, or the mean where that is the estimator."""
    sd: Float
    """Standard deviation, shape ``(n_vars,)``."""
    coef: Float
    """Mode of all coefficients, shape ``(n_vars, n_coefs)``."""
    converged: Bool
    """Shape ``(n_vars,)``."""
