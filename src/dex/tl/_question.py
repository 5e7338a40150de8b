"""Who is compared with whom, in the user's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from dex.design.compared import compared_columns
from dex.design.comparison import Comparison, ModelComparison, TwoSampleComparison
from dex.design.exclusion import leave_out
from dex.design.formula import read_formula
from dex.design.labels import column_of, is_numeric
from dex.design.matrix import Design
from dex.design.reduced import dropped_coefficients
from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from dex.design.formula import Formula


@dataclass(frozen=True, slots=True)
class Question:
    """Words that say what is tested; they can be asked of cells and of samples made of them."""

    groupby: str | None
    design: Any
    contrasts: Any
    reference: str | None
    groups: Sequence[str] | None
    test: Literal["each", "any"]
    exclude: Sequence[str] = ()
    """Levels of ``groupby`` that take no part."""
    reduced: str | None = None
    """A smaller design: what it lacks of ``design`` is tested together."""

    def __post_init__(self) -> None:
        """Refuse a reduced design beside another question."""
        if self.reduced is None:
            return
        if self.groupby is not None or self.contrasts is not None:
            msg = "reduced= says what is tested; leave out groupby= and contrasts=."
            raise InputError(msg)
        if not isinstance(self.design, str):
            msg = f"reduced={self.reduced!r} goes with design=, a formula with more terms."
            raise InputError(msg)

    def compared(self, obs: pd.DataFrame) -> tuple[str, ...]:
        """Columns of ``obs`` whose effect is asked for."""
        return compared_columns(
            obs, groupby=self.groupby, design=self.design, contrasts=self._asked(obs)
        )

    @property
    def kind(self) -> Literal["each", "any"]:
        """``"any"`` of a reduced design: what it lacks is tested together."""
        return self.test if self.reduced is None else "any"

    def _asked(self, obs: pd.DataFrame) -> Any:
        """Contrasts as given, or the coefficients that the reduced design lacks."""
        if self.reduced is None:
            return self.contrasts
        return dropped_coefficients(obs, Design.from_obs(obs, self.design), self.reduced)

    def labels(self, obs: pd.DataFrame) -> list[str]:
        """Columns of labels that the question is about: a sample is of one label in each."""
        names = [*([self.groupby] if self.groupby is not None else []), *self.compared(obs)]
        if (formula := self._formula(obs)) is not None:
            factors = [one for one in formula.expressions.values() if one.categorical]
            coded = {name for factor in factors for name in factor.variables}
            names = [
                name
                for name in (*names, *formula.variables)
                if name in coded or not is_numeric(column_of(obs, name, argument="groupby"))
            ]
        for name in names:
            column_of(obs, name, argument="groupby")
        return list(dict.fromkeys(names))

    def variables(self, obs: pd.DataFrame) -> tuple[str, ...]:
        """Columns that the design names."""
        formula = self._formula(obs)
        return () if formula is None else formula.variables

    def comparison(
        self, obs: pd.DataFrame, *, model: bool
    ) -> TwoSampleComparison | ModelComparison:
        """Ask it of some observations."""
        groupby = self.groupby
        if model and groupby is None and self.design is None:
            of_one_column = self.compared(obs)  # whose levels are then all that is fitted
            groupby = of_one_column[0] if len(of_one_column) == 1 else None
        return Comparison.from_obs(
            obs,
            groupby=groupby,
            design=self.design,
            contrasts=self._asked(obs),
            reference=self.reference,
            groups=self.groups,
            test=self.kind,
            model=model,
        )

    def taking_part(self, obs: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
        """Take the labels of the levels to exclude away, and say so."""
        groups = [self.groups] if isinstance(self.groups, str) else [*(self.groups or ())]
        named = [*groups, *([] if self.reference is None else [self.reference])]
        return leave_out(obs, self.groupby, self.exclude, named=named)

    def _formula(self, obs: pd.DataFrame) -> Formula | None:
        if not isinstance(self.design, str):
            return None
        return read_formula(self.design, [str(name) for name in obs.columns])
