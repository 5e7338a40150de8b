import numpy as np
import pytest

from dex.errors import DesignError, InputError
from dex.stats.basis import Basis, JointContrasts, SeparateContrasts

ROUNDING = 1e-12


def simulate(n_obs=24):
    """Return a design of intercept, two groups and a covariate, with a mean a thousand spreads."""
    group = np.arange(n_obs) % 3
    covariate = np.random.default_rng(0).normal(1000, 1, size=n_obs)
    return np.column_stack([np.ones(n_obs), group == 1, group == 2, covariate]).astype(float)


CONTRASTS = np.array([[0.0, 1, 0, 0], [0, 1, -1, 0], [0, 0, 0, 1], [1, 0.5, 0.5, 2]])


def test_basis_is_orthonormal_and_spans_the_design():
    design = simulate()
    basis = Basis.from_design(design)
    np.testing.assert_allclose(basis.Q.T @ basis.Q, np.eye(4), atol=ROUNDING)
    np.testing.assert_allclose(design @ basis.to_coef, basis.Q, atol=1e3 * ROUNDING)
    hat = design @ np.linalg.pinv(design)
    np.testing.assert_allclose(1 - basis.freedom, np.diag(hat), atol=1e3 * ROUNDING)
    assert basis.df_residual == 20


def test_joint_contrasts_are_uncorrelated_and_as_many_as_the_rank():
    basis = Basis.from_design(simulate())
    dependent = np.vstack([CONTRASTS[:2], [[0.0, 0, 1, 0], [0, 0, 0, 0], [0, 7, -3, 0]]])
    joint = JointContrasts.from_basis(basis, dependent)
    covariance = joint.vectors @ basis.cov_unscaled @ joint.vectors.T
    np.testing.assert_allclose(covariance, np.eye(2), atol=1e3 * ROUNDING)
    assert np.linalg.matrix_rank(np.vstack([joint.vectors, dependent])) == 2


def test_which_contrasts_are_estimable():
    """The reference is a group of one: only what compares the others is estimable."""
    design = np.eye(3)[[2, 2, 2, 2, 1, 1, 1, 1, 0]]
    design[:, 0] = 1
    basis, contrasts = Basis.from_design(design), np.array([[0.0, 1, -1], [0, 1, 0], [1, 1, 0]])
    np.testing.assert_array_equal(basis.freedom == 0, np.arange(9) == 8)
    for hc3, expected in ((True, [True, False, True]), (False, [True, True, True])):
        separate = SeparateContrasts.from_basis(basis, contrasts, hc3=hc3)
        np.testing.assert_array_equal(separate.estimable, expected)
        joint = JointContrasts.from_basis(basis, contrasts, hc3=hc3)
        assert joint.estimable is not hc3
        assert JointContrasts.from_basis(basis, contrasts[[0, 2]], hc3=hc3).estimable


def test_nothing_is_estimable_without_residual_df():
    basis = Basis.from_design(simulate(n_obs=4))
    prepared = SeparateContrasts.from_basis(basis, CONTRASTS, hc3=True)
    assert not prepared.estimable.any()


def test_rank_deficient():
    design = simulate()
    with pytest.raises(DesignError, match="5 columns and rank 4"):
        Basis.from_design(np.column_stack([design, design[:, 1] * 1e5 - design[:, 0]]))
    with pytest.raises(DesignError, match="4 columns and rank 3"):
        Basis.from_design(design[:3])
    with pytest.raises(DesignError, match="4 columns and rank 3"):
        Basis.from_design(design * [1, 1, 0, 1])


def test_contrasts_do_not_fit():
    basis = Basis.from_design(simulate())
    for kind in (SeparateContrasts, JointContrasts):
        with pytest.raises(InputError, match="3 weights; the design has 4 coefficients"):
            kind.from_basis(basis, np.ones((1, 3)))
    with pytest.raises(InputError, match="weights of the contrasts are zero"):
        JointContrasts.from_basis(basis, np.zeros((2, 4)))
