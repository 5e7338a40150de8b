"""What a method that fits a design is handed, and what it hands back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

    from dex.data import Expression
    from dex.data.expression import Columns
    from dex.typing import Alternative, Bool


@dataclass(frozen=True, slots=True)
class NoOptions:
    """A step that has no options of its own."""


@dataclass(frozen=True, slots=True)
class FitSetting:
    """What a fit depends on, beside the values and the design."""

    options: Any
    """The method's own, of its ``fit_options``."""
    obs: pd.DataFrame
    """The observations used, in their order."""
    block: str | None = None
    """Column of ``obs`` whose levels hold repeated measures."""
    n_threads: int | None = None


@dataclass(frozen=True, slots=True)
class TestSetting:
    """What a test depends on, beside the fit and the contrasts."""

    __test__ = False  # not for pytest

    options: Any
    """The method's own, of its ``test_options``."""
    lfc: float = 0.0
    alternative: Alternative = "two-sided"
    n_threads: int | None = None
    expression: Expression | None = None
    """The values that were fitted, for tests that fit again; None where they are not needed."""
    padj_method: str = "fdr_bh"
    """For methods that adjust their p-values themselves."""
    padj_scope: Literal["test", "global"] = "test"
    compared: Bool | None = None
    """Observations of the two groups that a test compares, ``(n_tests, n_obs)``; all of them where
    it compares no two groups. None where no test does."""


@dataclass(frozen=True, slots=True)
class Tested:
    """What a method says of its contrasts."""

    columns: Columns
    """Arrays ``(n_vars, n_tests)``, without ``pval`` and ``padj``; ``EFFECTS`` of an omnibus test.

    ``status`` where the method knows of a gene why it has no p-value; ``log10_padj`` where it
    adjusts the p-values itself."""
    notes: tuple[str, ...] = ()
    params: dict[str, Any] = field(default_factory=dict)
    """To be recorded beside what was asked, as a cutoff that was chosen."""
