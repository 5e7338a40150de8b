"""Write the inputs of make.R: counts (genes x samples) and samples of every data set."""

from pathlib import Path

import numpy as np
import pandas as pd

import dex

HERE = Path(__file__).parent


def simulated(n_genes: int, n_per_group: int, seed: int, **options: object) -> pd.DataFrame:
    adata = dex.datasets.simulate_counts(
        n_genes, n_per_group=n_per_group, de_fraction=0.3, log2fc_sd=1.5, seed=seed, **options
    )
    counts = pd.DataFrame(adata.X.T.astype(int), adata.var_names, adata.obs_names)
    return counts, adata.obs.drop(columns="true_size_factor")


def few() -> tuple[pd.DataFrame, pd.DataFrame]:
    """3 + 3, of which smaller designs take a part; genes silent everywhere and in one group."""
    counts, samples = simulated(250, 3, seed=1, dispersion_sd=1.8)
    counts.iloc[5] = 0
    counts.iloc[6, :3] = 0
    counts.iloc[7, 3:] = 0
    counts.iloc[8] = [0, 0, 0, 0, 0, 7]
    return counts, samples


def outliers() -> tuple[pd.DataFrame, pd.DataFrame]:
    """7 + 7 with single counts that are far too large; of 6 + 6 nothing may be replaced."""
    counts, samples = simulated(160, 7, seed=2)
    for gene in range(0, 40, 2):
        sample = (3 * gene) % 12 + (gene % 12 >= 6)
        counts.iloc[gene, sample] = 50 * (counts.iloc[gene, sample] + 20)
    counts.iloc[41] = 0
    counts.iloc[41, 2] = 800  # nothing but an outlier
    counts.iloc[43, :7] = 0
    return counts, samples


def factors() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Three groups of 4 in two batches, with a covariate that some genes follow."""
    counts, samples = simulated(160, 4, seed=3, groups=("a", "b", "c"), n_batches=2)
    rng = np.random.default_rng(4)
    samples["dose"] = np.round(rng.normal(0, 1, len(samples)), 2)
    follow = counts.index[::4]
    scaled = counts.loc[follow] * 2.0 ** samples["dose"].to_numpy()
    counts.loc[follow] = np.round(scaled).astype(int)
    silent = (samples["condition"] != "a").to_numpy()
    counts.loc[counts.index[3], silent] = 0  # nothing in b and c
    counts.loc[counts.index[7], ~silent] = 0
    counts.loc[counts.index[11], (samples["condition"] == "b").to_numpy()] = 0
    return counts, samples


def rising() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Dispersion rises with the mean, which the parametric trend cannot follow."""
    rng = np.random.default_rng(5)
    mean = 2 ** rng.uniform(3, 12, 200)
    dispersion = 0.004 * mean**0.6 * rng.lognormal(0, 0.4, 200)
    rates = rng.gamma(1 / dispersion, mean * dispersion, (10, 200))
    names = [f"gene{j + 1:04d}" for j in range(200)]
    obs = [f"sample{i + 1}" for i in range(10)]
    counts = pd.DataFrame(rng.poisson(rates).T, names, obs)
    return counts, pd.DataFrame({"condition": ["a"] * 5 + ["b"] * 5}, index=obs)


def wide() -> tuple[pd.DataFrame, pd.DataFrame]:
    """As many samples as single-cell people have."""
    return simulated(40, 60, seed=6, mean_count=20.0)


def thousand() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Dispersions may be as large as there are samples, which are a thousand."""
    return simulated(16, 500, seed=7, mean_count=20.0)


if __name__ == "__main__":
    for make in (few, outliers, factors, rising, wide, thousand):
        counts, samples = make()
        counts.to_csv(HERE / f"{make.__name__}_counts.csv.gz")
        samples.to_csv(HERE / f"{make.__name__}_samples.csv")
