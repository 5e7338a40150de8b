"""Write counts.csv.gz, samples x genes: the samples of ../limma/samples.csv, unequally deep."""

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent


def counts() -> np.ndarray:
    samples = pd.read_csv(HERE.parent / "limma" / "samples.csv")
    rng = np.random.default_rng(21)
    n_genes, codes = 150, samples["condition"].map({"a": 0, "b": 1, "c": 2}).to_numpy()
    depth = np.array([1, 1.2, 0.8, 3, 1, 0.3, 1.1, 2, 0.9, 1.4, 0.6, 1.7])
    level = np.exp(rng.normal(4, 1.8, n_genes))
    effects = np.zeros((3, n_genes))
    effects[1, :25] = rng.normal(0, 1, 25)
    person = 0.15 * rng.normal(size=(7, n_genes))[samples["person"]]
    mu = depth[:, None] * level * np.exp(effects[codes] + person)
    sd = np.where(np.arange(12) == 7, 0.6, 0.2)[:, None]  # the eighth sample is poor
    out = rng.poisson(mu * np.exp(sd * rng.normal(size=mu.shape)))
    out[:, 33] = 0
    return out


if __name__ == "__main__":
    table = pd.DataFrame(counts())
    table.columns = [f"g{j}" for j in range(table.shape[1])]
    table.to_csv(HERE / "counts.csv.gz", index=False)
