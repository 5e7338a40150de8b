"""Options that belong to one way of testing gene sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from dex.errors import InputError
from dex.stats.rotation_tests import SetStatistic, Standardize
from dex.tl._options import require_choice


@dataclass(frozen=True, slots=True)
class CameraOptions:
    """Options of camera."""

    inter_gene_cor: float | None = None
    """Correlation between genes of a set; None estimates it for each set from its residuals."""
    allow_negative: bool = False
    """Whether an estimate below 0 makes p smaller."""
    use_ranks: bool = False
    """Whether ranks are compared, not means."""


@dataclass(frozen=True, slots=True)
class PrerankedOptions:
    """Options of camera without samples."""

    inter_gene_cor: float = 0.01
    use_ranks: bool = False


@dataclass(frozen=True, slots=True)
class OraOptions:
    """Options of over-representation."""

    padj: float = 0.05
    """Genes with an adjusted p-value of at most this are chosen."""
    pval: float | None = None
    """Or genes with a p-value of at most this, as it is."""
    log2fc: float = 0.0
    """And a fold change of at least this size."""
    universe: Literal["tested", "annotated"] = "tested"
    """Genes to choose from: all that were tested, or those of them that are in any set."""
    directions: Literal["apart", "together"] = "apart"
    """Whether genes up and down are chosen one by one or all at once."""

    def __post_init__(self) -> None:
        """Refuse what there is not."""
        require_choice("universe", self.universe, ("tested", "annotated"))
        require_choice("directions", self.directions, ("apart", "together"))
        for name, limit in (("padj", self.padj), ("pval", self.pval)):
            if limit is not None and not 0 < limit <= 1:
                msg = f"{name}={limit!r} is no limit of p-values; it lies between 0 and 1."
                raise InputError(msg)


@dataclass(frozen=True, slots=True)
class FryOptions:
    """Options of fry."""

    robust: bool = False
    """Whether hyper- and hypovariable genes are kept out of the prior of the variances."""
    standardize: Standardize = "posterior"
    """What effects are divided by."""

    def __post_init__(self) -> None:
        """Refuse what there is not."""
        require_choice("standardize", self.standardize, get_args(Standardize))


@dataclass(frozen=True, slots=True)
class RoastOptions:
    """Options of roast."""

    n_rotations: int = 9999
    set_statistic: SetStatistic = "mean"
    robust: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what there is not."""
        require_choice("set_statistic", self.set_statistic, get_args(SetStatistic))
        if self.n_rotations < 1:
            msg = f"n_rotations={self.n_rotations!r}: give 1 or more; p is at least 1 over them."
            raise InputError(msg)


@dataclass(frozen=True, slots=True)
class GseaOptions:
    """Options of preranked GSEA."""

    exponent: float = 1.0
    """Power of the metric that genes of a set weigh; 0 weighs them alike."""
    seed: int = 0
    """Of the random sets."""

    def __post_init__(self) -> None:
        """Refuse what there is not."""
        if not self.exponent >= 0:
            msg = f"exponent={self.exponent!r} is below 0; 1 is the usual, 0 is unweighted."
            raise InputError(msg)
        if self.seed < 0:
            msg = f"seed={self.seed!r} is below 0; give a whole number of at least 0."
            raise InputError(msg)
