"""The door of the room: everything that can be wrong with a question is found here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, overload

from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd

    from dex.design.contrasts import Contrasts, ContrastSpec
    from dex.design.groups import Groups
    from dex.design.matrix import Design
    from dex.design.tests import TestInfo
    from dex.typing import Bool, Int

NO_GROUP = -2
"""In ``ModelComparison.tests``, on both sides: the test does not compare two groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What is tested, in which observations."""

    infos: tuple[TestInfo, ...]
    """The tests: one, if it is an omnibus test."""
    effects: tuple[TestInfo, ...]
    """What is estimated: the same as ``infos``, or what an omnibus test tests jointly."""
    omnibus: bool
    kept: Bool
    """Observations that take part, shape ``(n_obs,)``."""
    groupby: str | None
    """The column of ``obs`` that all tests compare levels of, if there is one."""
    reference: str | None
    """The level that all tests compare with, or ``rest``, if it is one and the same."""
    notes: tuple[str, ...]
    """What the user should know."""

    @overload
    @staticmethod
    def from_obs(
        obs: pd.DataFrame,
        *,
        model: Literal[True],
        groupby: str | None = ...,
        design: str | pd.DataFrame | np.ndarray[Any, Any] | None = ...,
        reference: object | None = ...,
        contrasts: ContrastSpec | None = ...,
        groups: Sequence[str] | None = ...,
        test: Literal["each", "any"] = ...,
    ) -> ModelComparison: ...
    @overload
    @staticmethod
    def from_obs(
        obs: pd.DataFrame,
        *,
        model: Literal[False],
        groupby: str | None = ...,
        design: str | pd.DataFrame | np.ndarray[Any, Any] | None = ...,
        reference: object | None = ...,
        contrasts: ContrastSpec | None = ...,
        groups: Sequence[str] | None = ...,
        test: Literal["each", "any"] = ...,
    ) -> TwoSampleComparison: ...
    @overload
    @staticmethod
    def from_obs(
        obs: pd.DataFrame,
        *,
        model: bool,
        groupby: str | None = ...,
        design: str | pd.DataFrame | np.ndarray[Any, Any] | None = ...,
        reference: object | None = ...,
        contrasts: ContrastSpec | None = ...,
        groups: Sequence[str] | None = ...,
        test: Literal["each", "any"] = ...,
    ) -> TwoSampleComparison | ModelComparison: ...
    @staticmethod
    def from_obs(
        obs: pd.DataFrame,
        *,
        model: bool,
        groupby: str | None = None,
        design: str | pd.DataFrame | np.ndarray[Any, Any] | None = None,
        reference: object | None = None,
        contrasts: ContrastSpec | None = None,
        groups: Sequence[str] | None = None,
        test: Literal["each", "any"] = "each",
    ) -> TwoSampleComparison | ModelComparison:
        """Turn a question about ``obs`` into codes or a design with contrasts.

        Parameters
        ----------
        obs
            One row per observation.
        model
            Whether the method fits a design; if not, it compares two groups (ranks, t).
        groupby
            Column whose levels are compared. Two levels make one test. More are compared each with
            the rest: all others (two-sample), or the unweighted mean of their coefficients (model).
        design
            Formula, or matrix. With ``groupby``: that factor, adjusted for the rest of the design.
            By itself: its last coefficient.
        reference
            The level of ``groupby`` that each other level is compared with, or ``"rest"``.
        contrasts
            See :func:`~dex.design.contrasts.contrast_set`; a method without a model takes tuples
            ``(column, group, reference)`` of one column.
        groups
            The levels of ``groupby`` to test; default all.
        test
            ``"each"``, or ``"any"``: one omnibus test of all the effects.

        Raises
        ------
        InputError
            If the question cannot be answered as put; the message says what can be asked.

        Examples
        --------
        >>> import pandas as pd
        >>> obs = pd.DataFrame({"drug": ["dex", "ctrl"] * 3, "donor": list("aabbcc")})
        >>> model = Comparison.from_obs(obs, groupby="drug", design="~ donor + drug", model=True)
        >>> model.infos[0].name, model.design.coefs[-1], model.contrasts.vectors.tolist()
        ('dex vs ctrl', 'drug[T.dex]', [[0.0, 0.0, 0.0, 1.0]])
        >>> two = Comparison.from_obs(obs, groupby="drug", model=False)
        >>> two.tests.tolist(), two.groups.levels
        ([[1, 0]], ('ctrl', 'dex'))
        """
        from dex.design.model_comparison import compare_by_model
        from dex.design.two_sample import compare_two_samples

        if test not in {"each", "any"}:
            msg = f"test={test!r} is not known; it is 'each' or 'any'."
            raise InputError(msg)
        if model:
            return compare_by_model(
                obs,
                groupby=groupby,
                design=design,
                reference=reference,
                contrasts=contrasts,
                groups=groups,
                omnibus=test == "any",
            )
        if design is not None:
            msg = (
                f"design={design!r}: a rank or t test cannot adjust for covariates; use "
                "method='ols' for the design, or groupby= without it (method='wilcoxon' takes one "
                "nuisance column as block=)."
            )
            raise InputError(msg)
        return compare_two_samples(
            obs,
            groupby=groupby,
            reference=reference,
            contrasts=contrasts,
            groups=groups,
            omnibus=test == "any",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoSampleComparison(Comparison):
    """Groups of observations compared in pairs."""

    groups: Groups
    tests: Int
    """Codes of (group, reference or ``REST``), one row per effect, shape ``(n_effects, 2)``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelComparison(Comparison):
    """Contrasts of the coefficients of a design."""

    design: Design
    contrasts: Contrasts
    """One row per effect."""
    groups: Groups | None
    """The factor whose levels are compared, for means per group; None if there is none."""
    tests: Int
    """Codes of (group, reference or ``REST``) in ``groups``, one row per effect, shape
    ``(n_effects, 2)``; ``NO_GROUP`` on both sides where an effect compares no two groups."""
