"""A table of genes: their symbols, lengths, whatever else, found by the gene's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dex._logging import logger
from dex.errors import InputError
from dex.io._names import few
from dex.io._sheet import Key, Sheet

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_ENSEMBL_VERSION = r"^(ENS[A-Z]*\d{11})\.\d+$"


class GeneSheet(Sheet):
    """A table with a row per gene; genes may be missing, and others may be there."""

    __slots__ = ()

    def match(self, genes: pd.Index) -> pd.DataFrame:
        """Rows of the sheet in the order of ``genes``, missing values where there is none.

        Versions of Ensembl identifiers, as the 4 of ``ENSG00000000003.4``, are let go for genes
        that match only without.

        Raises
        ------
        InputError
            No column names any of the genes.
        """
        found = {key: _places(key.names, genes) for key in self.keys()}
        best = max(found, key=lambda key: int((found[key] >= 0).sum()), default=None)
        if best is None or not (found[best] >= 0).any():
            listed = few(best.names) if best is not None else "nothing"
            msg = (
                f"{self.source} does not name the genes of the count table, which are {few(genes)}."
                f" It has {listed}. Genes are matched by name: give it a column with these names."
            )
            raise InputError(msg)
        n_twice = len(best.names) - len(best.names.drop_duplicates())
        self._tell(best, n_twice=n_twice, n_without=int((found[best] < 0).sum()), n=len(genes))
        return self.described(best, found[best], genes)

    def _tell(self, key: Key, *, n_twice: int, n_without: int, n: int) -> None:
        logger.info("Genes were matched by %s of %s.", key.where, self.source)
        if n_twice:
            logger.info("Rows that repeat a gene, the first of which counts: %s.", f"{n_twice:,}")
        if n_without:
            say = logger.warning if 2 * n_without > n else logger.info
            words = "Genes that it lacks, and that have missing values: %s of %s."
            say(words, f"{n_without:,}", f"{n:,}")


def _places(names: pd.Index, genes: pd.Index) -> NDArray[np.intp]:
    """Position of each gene among names, the first of several; -1 without one.

    What is not there as it is is looked for without the versions of Ensembl identifiers.
    """
    exact, bare = _first(names, genes), _first(_unversioned(names), _unversioned(genes))
    return np.where(exact >= 0, exact, bare)


def _first(names: pd.Index, genes: pd.Index) -> NDArray[np.intp]:
    once = ~names.duplicated()
    at = names[once].get_indexer(genes)
    return np.where(at >= 0, np.flatnonzero(once)[at], -1)


def _unversioned(names: pd.Index) -> pd.Index:
    return names.str.replace(_ENSEMBL_VERSION, r"\1", regex=True)
