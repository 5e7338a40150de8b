from __future__ import annotations

import numpy as np
import pytest

from dex.learn.pairs import UnitMoments, held_out_pairs, pair_areas
from dex.learn.ridge import Ridge
from dex.learn.units import Units
from dex.stats.auc import placements


def cells(seed, n_donors=6, n_cells=8, n_vars=30, effect=0.0, donor_sd=0.5):
    """Cells of donors of two classes in turn; donors differ in all genes."""
    rng = np.random.default_rng(seed)
    donors = np.repeat(np.arange(n_donors), n_cells)
    codes = donors % 2
    of_donor = rng.normal(0, donor_sd, (n_donors, n_vars))[donors]
    shift = effect * np.outer(codes, np.arange(n_vars) < 5)
    values = 3 + of_donor + shift + rng.normal(size=(len(donors), n_vars))
    return values, Units.of(codes, donors)


def signs(units):
    return 2.0 * units.unit_codes[:, None] - 1


def test_areas_are_those_of_ridge_models_of_the_others():
    """One by one, by the room's own ridge regression on scaled genes."""
    values, units = cells(0)
    pairs = held_out_pairs(units, np.random.default_rng(0))
    assert len(pairs) == 15
    found = pair_areas(values, units.of_obs, pairs, signs(units), n_genes=20)[0]
    areas = []
    for a, b in pairs:
        if units.unit_codes[a] == units.unit_codes[b]:
            continue
        train = ~np.isin(units.of_obs, [a, b])
        genes = np.argsort(-values[train].var(axis=0))[:20]
        X = values[:, genes]
        z = (X - X[train].mean(axis=0)) / X[train].std(axis=0)
        model = Ridge(alpha=20.0).fit(z[train], 2.0 * units.codes[train] - 1)
        scores = model.predict(z)
        group, reference = (a, b) if units.unit_codes[a] == 1 else (b, a)
        of = placements(scores[units.of_obs == group], scores[units.of_obs == reference])
        areas.append(of[0].mean())
    assert found == pytest.approx(np.mean(areas), rel=1e-9)


def test_moments_are_of_all_other_units():
    values, units = cells(1)
    mean, var = UnitMoments.of(values, units.of_obs).without(np.array([1, 4]))
    kept = ~np.isin(units.of_obs, [1, 4])
    np.testing.assert_allclose(mean, values[kept].mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(var, values[kept].var(axis=0), rtol=1e-9)


def test_held_out_cells_have_no_part_in_training():
    """Values of a held-out pair may be anything: predictions of other pairs alone change."""
    values, units = cells(2, effect=1.0)
    pair = np.array([[0, 3]])
    labels = np.column_stack([signs(units), -signs(units)])
    before = pair_areas(values, units.of_obs, pair, labels, n_genes=10)
    far = values.copy()
    far[np.isin(units.of_obs, [0, 3])] += 1000  # the same for both: their order stays
    after = pair_areas(far, units.of_obs, pair, labels, n_genes=10)
    np.testing.assert_allclose(before, after, rtol=1e-9)


def test_donors_with_both_conditions_are_held_out_whole():
    donors = np.repeat(np.arange(4), 6)
    codes = np.tile([0, 0, 0, 1, 1, 1], 4)
    units = Units.of(codes, donors)
    pairs = held_out_pairs(units, np.random.default_rng(0))
    assert (units.unit_donors[pairs[:, 0]] == units.unit_donors[pairs[:, 1]]).all()
    assert len(pairs) == 4


def test_labels_that_mean_nothing_have_an_area_of_a_half():
    """Within 4 standard errors over seeds, though donors differ: none is on both sides."""
    areas = []
    for seed in range(60):
        values, units = cells(seed)
        pairs = held_out_pairs(units, np.random.default_rng(0))
        areas.append(pair_areas(values, units.of_obs, pairs, signs(units), n_genes=30)[0])
    error = np.std(areas) / np.sqrt(len(areas))
    assert abs(np.mean(areas) - 0.5) < 4 * error


def test_mirrored_labels_have_the_same_area():
    values, units = cells(3, effect=2.0)
    pairs = held_out_pairs(units, np.random.default_rng(0))
    labels = np.column_stack([signs(units), -signs(units)])
    one, other = pair_areas(values, units.of_obs, pairs, labels, n_genes=30)
    assert one == pytest.approx(other)
    assert one > 0.9
