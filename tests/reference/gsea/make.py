"""What GSEApy's multilevel method makes of a ranked list: python make.py, with gseapy 1.3.1.

It writes the statistics of 3,000 genes, 72 sets (a third have some of their genes at an end of the
list), and GSEApy's answers by five seeds.
"""

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
N_GENES, N_SETS = 3000, 72


def main() -> None:
    """Make the inputs and the answers."""
    import gseapy

    rng = np.random.default_rng(20240)
    stat = np.round(rng.standard_t(6, size=N_GENES), 6)
    order = np.argsort(-stat)
    sets = {}
    for s, size in enumerate(np.geomspace(15, 260, N_SETS).astype(int)):
        n_outer = int(size * rng.uniform(0.05, 0.5)) if s % 3 == 0 else 0
        outer = order[:: rng.choice((1, -1))][: N_GENES // 6]
        own = rng.choice(outer, n_outer, replace=False)
        rest = rng.choice(np.setdiff1d(np.arange(N_GENES), own), size - n_outer, replace=False)
        sets[f"s{s}"] = np.sort(np.concatenate([own, rest]))
    pd.DataFrame({"stat": stat}).to_csv(HERE / "stat.csv.gz", index=False)
    lines = [" ".join(map(str, genes)) for genes in sets.values()]
    (HERE / "sets.txt").write_text("\n".join(lines) + "\n")
    ranked = pd.Series(stat, index=[f"g{j}" for j in range(N_GENES)])
    named = {name: [f"g{j}" for j in genes] for name, genes in sets.items()}
    answers = {}
    for seed in range(1, 6):
        found = gseapy.prerank(
            ranked,
            named,
            method="multilevel",
            min_size=1,
            max_size=N_GENES,
            seed=seed,
            threads=1,
            no_plot=True,
        ).res2d.set_index("Term")
        found = found.loc[list(named)]
        answers["es"] = found["ES"].astype(float)
        answers[f"nes{seed}"] = found["NES"].astype(float)
        answers[f"log10_pval{seed}"] = np.log10(found["NOM p-val"].astype(float))
    table = pd.DataFrame(answers)
    table.to_csv(HERE / "gseapy.csv", float_format="%.8g", index_label="gene_set")
    (HERE / "session_info.txt").write_text(
        f"gseapy {gseapy.__version__}\nnumpy {np.__version__}\npandas {pd.__version__}\n"
    )


if __name__ == "__main__":
    main()
