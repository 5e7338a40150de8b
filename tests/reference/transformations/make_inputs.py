"""Write counts.csv and samples.csv, the inputs of make.R: samples x genes."""

from pathlib import Path

import numpy as np
import pandas as pd


def inputs() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(5)
    group = np.repeat(["a", "b"], 4)
    n = 300
    base = rng.gamma(0.5, 400, n) + 0.5
    effects = rng.normal(0, 1, n) * (rng.random(n) < 0.3)
    mu = base * np.exp(np.outer(group == "b", effects)) * rng.uniform(0.3, 3, 8)[:, None]
    dispersion = (0.05 + 3 / base) * np.exp(rng.normal(0, 0.5, n))
    counts = rng.negative_binomial(1 / dispersion, 1 / (1 + dispersion * mu))
    counts[:, 3] = 0
    counts[:, 5] = [0, 0, 0, 0, 0, 0, 0, 9]
    return pd.DataFrame(counts, columns=[f"g{j}" for j in range(n)]), pd.DataFrame({"group": group})


if __name__ == "__main__":
    counts, samples = inputs()
    counts.to_csv(Path(__file__).with_name("counts.csv"), index=False)
    samples.to_csv(Path(__file__).with_name("samples.csv"), index=False)
