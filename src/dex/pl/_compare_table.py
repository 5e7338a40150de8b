"""Several tests of the same genes: what was found in which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from dex.errors import InputError
from dex.get._compare import compare_df, compared_tests
from dex.get._symbols import find_genes
from dex.pl._limits import check_limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from anndata import AnnData

    from dex.typing import Bool, Float, Int

Direction = Literal["both", "up", "down"]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Genes in rows, tests in columns."""

    genes: tuple[str, ...]
    labels: tuple[str, ...]
    """Of the tests, short: what they have in common is left to ``common``."""
    common: str
    """What is true of all tests, as in ``against the rest``; may be empty."""
    tests: pd.DataFrame
    log2fc: Float
    """``(n_genes, n_tests)``; NaN where a test has none."""
    log10_pval: Float
    log10_padj: Float
    significant: Bool
    """``(n_genes, n_tests)``."""
    log10_limit: float
    """log10 of the largest adjusted p-value of a significant gene."""
    direction: Direction = "both"
    """Of the significant genes."""

    @classmethod
    def from_adata(
        cls,
        adata: AnnData,
        test: str | int | Sequence[str | int] | None,
        *,
        key: str | Sequence[str],
        per: str | Sequence[str] | None = None,
        padj: float,
        log2fc: float,
        direction: Direction,
        gene_symbols: str | None,
    ) -> SideBySide:
        """Read the statistics of the tests asked for.

        Raises
        ------
        InputError
            If there is no such result or test, or only one, or if the limits are none.
        """
        check_limits(padj=padj, log2fc=log2fc)
        _check(direction)
        tests = compared_tests(adata, test, key=key, per=per)
        if len(tests) < 2:
            msg = (
                f"there is one test, {tests['label'].iloc[0]!r}, and nothing to compare it with; "
                "give several with test=, or several results with key=."
            )
            raise InputError(msg)
        effect, log10_pval, log10_padj = (
            compare_df(adata, test, key=key, per=per, column=column, gene_symbols=gene_symbols)
            for column in ("log2fc", "log10_pval", "log10_padj")
        )
        values = effect.to_numpy()
        limit = float(np.log10(padj))
        found = log10_padj.to_numpy() <= limit
        if log2fc > 0:
            found &= np.abs(values) >= log2fc
        if direction != "both":
            found &= np.sign(values) == (1 if direction == "up" else -1)
        labels, common = short_labels(tests)
        return cls(
            tuple(map(str, effect.index)),
            labels,
            common,
            tests,
            values,
            log10_pval.to_numpy(),
            log10_padj.to_numpy(),
            found,
            limit,
            direction,
        )

    @property
    def n_tests(self) -> int:
        """Tests compared."""
        return len(self.labels)

    @property
    def are_markers(self) -> bool:
        """Whether every test is of a group of its own against the same."""
        groups, references = self.tests["group"], self.tests["reference"]
        return bool((groups != "").all() and groups.is_unique and _is_one(references))

    def best(self, n: int) -> Int:
        """Positions of ``n`` genes: the best of every test, then the second of every test, ...

        These are significant in the test that they are taken from; if no gene is, in any test, the
        best by p-value are taken.
        """
        usable = self.significant if self.significant.any() else ~np.isnan(self.log10_pval)
        p = np.where(usable, self.log10_pval, np.inf)
        order = np.lexsort((-np.abs(np.nan_to_num(self.log2fc)), p), axis=0)[:n]
        taken = np.take_along_axis(usable, order, axis=0).ravel()
        return np.array(list(dict.fromkeys(order.ravel()[taken]))[:n], dtype=np.intp)


def short_labels(tests: pd.DataFrame) -> tuple[tuple[str, ...], str]:
    """Names of tests without what they have in common, and that.

    Examples
    --------
    >>> import pandas as pd
    >>> tests = pd.DataFrame({"name": ["T vs rest", "B vs rest"], "group": ["T", "B"]})
    >>> short_labels(tests.assign(reference="rest", per="", key="rank_genes"))
    (('T', 'B'), 'each against the rest')
    """
    names, common = _within_key(tests)
    keys = list(tests["key"])
    if len(set(keys)) == 1:
        return tuple(names), common
    if len(set(names)) == 1:
        return tuple(keys), str(tests["name"].iloc[0])
    return tuple(f"{key}: {name}" for key, name in zip(keys, names, strict=True)), common


def _within_key(tests: pd.DataFrame) -> tuple[list[str], str]:
    group, reference, per = tests["group"], tests["reference"], tests["per"]
    twice = tests.duplicated(["key", "group"]).any()
    if (group != "").all() and not twice and _is_one(reference) and len(set(per)) == 1:
        words = "the rest" if reference.iloc[0] == "rest" else reference.iloc[0]
        return list(group), f"each against {words}"
    twice = tests.duplicated(["key", "per"]).any()
    if (per != "").all() and not twice and _is_one(reference) and _is_one(group):
        return list(per), f"{group.iloc[0]} against {reference.iloc[0]}"
    return list(tests["name"]), ""


def _is_one(words: pd.Series) -> bool:
    """Whether all are the same word."""
    return len(set(words)) == 1 and words.iloc[0] != ""


def genes_asked(
    adata: AnnData, genes: Sequence[str] | None, *, gene_symbols: str | None
) -> Int | None:
    """Positions of the genes that the user names; None where none are named.

    Raises
    ------
    InputError
        If a gene is not there, or if the list is empty.
    """
    if genes is None:
        return None
    named = [genes] if isinstance(genes, str) else list(genes)
    if not named:
        msg = f"genes={genes!r} is not a list of at least one gene."
        raise InputError(msg)
    found = find_genes(adata, named, gene_symbols)
    return np.array(list(dict.fromkeys(found)), dtype=np.intp)


def _check(direction: str) -> None:
    if direction not in {"up", "down", "both"}:
        msg = f"direction={direction!r} is not known; it is 'up', 'down' or 'both'."
        raise InputError(msg)
