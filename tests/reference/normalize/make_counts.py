"""Write counts.csv, the input of normalize.R: samples x genes."""

from pathlib import Path

import pandas as pd

import dex


def counts() -> pd.DataFrame:
    adata = dex.datasets.simulate_counts(
        120, n_per_group=[4, 3], mean_count=60, library_size_sd=2.0, outlier_fraction=0.05, seed=42
    )
    table = pd.DataFrame(adata.X.astype(int), adata.obs_names, adata.var_names)
    table.iloc[:, 7] = 0  # a gene that nobody expresses
    table.iloc[:, 11] = [0, 0, 0, 0, 0, 0, 900]  # and one of a single sample
    return table


if __name__ == "__main__":
    counts().to_csv(Path(__file__).with_name("counts.csv"), index=False)
