"""The exact test of two groups, through the door."""

import numpy as np
import pytest

import dex
from dex.data import Source
from dex.data.size_factors import estimate_factors
from dex.errors import InputError
from dex.stats.exact_groups import exact_groups_test


def test_it_is_the_exact_test_with_the_fits_dispersions(three_groups, column):
    dex.tl.rank_genes(three_groups, "condition", reference="a", method="edger_exact")
    source = Source.from_adata(three_groups, unit="samples")
    libraries = estimate_factors(source, np.arange(15), "tmm").effective
    spread = dex.get.fit_df(three_groups)["dispersion"].to_numpy()
    label = three_groups.obs["condition"].to_numpy()
    for i, group in enumerate("bc"):
        used = np.isin(label, ["a", group])
        expected = exact_groups_test(
            np.asarray(three_groups.X, dtype=float)[used],
            label[used] == group,
            libraries[used],
            spread,
        )
        for name in ("log2fc", "log10_pval"):
            np.testing.assert_allclose(
                column(three_groups, name)[:, i], getattr(expected, name), rtol=1e-9
            )
    stat, log2fc = column(three_groups, "stat"), column(three_groups, "log2fc")
    np.testing.assert_array_equal(np.sign(stat), np.sign(log2fc))


def test_swapped_sides(samples, column):
    for reference in ("control", "treated"):
        dex.tl.rank_genes(
            samples, "condition", reference=reference, method="edger_exact", key_added=reference
        )
    for name, sign in (("log2fc", -1), ("stat", -1), ("log10_pval", 1)):
        np.testing.assert_allclose(
            column(samples, name, "control"), sign * column(samples, name, "treated"), rtol=1e-8
        )


@pytest.mark.parametrize(
    "question",
    [
        {"design": "~ batch + condition"},
        {"groupby": "condition", "design": "~ 0 + condition", "contrasts": "control"},
    ],
)
def test_other_designs_are_refused(samples, question, unchanged):
    with unchanged(samples), pytest.raises(InputError, match="compares two groups of a design"):
        dex.tl.rank_genes(samples, method="edger_exact", **question)
