"""The design matrix: formula and ``obs`` in, estimable columns out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dex.design.coding import code_terms
from dex.design.formula import read_formula
from dex.design.given import given_columns
from dex.design.model_frame import ModelFrame
from dex.design.rank import estimable_columns
from dex.design.wording import in_formula, listed, plural
from dex.errors import DesignError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd

    from dex.design.factor import Factor
    from dex.typing import Bool, Float, Int

_MAX_ENTRIES = 100_000_000
"""Entries, 0.8 GB, that a factor with hardly two observations per level may not fill."""


@dataclass(frozen=True, slots=True)
class Design:
    """A design matrix of full column rank, and what it takes to name contrasts of it."""

    formula: str | None
    """As given; for display. None for a matrix."""
    columns: tuple[str, ...]
    """Names of all coefficients, also of aliased ones."""
    matrix: Float
    """Estimable columns in the observations kept, shape ``(n_kept, n_coefs)``."""
    kept: Bool
    """Observations that miss nothing, shape ``(n_obs,)``."""
    estimable: Int
    """Which of ``columns`` are in ``matrix``, shape ``(n_coefs,)``."""
    aliased: tuple[str, ...]
    """Columns that earlier ones determine; they are not in ``matrix``."""
    dependence: Float
    """The aliased columns are ``matrix @ dependence``; shape ``(n_coefs, n_aliased)``."""
    factors: tuple[Factor, ...]
    """The categorical variables."""
    covariates: tuple[str, ...]
    """Columns of ``obs`` that enter as numbers."""
    terms: dict[str, tuple[int, ...]]
    """Indices into ``columns`` of every term, in the design's order."""
    notes: tuple[str, ...] = field(default=())

    @property
    def coefs(self) -> tuple[str, ...]:
        """Names of the columns of ``matrix``."""
        return tuple(self.columns[i] for i in self.estimable)

    @property
    def df_residual(self) -> int:
        """Residual degrees of freedom, which may be 0."""
        return int(self.matrix.shape[0] - self.matrix.shape[1])

    @property
    def text(self) -> str:
        """The design in messages."""
        return f"design={self.formula!r}" if self.formula is not None else "the design matrix"

    @classmethod
    def from_obs(
        cls,
        obs: pd.DataFrame,
        design: str | pd.DataFrame | np.ndarray[Any, Any],
        *,
        references: Mapping[str, Any] | None = None,
    ) -> Design:
        """Design of a formula over the columns of ``obs``, or of a matrix of numbers.

        Strings, booleans and categoricals become factors: unused levels are gone, the reference
        comes first (``references`` names it per column, else see
        :func:`~dex.design.reference.choose_reference`). Observations with a missing value in a
        column used are left out. Columns that earlier ones determine are left out as R does.

        Parameters
        ----------
        obs
            One row per observation.
        design
            A formula, or a matrix ``(n_obs, n_columns)``; a data frame is matched by its index.
        references
            Reference level by column of ``obs``.

        Raises
        ------
        FormulaError
            If the formula cannot be read or computed.
        DesignError
            If it has more columns than observations, or none.
        InputError
            If a matrix does not fit ``obs``, or a value is infinite.

        Examples
        --------
        >>> import pandas as pd
        >>> obs = pd.DataFrame(
        ...     {"drug": ["dex", "ctrl", "dex", "ctrl"], "age": [1.0, 2.0, 4.0, 3.0]}
        ... )
        >>> design = Design.from_obs(obs, "~ age + drug")
        >>> design.columns, design.df_residual
        (('Intercept', 'age', 'drug[T.dex]'), 1)
        >>> design.matrix[0].tolist()
        [1.0, 1.0, 1.0]
        """
        if isinstance(design, str):
            return _from_formula(obs, design, references or {})
        if references:
            msg = "references= belong to a formula; a design matrix is coded already."
            raise InputError(msg)
        given = given_columns(obs, design)
        terms: dict[str, tuple[int, ...]] = {name: (i,) for i, name in enumerate(given.columns)}
        return _checked(
            given.matrix, columns=given.columns, kept=given.kept, terms=terms, notes=given.notes
        )

    def factor(self, name: str) -> Factor:
        """Return the factor of a column of ``obs``, or as the formula writes it.

        Raises
        ------
        InputError
            If the design has no such factor; the message says what to write.
        """
        named = [factor for factor in self.factors if factor.name == name]
        named = named or [factor for factor in self.factors if factor.variable == name]
        if named:
            return named[0]
        if name in self.covariates:
            msg = (
                f"{name!r} is numeric in {self.text}, so it has a slope and no levels; write "
                f"C({in_formula(name)}) in the design for a factor, or contrasts={name!r} for the "
                "slope."
            )
            raise InputError(msg)
        names = listed(factor.variable for factor in self.factors)
        msg = f"{name!r} is not a factor of {self.text}; its factors are {names}."
        raise InputError(msg)


def _from_formula(obs: pd.DataFrame, text: str, references: Mapping[str, Any]) -> Design:
    formula = read_formula(text, [str(name) for name in obs.columns])
    frame = ModelFrame.from_obs(obs, formula, references=references)
    _require_room(frame, text)
    coded = code_terms(formula, frame)
    return _checked(
        coded.matrix,
        columns=coded.columns,
        kept=frame.kept,
        terms=coded.terms,
        notes=frame.notes,
        formula=text,
        factors=coded.factors,
        covariates=frame.covariates,
    )


def _checked(
    matrix: Float,
    *,
    columns: tuple[str, ...],
    kept: Bool,
    terms: dict[str, tuple[int, ...]],
    notes: tuple[str, ...],
    formula: str | None = None,
    factors: tuple[Factor, ...] = (),
    covariates: tuple[str, ...] = (),
) -> Design:
    n_kept, n_columns = matrix.shape
    text = f"design={formula!r}" if formula is not None else "the design matrix"
    if not n_columns:
        msg = f"{text} has no column; '~ 1' is an intercept."
        raise DesignError(msg)
    if n_columns > n_kept:
        raise _too_many(text, n_columns, n_kept)
    rank = estimable_columns(matrix)
    aliased = tuple(columns[i] for i in rank.aliased)
    return Design(
        formula=formula,
        columns=columns,
        matrix=matrix[:, rank.estimable] if aliased else matrix,
        kept=kept,
        estimable=rank.estimable,
        aliased=aliased,
        dependence=rank.dependence,
        factors=factors,
        covariates=covariates,
        terms=terms,
        notes=notes,
    )


def _require_room(frame: ModelFrame, text: str) -> None:
    """Stop before a factor such as a barcode makes a matrix that fits in no memory."""
    n_kept = int(frame.kept.sum())
    n_levels = max((len(factor.levels) for factor in frame.factors), default=0)
    if n_levels > n_kept // 2 and n_kept * n_levels > _MAX_ENTRIES:
        widest = max(frame.factors, key=lambda factor: len(factor.levels))
        msg = (
            f"design={text!r}: obs[{widest.variable!r}] has {n_levels:,} levels in "
            f"{plural(n_kept, 'observation')}, too many for a factor."
        )
        raise DesignError(msg)


def _too_many(text: str, n_columns: int, n_kept: int) -> DesignError:
    msg = (
        f"{text} has {plural(n_columns, 'coefficient')} for {plural(n_kept, 'observation')}; "
        "take terms out, or levels together."
    )
    return DesignError(msg)
