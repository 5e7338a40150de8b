from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from dex.errors import InputError
from dex.stats.filtering import filter_by_expr, min_sample_size

REFERENCE = Path(__file__).parents[1] / "reference" / "edger_cpm"
NORM_FACTORS = np.array([1.1, 0.9, 1, 0.95, 1.2, 1, 0.87])
GROUPS = np.array([0, 0, 1, 1, 1, 2, 2])
GROUPS_LARGE = np.repeat([0, 1], [21, 13])
FORMATS = [
    np.asarray,
    np.asfortranarray,
    sparse.csr_array,
    sparse.csc_matrix,
    sparse.coo_array,
    lambda x: x.astype(np.int32),
]


def read(name, dtype=np.float64):
    return pd.read_csv(REFERENCE / f"{name}.csv").to_numpy(dtype)


SMALL, LARGE = read("counts_small"), read("counts_large")


def kept(column, table="small"):
    return pd.read_csv(REFERENCE / f"filter_{table}.csv")[column].to_numpy(bool)


@pytest.mark.parametrize("convert", FORMATS)
class TestEqualsEdger:
    @pytest.mark.parametrize(
        ("column", "groups"),
        [
            ("group", GROUPS),
            ("design", read("design_small")),
            ("none", np.zeros(7, dtype=int)),
            ("intercept", np.ones((7, 1))),
        ],
    )
    def test_small(self, convert, column, groups):
        size = min_sample_size(groups)
        ours = filter_by_expr(convert(SMALL), SMALL.sum(axis=1), min_sample_size=size)
        np.testing.assert_array_equal(ours, kept(column))

    @pytest.mark.parametrize(
        ("column", "groups", "softening"),
        [
            ("group", GROUPS_LARGE, {}),
            ("design", read("design_large"), {}),
            ("none", np.zeros(34, dtype=int), {}),
            ("strict", GROUPS_LARGE, {"large_n": 5, "min_prop": 0.9}),
        ],
    )
    def test_large(self, convert, column, groups, softening):
        size = min_sample_size(groups, **softening)
        ours = filter_by_expr(convert(LARGE), LARGE.sum(axis=1), min_sample_size=size)
        np.testing.assert_array_equal(ours, kept(column, "large"))

    def test_normalisation_factors(self, convert):
        sizes = SMALL.sum(axis=1) * NORM_FACTORS
        ours = filter_by_expr(convert(SMALL), sizes, min_sample_size=min_sample_size(GROUPS))
        np.testing.assert_array_equal(ours, kept("norm"))

    @pytest.mark.parametrize(("column", "bounds"), [("counts20", (20, 100)), ("zero", (0, 1))])
    def test_bounds(self, convert, column, bounds):
        ours = filter_by_expr(
            convert(SMALL),
            SMALL.sum(axis=1),
            min_sample_size=min_sample_size(GROUPS),
            min_count=bounds[0],
            min_total_count=bounds[1],
        )
        np.testing.assert_array_equal(ours, kept(column))


class TestMinSampleSize:
    def test_groups_and_their_design_agree(self):
        design = np.eye(3)[GROUPS]
        assert min_sample_size(design) == pytest.approx(min_sample_size(GROUPS), rel=1e-12)

    def test_units_and_redundant_columns_do_not_matter(self):
        design = read("design_small")
        expected = min_sample_size(design)
        wide = np.column_stack([design * [1, 1, 1e6, 1e-6], design[:, 1] + design[:, 2]])
        assert min_sample_size(wide) == pytest.approx(expected, rel=1e-9)

    def test_no_group_is_empty(self):
        assert min_sample_size(np.array([0, 0, 5, 5, 5, -1])) == 2

    @pytest.mark.parametrize(
        ("groups", "message"),
        [
            (np.array([-1, -1]), "No observation is in a group"),
            (np.zeros((3, 0)), r"The design has shape \(3, 0\)"),
        ],
    )
    def test_nothing_there(self, groups, message):
        with pytest.raises(InputError, match=message):
            min_sample_size(groups)


def test_empty_observations_have_never_enough():
    counts = np.array([[20.0, 0.0], [30.0, 0.0], [0.0, 0.0], [25.0, 20.0]])
    for convert in FORMATS:
        ours = filter_by_expr(
            convert(counts), counts.sum(axis=1), min_sample_size=4, min_count=0, min_total_count=0
        )
        assert not ours.any()


def test_most_observations_are_empty():
    counts = np.array([[20.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    ours = filter_by_expr(counts, counts.sum(axis=1), min_sample_size=1)
    assert not ours.any()


def test_library_sizes_must_fit():
    with pytest.raises(InputError, match="6 library sizes do not fit counts of 7 observations"):
        filter_by_expr(SMALL, np.ones(6), min_sample_size=2)
