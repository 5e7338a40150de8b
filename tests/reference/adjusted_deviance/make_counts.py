"""Write counts.csv, the input of make.R: genes x samples."""

from pathlib import Path

import pandas as pd

import dex


def counts() -> pd.DataFrame:
    adata = dex.datasets.simulate_counts(
        150, n_per_group=5, mean_count=30, mean_count_sd=3, extra_dispersion=0.3, seed=6
    )
    table = pd.DataFrame(adata.X.astype(int).T, adata.var_names, adata.obs_names)
    table.iloc[3, :5] = 0  # a gene that one group does not express
    return table


if __name__ == "__main__":
    counts().to_csv(Path(__file__).with_name("counts.csv"), index=False)
