from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from patsy import dmatrix

from dex.design.matrix import Design
from dex.errors import DesignError, FormulaError, InputError

FIXTURES = Path(__file__).parents[1] / "reference" / "model_matrix"
PRINTED = 1e-12
"""R writes 15 digits; bases of splines and polynomials are sums of a few products."""
SOLVED = 1e-8
"""Fitted values of two codings of one space, by lstsq."""


@pytest.fixture(scope="module")
def samples():
    frame = pd.read_csv(FIXTURES / "samples.csv")
    frame["genotype"] = pd.Categorical(frame["genotype"], ["wt", "ko", "het"])
    frame["condition"] = pd.Categorical(frame["condition"], ["ctrl", "a", "b"])
    frame["batch"] = pd.Categorical(frame["batch"])
    return frame


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("additive", "~ batch + condition"),
        ("no_intercept", "~ 0 + condition + batch"),
        ("crossed", "~ genotype * condition"),
        ("nested", "~ genotype / age"),
        ("slopes", "~ condition + age:condition"),
        ("poly", "~ poly(age, 2) + genotype"),
        ("bs", "~ bs(age, df=5) * batch"),
        ("logs", "~ log2(age) + I(age**2) + year"),
        ("aliased", "~ condition + site + batch + year"),
    ],
)
def test_equals_r(samples, name, formula):
    r_matrix = pd.read_csv(FIXTURES / f"{name}.csv").to_numpy(dtype=float)
    r_dropped = [int(i) - 1 for i in (FIXTURES / f"{name}_dropped.txt").read_text().split()]
    design = Design.from_obs(samples, formula)
    kept = [i for i in range(r_matrix.shape[1]) if i not in r_dropped]
    assert len(design.columns) == r_matrix.shape[1]
    assert design.estimable.tolist() == kept
    np.testing.assert_allclose(design.matrix, r_matrix[:, kept], rtol=PRINTED, atol=PRINTED)


@pytest.mark.parametrize(
    "formula",
    ["~ genotype + age", "~ 0 + genotype + condition", "~ genotype:condition", "~ age:genotype"],
)
def test_equals_patsy(samples, formula):
    by_patsy = dmatrix(formula, samples)
    design = Design.from_obs(samples, formula)
    assert design.columns == tuple(by_patsy.design_info.column_names)
    np.testing.assert_allclose(design.matrix, np.asarray(by_patsy), rtol=PRINTED)


def test_by_hand():
    obs = pd.DataFrame({"drug": ["b", "ctrl", "a", "b"], "flag": [True, False, False, True]})
    design = Design.from_obs(obs, "~ drug")
    assert design.columns == ("Intercept", "drug[T.a]", "drug[T.b]")
    assert design.matrix.tolist() == [[1, 0, 1], [1, 0, 0], [1, 1, 0], [1, 0, 1]]
    assert design.matrix.dtype == np.float64
    assert design.terms == {"Intercept": (0,), "drug": (1, 2)}
    assert design.df_residual == 1
    (factor,) = design.factors
    assert factor.levels == ("ctrl", "a", "b")
    assert factor.main_effect.tolist() == [-1, 1, 2]
    assert Design.from_obs(obs, "~ flag").columns == ("Intercept", "flag[T.True]")


def test_reference():
    obs = pd.DataFrame({"drug": ["b", "ctrl", "a", "b"], "n": [1, 2, 3, 1]})
    design = Design.from_obs(obs, "~ drug", references={"drug": "b"})
    assert design.columns == ("Intercept", "drug[T.a]", "drug[T.ctrl]")
    inside = Design.from_obs(obs, "~ C(drug, Treatment('b'))")
    np.testing.assert_array_equal(inside.matrix, design.matrix)
    with pytest.raises(InputError, match=r"reference='x' is not in obs\['drug'\]"):
        Design.from_obs(obs, "~ drug", references={"drug": "x"})
    with pytest.raises(InputError, match=r"given for 'n', but design='~ drug' uses 'drug'"):
        Design.from_obs(obs, "~ drug", references={"n": "1"})
    with pytest.raises(InputError, match=r"'n', which is numeric .* write C\(n\)"):
        Design.from_obs(obs, "~ n", references={"n": "1"})
    with pytest.raises(InputError, match="contradicts"):
        Design.from_obs(obs, "~ C(drug, Treatment('a'))", references={"drug": "b"})


def test_numbers_as_a_factor():
    obs = pd.DataFrame({"batch": [1, 3, 2, 3, 1, 2], "dose": [0.0, 1.5, 0.0, 1.5, 0.0, 0.0]})
    design = Design.from_obs(obs, "~ C(batch) + C(dose)")
    assert design.columns == ("Intercept", "C(batch)[T.2]", "C(batch)[T.3]", "C(dose)[T.1.5]")
    assert design.notes == ()
    assert Design.from_obs(obs, "~ batch").notes == (
        "obs['batch'] (1, 2, 3) enters as a slope; if these are labels, write C(batch).",
    )


def test_zero_and_one_need_no_note():
    obs = pd.DataFrame({"male": [0, 1, 0, 1]})
    assert Design.from_obs(obs, "~ male").notes == ()


def test_missing_values_drop_rows_and_are_said():
    obs = pd.DataFrame(
        {
            "drug": ["a", None, "b", "a", "b", "c"],
            "age": pd.array([1, 2, 3, 4, 7, None], dtype="Int64"),
            "other": [None] * 6,
        }
    )
    design = Design.from_obs(obs, "~ drug + age")
    assert design.kept.tolist() == [True, False, True, True, True, False]
    assert design.columns == ("Intercept", "drug[T.b]", "age")  # level c is gone with its row
    assert design.matrix[:, 2].tolist() == [1, 3, 4, 7]
    assert design.notes == ("2 of 6 observations miss 'drug' and 'age' and were left out.",)
    with pytest.raises(DesignError, match="none of 6 observations is complete; they miss 'other'"):
        Design.from_obs(obs, "~ other")


def test_odd_columns():
    obs = pd.DataFrame(
        {
            "cell type": ["B/x", "T", "B/x", "T"],
            "orig.ident": [1.5, 2, 3, 4],
            "C": pd.array([True, False, False, True], dtype="boolean"),
            "log": [1, 10, 100, 1000],
        }
    )
    design = Design.from_obs(obs, "~ `cell type` + log10(log) + C(C)")
    assert design.columns == ("Intercept", "cell type[T.T]", "log10(log)", "C(C)[T.True]")
    assert design.matrix[:, 2].tolist() == [0, 1, 2, 3]
    assert Design.from_obs(obs, "~ I(orig.ident * 2)").matrix[:, 1].tolist() == [3, 4, 6, 8]


def test_levels_that_formulaic_would_drop():
    obs = pd.DataFrame({"drug": ["__a", "ctrl", "__b", "ctrl"]})
    assert Design.from_obs(obs, "~ drug").columns == ("Intercept", "drug[T.__a]", "drug[T.__b]")


def test_unused_levels_never_appear():
    drug = pd.Categorical(["a", "b", "a"], categories=["z", "b", "a", "y"])
    assert Design.from_obs(pd.DataFrame({"drug": drug}), "~ drug").columns == (
        "Intercept", "drug[T.a]",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("formula", "error", "message"),
    [
        ("~ one", DesignError, r"obs\['one'\] has one level only, 'x'.*\(4\); take it out"),
        ("~ infinite", InputError, r"infinite in 1 observation \(the first is 's2'\)"),
        ("~ log(zero)", FormulaError, "not finite in some observations"),
        ("~ log(drug)", FormulaError, r"obs\['drug'\] holds labels"),
        ("~ date", InputError, "holds dates"),
        ("~ poly(zero, 5)", FormulaError, "needs more than 5 different values"),
        ("~ bs(zero, df=1)", FormulaError, "cannot be computed"),
        ("~ log(poly(zero, 2))", FormulaError, "several columns"),
        ("~ I(zero * 10**400)", FormulaError, "cannot be computed"),
        ("~ drug * C(zero)", DesignError, "8 coefficients for 4 observations"),
        ("~ 0", DesignError, "has no column; '~ 1'"),
    ],
)
def test_errors(formula, error, message):
    obs = pd.DataFrame(
        {
            "one": ["x"] * 4,
            "drug": ["a", "b"] * 2,
            "infinite": [1, 2, np.inf, 4],
            "zero": [0, 1, 2, 3],
            "date": pd.date_range("2020-01-01", periods=4),
        },
        index=["s0", "s1", "s2", "s3"],
    )
    with pytest.raises(error, match=message):
        Design.from_obs(obs, formula)


def test_a_label_per_cell_stops_before_it_fills_the_memory():
    obs = pd.DataFrame({"barcode": [f"c{i}" for i in range(20_000)]})
    with pytest.raises(DesignError, match=r"obs\['barcode'\] has 20,000 levels in 20,000 obs"):
        Design.from_obs(obs, "~ barcode")


def test_paired_design_has_room_for_its_donors():
    donors = [f"d{i}" for i in range(160)]
    obs = pd.DataFrame({"donor": donors + donors[:150], "drug": ["a"] * 160 + ["b"] * 150})
    assert Design.from_obs(obs, "~ donor + drug").df_residual == 310 - 161


def test_no_residual_degrees_of_freedom_is_allowed():
    obs = pd.DataFrame({"drug": ["a", "b"]})
    assert Design.from_obs(obs, "~ drug").df_residual == 0


def test_aliased_columns():
    obs = pd.DataFrame({"drug": list("aabb"), "site": list("nnss"), "one": [3.0] * 4})
    design = Design.from_obs(obs, "~ drug + site + one")
    assert design.columns == ("Intercept", "drug[T.b]", "site[T.s]", "one")
    assert design.coefs == ("Intercept", "drug[T.b]")
    assert design.aliased == ("site[T.s]", "one")
    np.testing.assert_allclose(design.dependence, [[0, 3], [1, 0]], atol=SOLVED)


def test_held_at():
    obs = pd.DataFrame(
        {"g": ["wt", "ko"] * 4, "drug": list("ccddccdd"), "age": np.arange(8.0) ** 2}
    )
    design = Design.from_obs(obs, "~ g * drug + drug:age")
    assert design.factor("drug").held_at == ("g = wt", "age = 0")
    assert design.factor("drug").terms == ("drug", "g:drug", "drug:age")
    assert Design.from_obs(obs, "~ g:drug").factor("g").main_effect is None


def test_factor_says_what_there_is():
    obs = pd.DataFrame({"drug": list("aabb"), "batch": [1, 2, 1, 2]})
    design = Design.from_obs(obs, "~ drug + batch")
    with pytest.raises(
        InputError, match=r"'batch' is numeric .* write C\(batch\) .* contrasts='batch'"
    ):
        design.factor("batch")
    with pytest.raises(InputError, match=r"'x' is not a factor of .*; its factors are 'drug'"):
        design.factor("x")
    assert Design.from_obs(obs, "~ C(batch)").factor("batch").name == "C(batch)"


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1),
    formula=st.sampled_from(
        ["~ drug + age", "~ 0 + drug", "~ drug * batch", "~ age + bs(age, df=4)", "~ drug:age"]
    ),
)
def test_the_order_of_rows_and_of_levels_spans_the_same_space(seed, formula):
    rng = np.random.default_rng(seed)
    obs = pd.DataFrame(
        {
            "drug": rng.choice(["a", "b", "c"], 30),
            "batch": rng.choice(["1", "2"], 30),
            "age": rng.normal(size=30),
        }
    )
    y = rng.normal(size=30)
    order = rng.permutation(30)
    moved = Design.from_obs(obs.iloc[order], formula)
    renamed = obs.assign(drug=obs["drug"].map({"a": "z", "b": "y", "c": "x"}))
    original, relabelled = Design.from_obs(obs, formula), Design.from_obs(renamed, formula)
    fitted = _fitted(original.matrix, y)
    np.testing.assert_allclose(_fitted(moved.matrix, y[order]), fitted[order], atol=SOLVED)
    np.testing.assert_allclose(_fitted(relabelled.matrix, y), fitted, atol=SOLVED)


def _fitted(matrix, y):
    return matrix @ np.linalg.lstsq(matrix, y, rcond=None)[0]
