"""Sums of counts per sample and cell type, by pandas, for make.R: ``make_inputs.py DATA INPUT``."""

import sys
from pathlib import Path

import anndata as ad
import pandas as pd

SETS = {
    "kang_muscat": ("sample_id", "group_id", "cluster_id"),
    "small_airway_cf": ("orig.ident", "Genotype", "celltype"),
}


def main(data: Path, out: Path) -> None:
    """Add up every set."""
    for name, (replicate, group, per) in SETS.items():
        cells = ad.read_h5ad(data / name / f"{name}.h5ad")
        counts = pd.DataFrame(cells.to_df().astype(int))
        keys = [cells.obs[column].astype(str).to_numpy() for column in (replicate, group, per)]
        for stratum in sorted(set(keys[2])):
            own = keys[2] == stratum
            sums = counts[own].groupby([keys[0][own], keys[1][own]]).sum()
            stem = f"{name}_{''.join(filter(str.isalnum, stratum))}"
            sums.T.set_axis([" ".join(key) for key in sums.index], axis=1).to_csv(
                out / f"{stem}.csv"
            )
            (out / f"{stem}.txt").write_text(f"{name}\n{stratum}\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
