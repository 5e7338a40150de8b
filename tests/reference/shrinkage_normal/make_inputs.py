"""Write counts.csv and samples.csv, the inputs of make.R: samples x genes."""

from pathlib import Path

import numpy as np
import pandas as pd


def inputs() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(11)
    group = np.repeat(["a", "b", "c"], 4)
    batch = np.tile(["x", "y"], 6)
    age = rng.normal(size=12).round(3)
    samples = pd.DataFrame({"group": group, "batch": batch, "age": age})
    n = 250
    base = rng.gamma(0.6, 400, n)
    effects = rng.normal(0, 0.8, (3, n)) * (rng.random(n) < 0.4)
    levels = np.select([group == "b", group == "c"], [1, 2], 0)
    of_group = np.vstack([np.zeros(n), effects[:2]])[levels]
    log_mean = np.log(base) + of_group + np.outer(batch == "y", 0.3 * effects[2])
    mu = np.exp(log_mean) * rng.uniform(0.5, 2, 12)[:, None]
    dispersion = (0.05 + 3 / base) * np.exp(rng.normal(0, 0.5, n))
    counts = rng.negative_binomial(1 / dispersion, 1 / (1 + dispersion * mu))
    counts[:, 3] = 0
    counts[group == "b", 5] = 0
    return pd.DataFrame(counts, columns=[f"g{j}" for j in range(n)]), samples


if __name__ == "__main__":
    counts, samples = inputs()
    counts.to_csv(Path(__file__).with_name("counts.csv"), index=False)
    samples.to_csv(Path(__file__).with_name("samples.csv"), index=False)
