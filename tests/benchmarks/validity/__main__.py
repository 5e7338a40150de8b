"""Run parts of the suite, and make the table and the figure of all that has been run."""

from __future__ import annotations

import argparse
import io
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from PIL import Image

from validity.data_sets import scenarios
from validity.figure import draw
from validity.methods import scores_of
from validity.r_side import RSide

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PARTS = ("V1", "V2", "V3", "V4", "V5")
BY_R = ("V1", "V2", "V3", "V5")
CASE = ["part", "scenario", "n", "method", "by"]


def main() -> None:
    """Read the command line, run, write."""
    options = _parser().parse_args()
    logging.getLogger("dex").setLevel(logging.ERROR)
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    r = None
    if options.rscript:
        folder = options.folder or out / "exchange"
        r = RSide(options.rscript, folder, options.r_folder or str(folder))
    for part in options.parts:
        for scenario in scenarios(part):
            if options.only and scenario.name not in options.only:
                continue
            if options.sizes and scenario.n not in options.sizes:
                continue
            last = min(options.first_set + options.n_sets, scenario.most)
            seeds = range(options.first_set, last)
            rows = [
                row for seed in seeds for row in scores_of(scenario.data_set(seed), options.methods)
            ]
            if r is not None and part in BY_R:
                rows += r.scores_of([scenario.data_set(seed) for seed in seeds[: options.n_sets_r]])
            _keep(pd.DataFrame(rows), out / f"runs_{part}.csv")
            print(part, scenario.name, scenario.n, flush=True)
    table = summarise(pd.concat(map(pd.read_csv, sorted(out.glob("runs_*.csv")))))
    table.to_csv(out / "validity.csv", index=False)
    _save(draw(table), out / "validity.png")


def _save(figure: Figure, file: Path) -> None:
    """In 256 colours: a third of the size, and nothing to be seen of it."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=150)
    Image.open(drawn).convert("RGB").quantize(256, method=Image.Quantize.FASTOCTREE).save(
        file, optimize=True
    )


def summarise(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard error of every score, a row per method and scenario."""
    grouped = runs.groupby(CASE, sort=False)
    scores = [name for name in runs if name not in {*CASE, "seed"}]
    mean, se = grouped[scores].mean(), grouped[scores].sem().add_suffix("_se")
    table = mean.join(se)
    table.insert(0, "n_sets", grouped.size())
    return table.reset_index().round(6)


def _keep(rows: pd.DataFrame, file: Path) -> None:
    """Add rows to those of earlier runs, of which the same data sets are replaced."""
    if file.exists():
        rows = pd.concat([pd.read_csv(file), rows])
    rows.drop_duplicates([*CASE, "seed"], keep="last").to_csv(file, index=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m validity", description=__doc__)
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--only", nargs="+", metavar="SCENARIO", help="by name, as 'clean'")
    parser.add_argument("--sizes", type=int, nargs="+", metavar="N", help="samples per group")
    parser.add_argument("--methods", nargs="+", default=(), help="of dex; by default all")
    parser.add_argument("--n-sets", type=int, default=200, help="data sets of each scenario: 200")
    parser.add_argument("--first-set", type=int, default=0, help="its seed, to go on from: 0")
    parser.add_argument("--n-sets-r", type=int, default=40, help="of these, by R too: 40")
    parser.add_argument(
        "--rscript",
        default=os.environ.get("DEX_RSCRIPT", ""),
        metavar="COMMAND",
        help="how R with edgeR and DESeq2 is called, as 'Rscript'; also DEX_RSCRIPT",
    )
    parser.add_argument("--folder", type=Path, metavar="DIR", help="for files to R; emptied")
    parser.add_argument("--r-folder", metavar="DIR", help="where R finds it")
    return parser


if __name__ == "__main__":
    main()
