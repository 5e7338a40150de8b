"""A table of genes: their symbols, lengths, whatever else, found by the gene's name."""

from __future__ import annotations

import pandas as pd

from dex._logging import logger
from dex.errors import InputError
from dex.io._names import few
from dex.io._sheet import Key, Sheet

_ENSEMBL_VERSION = r"^(ENS[A-Z]*\d{11})\.\d+$"


class GeneSheet(Sheet):
    """A table with a row per gene; genes may be missing, and others may be there."""

    __slots__ = ()

    def match(self, genes: pd.Index) -> pd.DataFrame:
        """Rows of the sheet in the order of ``genes``, missing values where there is none.

        Versions of Ensembl identifiers, as the 4 of ``ENSG00000000003.4``, are let go where names
        match only without.

        Raises
        ------
        InputError
            No column names any of the genes.
        """
        wanted, keys = genes, self.keys()
        if not any(genes.isin(key.names).any() for key in keys):
            wanted = _unversioned(genes)
            keys = [Key(key.where, _unversioned(key.names), key.column) for key in keys]
        best = max(keys, key=lambda key: int(wanted.isin(key.names).sum()), default=None)
        if best is None or not wanted.isin(best.names).any():
            listed = few(keys[0].names) if keys else "nothing"
            msg = (
                f"{self.source} does not name the genes of the count table, which are {few(genes)}."
                f" It has {listed}. Genes are matched by name: give it a column with these names."
            )
            raise InputError(msg)
        first = best.names.drop_duplicates()
        at = pd.Series(range(len(best.names)), best.names)[~best.names.duplicated()]
        rows = at.reindex(wanted).fillna(-1).to_numpy().astype(int)
        self._tell(best, n_twice=len(best.names) - len(first), n_without=int((rows < 0).sum()))
        return self.described(best, rows, genes)

    def _tell(self, key: Key, *, n_twice: int, n_without: int) -> None:
        logger.info("Genes were matched by %s of %s.", key.where, self.source)
        if n_twice:
            logger.info("Rows that repeat a gene, the first of which counts: %s.", f"{n_twice:,}")
        if n_without:
            logger.info("Genes that it lacks, and that have missing values: %s.", f"{n_without:,}")


def _unversioned(names: pd.Index) -> pd.Index:
    return names.str.replace(_ENSEMBL_VERSION, r"\1", regex=True)
