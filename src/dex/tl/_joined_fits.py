"""Models of strata, side by side: what later tests of the same samples need of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dex.results.schema import (
    CORRELATIONS,
    DESIGN,
    LARGEST_DESIGN,
    OF_SAMPLES,
    SAMPLE_WEIGHTS,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dex.design.tests import TestInfo
    from dex.results import Result
    from dex.tl._per import Stratum
    from dex.typing import Float


def fits_joined(
    strata: Sequence[Stratum], infos: tuple[TestInfo, ...], n_obs: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters, and arrays by observation, of the models of all strata.

    Designs have the columns of every stratum; a column that a stratum lacks is NaN in its rows.
    Contrasts are zero there, and where a stratum lacks the test. Nothing is kept where a test is of
    several effects at once, where a method fits no design, or where designs are too large.
    """
    tested = [(i, one) for i, one in enumerate(strata) if one.result is not None]
    fitted = [(i, one) for i, one in tested if _design(one.result) is not None]
    if len(fitted) < len(tested) or any(info.kind == "omnibus" for info in infos):
        return {}, {}
    names = list(
        dict.fromkeys(name for _, one in fitted for name in _params(one)["design_columns"])
    )
    if n_obs * len(names) > LARGEST_DESIGN:
        return {}, {}
    vectors = np.zeros((len(strata) * len(infos), len(names)))
    correlations = np.full(len(vectors), np.nan)
    arrays: dict[str, Float] = {DESIGN: np.full((n_obs, len(names)), np.nan)}
    for i, one in fitted:
        assert one.result is not None  # it has a design
        columns = [names.index(name) for name in _params(one)["design_columns"]]
        tests = [i * len(infos) + infos.index(info) for info in one.result.infos]
        vectors[np.ix_(tests, columns)] = np.atleast_2d(_params(one)["contrasts"])
        correlations[tests] = one.result.shared.get("correlation", np.nan)
        arrays[DESIGN][np.ix_(one.rows, columns)] = _design(one.result)
        if (weights := _of_observations(one.result, SAMPLE_WEIGHTS)) is not None:
            arrays.setdefault(SAMPLE_WEIGHTS, np.full(n_obs, np.nan))[one.rows] = weights
    params = {"design_columns": np.array(names, dtype=object), "contrasts": vectors}
    if not np.isnan(correlations).all():
        params[CORRELATIONS] = correlations
    if "sample_by" in _params(fitted[0][1]):
        return params | {OF_SAMPLES[name]: values for name, values in arrays.items()}, {}
    return params, arrays


def _params(stratum: Stratum) -> dict[str, Any]:
    assert stratum.result is not None  # it has a design
    return stratum.result.params


def _design(result: Result | None) -> Float | None:
    return None if result is None else _of_observations(result, DESIGN)


def _of_observations(result: Result, name: str) -> Float | None:
    """An array by the stratum's observations, or samples."""
    given: Any = getattr(result, name)
    if given is None:  # in params an option may have that name
        given = result.params.get(OF_SAMPLES[name])
    return given if isinstance(given, np.ndarray) else None
