"""The report of cell types that were tested apart."""

from __future__ import annotations

import re

import numpy as np

import dex


def test_strata_are_said_and_drawn(tmp_path):
    cells = dex.datasets.simulate_counts(
        80, 3, cells_per_replicate=60, mean_count=0.25, paired=True, seed=6
    )
    within = np.tile(np.arange(60), 6)
    cells.obs["cell_type"] = np.select([within < 2, within < 30], ["rare", "B"], "T")
    dex.tl.rank_genes(
        cells,
        "condition",
        design="~ replicate + condition",
        replicate="replicate",
        per="cell_type",
        method="ols",
    )
    dex.report.write(cells, tmp_path / "report.html", max_figures=1)
    document = (tmp_path / "report.html").read_text()
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", document))
    assert "on 12 samples, made of cells by replicate, each level of cell_type by itself" in words
    assert "Each of the 3 levels of cell_type was analysed by itself" in words
    assert "within each test (and, as padj_global, over all of cell_type)" in words
    assert "Analysed apart: cell_type" in words
    assert "too few samples (0 of 'control', 0 of 'treated')" in words.replace("&#x27;", "'")
    assert '"B, control","B, treated","T, control","T, treated"' in document
    assert "not in the design" not in words.split("Why are there few")[1].split("Methods")[0]
