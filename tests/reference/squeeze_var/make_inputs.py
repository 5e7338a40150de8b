"""Write inputs.csv, the input of make.R: sample variances with known priors."""

from pathlib import Path

import numpy as np
import pandas as pd


def case(name: str, n: int, df: object, df_prior: float, seed: int, *, slope: float = 0.0):
    rng = np.random.default_rng(seed)
    covariate = np.round(rng.uniform(0, 14, n), 4)
    prior = 0.3 * np.exp(slope * np.sin(covariate / 3))
    if np.isfinite(df_prior):
        prior = prior * df_prior / rng.chisquare(df_prior, n)
    df = np.broadcast_to(np.asarray(df, float), n)
    with np.errstate(divide="ignore", invalid="ignore"):
        var = prior * np.where(df > 0, rng.chisquare(np.where(df > 0, df, 1)) / df, np.nan)
    return pd.DataFrame({"case": name, "var": var, "df": df, "covariate": covariate})


def some(values: list[float], n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).choice(values, n)


def inputs() -> pd.DataFrame:
    plain = case("plain", 200, 4, 6, 1, slope=0.8)
    zeros = case("zeros", 150, 3, 5, 2, slope=0.5)
    zeros.loc[[3, 50, 51], "var"] = 0.0
    outliers = case("outliers", 300, 5, 20, 3, slope=0.4)
    outliers.loc[[10, 20, 30, 40], "var"] *= [30, 60, 100, 1000]
    outliers.loc[[50, 51], "var"] *= 1e-4
    pooled = case("pooled", 150, 6, np.inf, 4, slope=0.6)
    pooled["var"] = 0.5 + 0.1 * (pooled["var"] - 0.5)  # less spread than chi-square alone
    pooled_outliers = pooled.assign(case="pooled_outliers")
    pooled_outliers.loc[[7, 8], "var"] = [9.0, 40.0]
    unequal = case("unequal", 250, some([1, 2, 3, 4, 5, 6], 250, 5), 7, 5, slope=0.7)
    missing = case("missing", 120, some([0, 1, 2, 3, 4], 120, 6), 5, 6, slope=0.5)
    fractional = case(
        "fractional", 250, some([0.004, 0.3, 0.9, 1.7, 2.6, 3.9], 250, 7), 9, 7, slope=0.7
    )
    fractional.loc[[11, 12, 13], "var"] *= [50, 200, 1000]
    unequal_pooled = case("unequal_pooled", 150, some([2, 3, 4], 150, 8), np.inf, 8, slope=0.5)
    unequal_pooled["var"] = 0.5 + 0.1 * (unequal_pooled["var"] - 0.5)
    one = case("residual_one", 150, 1, 4, 9)
    tiny = [case(f"tiny{n}", n, 4, 4, 20 + n) for n in (1, 2, 3, 5, 6, 7, 31)]
    ties = case("ties", 60, 4, 5, 10)
    ties["covariate"] = np.round(ties["covariate"] / 6)
    larger = [plain, zeros, outliers, pooled, pooled_outliers, unequal, missing, fractional]
    return pd.concat([*larger, unequal_pooled, one, *tiny, ties])


if __name__ == "__main__":
    inputs().to_csv(Path(__file__).with_name("inputs.csv"), index=False, float_format="%.10g")
