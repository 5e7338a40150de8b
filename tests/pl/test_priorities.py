from __future__ import annotations

import numpy as np

import dex
from dex.pl._theme import DOWN


def test_bars_are_the_areas(bulk):
    bulk.uns["prioritize"] = {
        "made_by": "dex.tl.prioritize",
        "params": {"group": "treated", "reference": "control", "n_cells": 20},
        "types": np.array(["B", "$T_{", "NK"], dtype=object),
        "auc": np.array([0.6, 0.9, np.nan]),
        "null_mean": np.array([0.5, 0.5, np.nan]),
        "null_sd": np.array([0.1, 0.1, np.nan]),
        "pval": np.array([0.3, 0.01, np.nan]),
        "padj": np.array([0.3, 0.02, np.nan]),
        "n_group": np.array([4, 4, 1]),
        "n_reference": np.array([4, 3, 1]),
        "n_possible": np.array([70.0, 35, np.nan]),
    }
    ax = dex.pl.priorities(bulk)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["$T_{", "B"]
    bars = [bar for bar in ax.patches if bar.get_height() < 0.6]
    np.testing.assert_allclose([bar.get_width() for bar in bars], [0.4, 0.1])
    blue = [np.allclose(bar.get_facecolor()[2], int(DOWN[5:], 16) / 255) for bar in bars]
    assert blue == [True, False]
    assert ax.get_title() == "treated vs control"
