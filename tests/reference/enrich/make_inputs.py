"""Inputs of make.R: logs of genes that share factors, weights, and sets of several sizes."""

import gzip
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
N_VARS, N_OBS = 240, 12


def write(name, table, columns):
    with gzip.GzipFile(FOLDER / name, "wb", mtime=0) as stream:
        stream.write((",".join(columns) + "\n").encode())
        np.savetxt(stream, table, fmt="%.6g", delimiter=",")


rng = np.random.default_rng(9)
group = np.repeat([0, 1, 2], 4)
batch = np.tile([0, 1], 6)
values = rng.normal(6, 2, N_VARS) + rng.normal(size=(N_OBS, N_VARS)) * np.sqrt(
    0.3 / rng.chisquare(5, N_VARS) * 5
)
sets = [np.arange(20), np.arange(10, 40), np.arange(40, 42), np.arange(60, 130)]
sets += [np.sort(rng.choice(N_VARS, size, replace=False)) for size in (1, 3, 8, 15, 50, 120, 200)]
for members, share in zip(sets[:4], (0.5, 0.8, 0.9, 0.3), strict=True):
    values[:, members] += share * rng.normal(size=(N_OBS, 1))
values[:, sets[0]] += 0.7 * (group == 1)[:, None]
values[:, sets[3][:30]] -= 1.0 * (group == 2)[:, None]
values[:, sets[1]] += rng.choice([-0.8, 0.8], len(sets[1])) * (group == 2)[:, None]
genes = [f"g{j + 1}" for j in range(N_VARS)]
write("values.csv.gz", values, genes)
write("weights.csv.gz", rng.gamma(3, 1 / 3, values.shape), genes)
names = ["group", "batch", "donor"]
np.savetxt(
    FOLDER / "samples.csv",
    np.column_stack([group, batch, np.arange(N_OBS) // 2]),
    fmt="%d",
    delimiter=",",
    header=",".join(names),
    comments="",
)
lines = [
    "\t".join([f"set{i + 1}", "", *(genes[j] for j in members)]) for i, members in enumerate(sets)
]
(FOLDER / "sets.gmt").write_text("\n".join(lines) + "\n")
