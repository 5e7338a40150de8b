"""edgeR's exact test of two groups, with dispersions of the genes' own [Robinson2008]_.

.. [Robinson2008] Robinson MD, Smyth GK (2008). Small-sample estimation of negative binomial
   dispersion, with applications to SAGE data. Biostatistics 9, 321-332.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from dex.errors import InputError
from dex.stats.combining import deviates
from dex.stats.design_rows import DesignRows
from dex.stats.exact_groups import exact_groups_test
from dex.tl._counted import Counted
from dex.tl._model import Tested

if TYPE_CHECKING:
    from dex.data import Expression
    from dex.data.expression import Columns
    from dex.results.fit import Fit
    from dex.tl._model import TestSetting
    from dex.typing import Bool, Float

_SAME_WEIGHT = 1e-9


def exact_each(fit: Fit, contrasts: Float, setting: TestSetting) -> Tested:
    """Test two groups of a one-way design for every contrast.

    ``stat`` is the normal deviate with the same p-value, since the test itself has none.

    Raises
    ------
    InputError
        If a contrast compares anything but two groups that the design fits one by one, or depths
        differ between the genes of an observation.
    """
    counted = Counted(cast("Expression", setting.expression), setting.n_threads)
    if counted.expression.lengths is not None:
        msg = "lengths= cannot be with the exact test, which needs libraries; use method='edger'."
        raise InputError(msg)
    if counted.expression.weights is not None:
        msg = "observation_weights= have no place in the exact test; use method='edger'."
        raise InputError(msg)
    rows = DesignRows.from_design(fit.design)
    sides = [_sides(rows, contrast) for contrast in contrasts]
    prior_count = float(fit.shared["prior_count"])

    def columns(counts: Float, place: slice) -> Columns:
        tests = []
        for is_group, used in sides:
            tests.append(
                exact_groups_test(
                    np.asfortranarray(counts[used]),
                    is_group[used],
                    counted.libraries[used],
                    fit.genes["dispersion"][place],
                    prior_count=prior_count,
                )
            )
        return {
            "log2fc": np.stack([test.log2fc for test in tests], axis=1),
            "log10_pval": np.stack([test.log10_pval for test in tests], axis=1),
        }

    found = counted.map(columns, "exact tests")
    found["log2fc_se"] = np.full_like(found["log2fc"], np.nan)
    found["stat"] = deviates(found["log10_pval"], found["log2fc"])
    return Tested(found)


def _sides(rows: DesignRows, contrast: Float) -> tuple[Bool, Bool]:
    """Observations in the group, and in either side, shape ``(n_obs,)`` each."""
    if rows.to_coef is not None:
        weights = contrast @ rows.to_coef
        group, other = np.isclose(weights, 1, atol=_SAME_WEIGHT), np.isclose(weights, -1)
        rest = np.abs(weights) <= _SAME_WEIGHT
        if group.sum() == 1 and other.sum() == 1 and (group | other | rest).all():
            is_group = group[rows.index]
            return is_group, is_group | other[rows.index]
    msg = (
        "method='edger_exact' compares two groups of a design with one factor and nothing else; "
        "use method='edger' for other designs and contrasts."
    )
    raise InputError(msg)
