"""Our estimators against scikit-learn's, and scikit-learn's behind our face."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, lars_path
from sklearn.linear_model import Ridge as TheirRidge
from sklearn.neighbors import NearestCentroid
from sklearn.svm import SVC, LinearSVC

from dex.errors import InputError
from dex.learn.centroids import Centroids
from dex.learn.estimators import Foreign, check_estimator, new_estimator
from dex.learn.lars import entry_order
from dex.learn.logistic import Logistic
from dex.learn.ridge import Ridge

CLOSE = 1e-6  # their gradient is at most 1e-10, of coefficients near 1


@pytest.mark.parametrize(("n", "k", "n_classes"), [(40, 10, 2), (30, 200, 2), (60, 6, 4)])
@pytest.mark.parametrize("weighted", [False, True])
def test_logistic_is_scikit_learns(n, k, n_classes, weighted):
    rng = np.random.default_rng(n)
    X, y = rng.normal(size=(n, k)), np.arange(n) % n_classes
    X[:, 0] += y
    weight = rng.uniform(0.5, 2, n) if weighted else None
    ours = Logistic(C=0.7).fit(X, y, weight)
    theirs = LogisticRegression(C=0.7, tol=1e-10, max_iter=10_000).fit(X, y, weight)
    np.testing.assert_allclose(ours.coef, theirs.coef_, atol=CLOSE)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=CLOSE)


def test_logistic_of_separated_classes_is_finite():
    model = Logistic(C=1e6).fit(np.array([[0.0], [1.0], [10.0], [11.0]]), np.array([0, 0, 1, 1]))
    assert np.isfinite(model.coef).all()
    assert model.predict_proba(np.array([[10.5]]))[0, 1] > 0.99


@pytest.mark.parametrize(("n", "k"), [(40, 5), (20, 60)])
def test_ridge_is_scikit_learns(n, k):
    rng = np.random.default_rng(k)
    X, y, weight = rng.normal(size=(n, k)), rng.normal(size=n), rng.uniform(0.5, 2, n)
    theirs = TheirRidge(alpha=2.0).fit(X, y, weight)
    np.testing.assert_allclose(Ridge(2.0).fit(X, y, weight).predict(X), theirs.predict(X))


def test_centroids_agree_with_nearest_centroids():
    """Without shrinkage and of equal classes only the spreads' offset differs: same features."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)) * 1.0, np.arange(60) % 3
    X += 4 * np.eye(3)[y]
    ours = Centroids().fit(X, y).predict_proba(X).argmax(axis=1)
    theirs = NearestCentroid().fit(X, y).predict(X)
    assert (ours == theirs).mean() > 0.95


def test_log_odds_of_centroids_are_those_of_their_probabilities():
    rng = np.random.default_rng(3)
    y = np.array([0] * 12 + [1] * 5)
    X = rng.normal(size=(17, 3)) + np.outer(y, [2.0, -1.0, 0.0])
    model = Centroids().fit(X, y)
    p = model.predict_proba(np.vstack([np.zeros(3), np.eye(3)]))
    eta = np.log(p[:, 1] / p[:, 0])
    np.testing.assert_allclose(model.log_odds[0], eta[1:] - eta[0])
    assert model.log_odds[0, 0] > 0 > model.log_odds[0, 1]


def test_shrunken_centroids_forget_genes():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 50)), np.arange(40) % 2
    X[:, 0] += 4 * y
    model = Centroids(shrinkage=4.0).fit(X, y)
    assert (model.coef[:, 0] != 0).all()
    assert (model.coef[:, 1:] == 0).all()


@pytest.mark.parametrize("seed", range(8))
def test_order_of_entry_is_that_of_lars(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(25, 60))
    X -= X.mean(axis=0)
    X /= np.linalg.norm(X, axis=0)
    y = X[:, :4] @ rng.normal(size=4) + 0.2 * rng.normal(size=25)
    y -= y.mean()
    coefs = lars_path(X, y, method="lasso")[2]
    order = list(dict.fromkeys(int(j) for column in coefs.T for j in np.flatnonzero(column)))
    assert entry_order(X, y, 12).tolist() == order[:12]


def test_copies_do_not_enter_the_path():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 5))
    X = np.column_stack([X, X])
    X -= X.mean(axis=0)
    X /= np.linalg.norm(X, axis=0)
    y = X[:, 0] + X[:, 1]
    order = entry_order(X, y - y.mean(), 10)
    assert len(set(order % 5)) == len(order)


def test_foreign_estimators_are_copied_and_seeded():
    forest = RandomForestClassifier(n_estimators=3)
    X, y = np.random.default_rng(0).normal(size=(20, 4)), np.arange(20) % 2
    one, two = (new_estimator(forest, seed=5, n_classes=2).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    assert forest.random_state is None
    assert not hasattr(forest, "classes_")
    assert one.coef.shape == (1, 4)


def test_a_class_without_training_has_probability_zero():
    X, y = np.random.default_rng(0).normal(size=(20, 4)), np.array([0, 2] * 10)
    p = Foreign(LogisticRegression(), 3).fit(X, y).predict_proba(X)
    assert p.shape == (20, 3)
    assert (p[:, 1] == 0).all()


@pytest.mark.parametrize(("n_classes", "shape"), [(2, (1, 4)), (3, None)])
def test_coefficients_of_pairs_are_not_of_classes(n_classes, shape):
    X, y = np.random.default_rng(0).normal(size=(30, 4)), np.arange(30) % n_classes
    coef = Foreign(SVC(kernel="linear"), n_classes).fit(X, y).coef
    assert (None if coef is None else coef.shape) == shape


@pytest.mark.parametrize(
    ("estimator", "words"),
    [
        ("svm", "is not known"),
        (LinearSVC(), "no predict_proba"),
        (RandomForestClassifier, "is a class"),
        (3, "is no estimator"),
    ],
)
def test_what_is_no_classifier_is_refused(estimator, words):
    with pytest.raises(InputError, match=words):
        check_estimator(estimator, classify=True)
