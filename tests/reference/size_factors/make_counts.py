"""Write counts.csv, sparse.csv and lengths.csv, the inputs of make.R: genes x samples."""

from pathlib import Path

import numpy as np
import pandas as pd

import dex

HERE = Path(__file__).parent


def main() -> None:
    adata = dex.datasets.simulate_counts(
        150, n_per_group=[4, 3], mean_count=60, library_size_sd=1.0, outlier_fraction=0.03, seed=7
    )
    counts = pd.DataFrame(adata.X.astype(int).T, adata.var_names, adata.obs_names)
    counts.to_csv(HERE / "counts.csv", index=False)
    rng = np.random.default_rng(7)
    # Zeros that are not of low abundance; few log ratios are tied
    mean = rng.lognormal(5, 1.5, 400)[:, None] * rng.uniform(0.5, 2, 6)
    sparse = rng.poisson(mean) * (rng.random((400, 6)) < 0.6)
    pd.DataFrame(sparse).to_csv(HERE / "sparse.csv", index=False)
    lengths = rng.lognormal(7, 1, (150, 1)) * rng.lognormal(0, 0.3, (150, 7))
    pd.DataFrame(lengths.round(3)).to_csv(HERE / "lengths.csv", index=False)


if __name__ == "__main__":
    main()
