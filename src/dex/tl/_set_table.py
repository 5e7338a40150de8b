"""Answers of all contrasts become one table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.data.expression import stacked
from dex.design.wording import listed, plural
from dex.errors import InputError
from dex.stats.multitest import adjust_log10_pval
from dex.stats.set_overlap import representatives

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from dex.data.gene_sets import MatchedSets
    from dex.stats.gene_sets import SetIndex
    from dex.tl._set_model import SetAnswer, SetQuestion
    from dex.typing import Bool, Float, Int

_CONTRIBUTES = float(np.sqrt(2))
_SEPARATOR = ";"
_P_COLUMNS = {"log10_pval": ("pval", "padj"), "log10_pval_mixed": ("pval_mixed", "padj_mixed")}


@dataclass(frozen=True, slots=True)
class _Block:
    """Rows of one contrast and direction."""

    contrast: str
    sets: Int
    """Positions among all sets."""
    index: SetIndex
    direction: NDArray[Any]
    columns: dict[str, NDArray[Any]]


@dataclass(slots=True)
class SetTable:
    """Rows so far."""

    method: str
    matched: MatchedSets
    keep: Callable[[Int], Bool]
    """Which sizes are tested."""
    var_names: NDArray[Any]
    _blocks: list[_Block] = field(default_factory=list)
    _notes: dict[str, dict[str, None]] = field(default_factory=dict)
    """Of which contrasts each is, in order."""
    _kept: dict[str, Int] = field(default_factory=dict)

    def sets_of(self, genes: Bool) -> SetIndex:
        """Sets of the sizes wanted, as positions among some of the genes ``(n_vars,)``.

        Raises
        ------
        InputError
            If no set is left.
        """
        index = self.matched.index.among(genes)
        keep = self.keep(index.sizes)
        if not keep.any():
            sizes = index.sizes
            msg = (
                f"none of the {len(sizes)} sets is of a size to be tested: they have "
                f"{sizes.min()} to {sizes.max()} genes that were found and have a p-value; see "
                "min_size= and max_size=."
            )
            raise InputError(msg)
        return index.take(keep)

    def add(
        self, contrast: str, genes: Bool, question: SetQuestion, answers: list[SetAnswer]
    ) -> None:
        """Take the answers of one contrast."""
        positions = np.flatnonzero(self.keep(self.matched.index.among(genes).sizes))
        self._kept[contrast] = positions
        names = self.var_names[genes]
        for answer in answers:
            direction = _direction(answer)
            leading = answer.leading or _contributors(question, direction)
            columns = {
                "n_genes": question.sets.sizes.astype(np.int64),
                "n_given": self.matched.n_given[positions].astype(np.int64),
                "score": answer.score,
                "log10_pval": answer.log10_pval,
                **answer.columns,
                "leading_edge": np.array(
                    [_SEPARATOR.join(map(str, names[one])) for one in leading], dtype=object
                ),
            }
            index = question.sets
            self._blocks.append(_Block(contrast, positions, index, direction, columns))
            for note in answer.notes:
                self._notes.setdefault(note, {})[contrast] = None

    def tested(self) -> Int:
        """Positions of the sets tested in any contrast."""
        return np.unique(np.concatenate(list(self._kept.values())))

    def stored_sets(self) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
        """Names and genes of these."""
        tested = self.tested()
        names = tuple(self.matched.names[i] for i in tested)
        return names, tuple(tuple(map(str, self.var_names[self.matched.index[i]])) for i in tested)

    def notes(self) -> tuple[str, ...]:
        """What was said of the tests, each thing once."""
        n_given, n_tested = len(self.matched.names), len(self.tested())
        left = [self.matched.names[i] for i in np.setdiff1d(np.arange(n_given), self.tested())]
        said = f"{plural(n_tested, 'set')} tested."
        if left:
            said += f" Left out for their size: {len(left)} ({listed(left, limit=3)})."
        return (said, *(self._of_contrasts(*one) for one in self._notes.items()))

    @staticmethod
    def _of_contrasts(note: str, contrasts: dict[str, None]) -> str:
        names = list(contrasts)
        more = f" (So in {len(names) - 1} more.)" if len(names) > 1 else ""
        return f"{names[0]}: {note}{more}"

    def columns(self, method: str, scope: str, similarity: float) -> dict[str, NDArray[Any]]:
        """All rows, best first within each contrast, with adjusted p and representatives."""
        adjusted = {
            name: self._adjusted(name, method, scope)
            for name in _P_COLUMNS
            if name in self._blocks[0].columns
        }
        parts = [self._rows(i, adjusted, similarity) for i in range(len(self._blocks))]
        table = stacked(parts)
        contrasts = list(dict.fromkeys(block.contrast for block in self._blocks))
        rank = {name: i for i, name in enumerate(contrasts)}
        by_contrast = np.array([rank[name] for name in table["contrast"]])
        pval = np.nan_to_num(table["log10_pval"], nan=1.0)
        order = np.lexsort((-np.abs(table["score"]), pval, by_contrast))
        return {name: values[order] for name, values in table.items()}

    def _adjusted(self, name: str, method: str, scope: str) -> list[Float]:
        parts = [block.columns[name] for block in self._blocks]
        if scope == "test":
            return [_adjust(part, method) for part in parts]
        every = _adjust(np.concatenate(parts), method)
        return np.split(every, np.cumsum([len(part) for part in parts])[:-1])

    def _rows(
        self, i: int, adjusted: dict[str, list[Float]], similarity: float
    ) -> dict[str, NDArray[Any]]:
        block, names = self._blocks[i], np.array(self.matched.names, dtype=object)
        columns = dict(block.columns)
        for name, parts in adjusted.items():
            pval, padj = _P_COLUMNS[name]
            columns |= {pval: 10.0 ** columns[name], padj: 10.0 ** parts[i]}
            columns[f"log10_{padj}"] = parts[i]
        return {
            "contrast": np.full(len(block.sets), block.contrast, dtype=object),
            "gene_set": names[block.sets],
            "method": np.full(len(block.sets), self.method, dtype=object),
            "direction": block.direction,
            **columns,
            "representative": names[block.sets][_stand_ins(block, similarity)],
        }


def _stand_ins(block: _Block, similarity: float) -> Int:
    """Of the sets of either direction among themselves."""
    out = np.arange(len(block.sets))
    pval = block.columns["log10_pval"]
    order = np.argsort(np.nan_to_num(pval, nan=1.0), kind="stable")
    for direction in dict.fromkeys(block.direction):
        there = block.direction == direction
        same, number = np.flatnonzero(there), np.cumsum(there) - 1
        ranked = number[order[there[order]]]
        out[same] = same[representatives(block.index.take(there), ranked, similarity=similarity)]
    return out


def _direction(answer: SetAnswer) -> NDArray[Any]:
    if answer.direction:
        return np.full(len(answer.score), answer.direction, dtype=object)
    return np.where(answer.score < 0, "down", "up").astype(object)


def _contributors(question: SetQuestion, direction: NDArray[Any]) -> list[Int]:
    """Genes of each set that change as it does, with a z of the root of 2 or more."""
    sets, out = question.sets, []
    for i, sign in enumerate(np.where(direction == "down", -1.0, 1.0)):
        size = sign * question.metric[sets[i]]
        some = np.flatnonzero(size >= _CONTRIBUTES)
        out.append(sets[i][some[np.argsort(-size[some], kind="stable")]])
    return out


def _adjust(log10_pval: Float, method: str) -> Float:
    return adjust_log10_pval(log10_pval, method)
