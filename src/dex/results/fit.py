"""A design fitted to genes: what is kept between a fit and its contrasts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dex.results.schema import FIT_COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dex.typing import Float


@dataclass(frozen=True, slots=True)
class Fit:
    """A design fitted to some genes by a method, before a contrast is chosen.

    Nothing in it depends on what is tested, so that one fit answers many questions; all of it can
    be stored in an AnnData and read back to the last bit.
    """

    design: Float
    """Design matrix of the observations used, shape ``(n_obs, n_coefs)``, of full column rank."""
    coef: Float
    """Shape ``(n_vars, n_coefs)``: in log2 where counts or logs were fitted, else in their unit."""
    genes: dict[str, NDArray[Any]]
    """Columns ``(n_vars,)`` by their names in ``FIT_COLUMNS``."""
    cov: Float | None = None
    """Covariance of the coefficients where it is the genes' own, in the unit of ``coef`` squared or
    up to a factor that the method knows; upper triangles by rows (``np.triu_indices``), shape
    ``(n_vars, n_coefs * (n_coefs + 1) / 2)``."""
    obs: dict[str, Float] = field(default_factory=dict)
    """What belongs to the observations, as offsets; arrays ``(n_obs,)``."""
    shared: dict[str, Any] = field(default_factory=dict)
    """What all genes share: numbers, strings, arrays (a trend's curve, a covariance)."""
    notes: tuple[str, ...] = ()
    """What the user should know of the fit."""
    cov_between: Float | None = None
    """How ``cov`` depends on the variance between blocks, where a method has such; in its shape."""

    def __post_init__(self) -> None:
        """Refuse names that the schema does not know."""
        unknown = set(self.genes) - set(FIT_COLUMNS)
        if unknown:
            msg = f"columns {sorted(unknown)} of a fit are not in the schema"
            raise KeyError(msg)

    @property
    def df_residual(self) -> int:
        """Observations less coefficients."""
        return int(self.design.shape[0] - self.design.shape[1])
