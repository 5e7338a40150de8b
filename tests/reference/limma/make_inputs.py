"""Write the inputs of make.R: samples; logs with and without gaps, weights, samples x genes."""

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
N_GENES = 120


def samples() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    return pd.DataFrame(
        {
            "batch": ["x", "y"] * 6,
            "condition": ["a"] * 4 + ["b"] * 5 + ["c"] * 3,
            "person": [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5, 6],
            "age": rng.uniform(20, 70, 12).round(2),
        }
    )


def values(table: pd.DataFrame) -> np.ndarray:
    rng = np.random.default_rng(12)
    n = len(table)
    level = rng.uniform(2, 12, N_GENES)
    sd = 0.4 * np.sqrt(4 / rng.chisquare(4, N_GENES)) * np.exp(-0.1 * (level - 7))
    codes = table["condition"].map({"a": 0, "b": 1, "c": 2}).to_numpy()
    effects = np.zeros((3, N_GENES))
    effects[1, :20] = rng.normal(0, 2, 20)
    effects[2, 10:30] = rng.normal(0, 2, 20)
    person = rng.normal(size=(7, N_GENES))[table["person"]]
    noise = np.sqrt(0.7) * rng.normal(size=(n, N_GENES)) + np.sqrt(0.3) * person
    out = level + effects[codes] + 0.5 * (table["batch"] == "y").to_numpy()[:, None] + sd * noise
    out[:, 40] = 3.0  # no variance at all
    out[:, 41] = np.where(codes == 1, 5.0, 4.0)  # none within conditions
    out[:, 42] *= 1e-9
    return out.round(10)


def with_gaps(full: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(13)
    out = full.copy()
    # Where df are unequal, limma's prior depends on whether its rounding leaves a 0 of no variance.
    out[:, 40:43] += rng.normal(0, 0.3, (len(out), 3)).round(10)
    out[rng.random(out.shape) < 0.12] = np.nan
    out[:, 60] = np.nan
    out[1:, 61] = np.nan
    out[9:, 62] = np.nan  # no sample of the last condition
    out[:4, 63] = np.nan  # none of the reference
    out[[0, 1, 2, 4, 5, 9, 10], 64] = np.nan  # residual df 1
    out[[0, 1, 2, 4, 5, 6, 9, 10], 65] = np.nan  # and 0
    return out


if __name__ == "__main__":
    table = samples()
    full = values(table)
    rng = np.random.default_rng(14)
    names = [f"g{j}" for j in range(N_GENES)]
    weights = rng.gamma(3, 1 / 3, full.shape).round(6)
    table.to_csv(HERE / "samples.csv", index=False)
    for name, matrix in (("values", full), ("gaps", with_gaps(full)), ("weights", weights)):
        pd.DataFrame(matrix, columns=names).to_csv(
            HERE / f"{name}.csv.gz", index=False, na_rep="NA", float_format="%.11g"
        )
