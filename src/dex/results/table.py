"""The tidy table: a row per gene and test, best first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dex.results.schema import COLUMNS, MARKER_SCORE, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dex.results.stored import StoredResult
    from dex.typing import Int


def results_frame(
    stored: StoredResult,
    tests: Sequence[int],
    genes: Sequence[str],
    *,
    gene_ids: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Rows of the tests ``tests`` (positions), best first within a test.

    Columns: ``gene``, ``gene_id`` if given, ``test``, ``per`` of strata, then the schema's columns
    that the result has. Only the arrays' columns of the tests asked for are read.
    """
    names = [name for name in COLUMNS if name in stored.columns]
    strata = bool(stored.strata)
    test_names, gene_names = stored.names, np.asarray(genes, dtype=object)
    frames = []
    for test in tests:
        order = best_first(stored, test)
        frame = pd.DataFrame({name: stored.values(name)[order, test] for name in names})
        if "status" in names:
            frame["status"] = status_words(frame["status"].to_numpy())
        frame.insert(0, "gene", gene_names[order])
        frame.insert(1, "test", test_names[test])
        if strata:
            frame.insert(2, "per", stored.field("per")[test])
        if gene_ids is not None:
            frame.insert(1, "gene_id", np.asarray(gene_ids, dtype=object)[order])
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def best_first(stored: StoredResult, test: int) -> Int:
    """Order of the genes by p-value, then by size of the statistic, then of log2fc; NaN last.

    Where there are no p-values it is by the score of markers, the largest first.
    """
    if not stored.has_pvalues:
        return np.argsort(-stored.values(MARKER_SCORE)[:, test], kind="stable")
    log10_pval, stat, log2fc = (
        stored.values(name)[:, test] for name in ("log10_pval", "stat", "log2fc")
    )
    return np.lexsort((-np.abs(log2fc), -np.abs(stat), log10_pval))


def status_words(codes: NDArray[np.int8]) -> pd.Categorical[str]:
    """Names of status codes, as in ``all_zero``."""
    words = pd.Index([status.name.lower() for status in Status])
    return pd.Categorical.from_codes(codes, categories=words)
