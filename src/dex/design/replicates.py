"""Which columns of ``obs`` look like the independent unit, and which like clusters of cells."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from dex.design.labels import Labels, column_of, is_numeric

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNIT_WORDS: Final = frozenset(
    """
    donor donors sample samples replicate replicates rep biorep patient patients subject subjects
    individual individuals ind indiv participant participants person animal animals mouse mice
    rat rats fish embryo embryos larva organoid organoids monkey macaque pig litter library
    libraries orig ident
    """.split()  # noqa: SIM905 - a list literal takes forty lines
)
_NOT_A_UNIT: Final = frozenset(
    """
    type types size sizes date age sex n num number count counts weight time source site status
    group groups condition tissue origin strain disease stage score qc batch tech technical techrep
    """.split()  # noqa: SIM905 - a list literal takes forty lines
)
_CLUSTER: Final = re.compile(
    r"\b(leiden|louvain|(seurat|cell|meta|sub)?clusters?|cell ?(types?|states?|labels?|typist)|"
    r"cell ?(identity|ontology)|annotations?|annot|bulk ?labels|subclass|pheno ?graph|"
    r"predicted ?labels?|majority ?voting|single ?r|broad ?types?)\b"
)
_PHASE = "phase"
"""Of the cell cycle, if that is all of the name: a ``treatment_phase`` is a condition."""
_MAX_NUMERIC_GROUPS = 20
"""Different numbers beyond which a numeric column makes no groups."""
_MIN_PER_UNIT = 5
"""Observations per unit, on average, below which a column is no grouping of cells."""


def replicate_candidates(obs: pd.DataFrame, groupby: str) -> tuple[str, ...]:
    """Columns of ``obs`` that may name the independent unit of cells: donors, samples, animals.

    A column counts if its name says so (``donor_id``, ``orig.ident``), if it has at least two
    levels and five observations per level on average, and if some group of ``groupby`` has
    observations in two of its levels, so that there is replication. Where ``groupby`` holds
    numbers it also counts if each of three levels or more has one number, as donors have an age.
    A batch is not a unit.

    Examples
    --------
    >>> import pandas as pd
    >>> obs = pd.DataFrame({"donor_id": ["d1", "d2", "d3", "d4"] * 10, "drug": ["a", "b"] * 20})
    >>> replicate_candidates(obs, "drug")
    ('donor_id',)
    """
    compared = column_of(obs, groupby, argument="groupby")
    groups = Labels.from_column(compared)
    numeric = is_numeric(compared)
    grouped = not numeric or len(groups.levels) <= _MAX_NUMERIC_GROUPS
    names = [name for name in obs.columns if name != groupby and _names_a_unit(str(name))]
    found = []
    for name in names:
        column = obs[name]
        if is_numeric(column) and column.dtype.kind == "f":
            continue
        units = Labels.from_column(column)
        if not 2 <= len(units.levels) <= len(obs) // _MIN_PER_UNIT:
            continue
        if (grouped and _replicates(units, groups)) or (numeric and _describes(units, groups)):
            found.append(str(name))
    return tuple(found)


def repeated_units(obs: pd.DataFrame, groupby: str, *, least: int) -> tuple[str, ...]:
    """Columns that name units with several observations each, all with the same ``groupby``.

    As patients with several biopsies. Whether a column that crosses groups numbers replicates or
    names who is in several groups cannot be told from so few observations, and it does not count.
    Every group has ``least`` units, so that it can be learnt and tested.

    Examples
    --------
    >>> import pandas as pd
    >>> obs = pd.DataFrame(
    ...     {"patient": list("aabbccdd"), "rep": [1, 2] * 4, "ill": [0] * 4 + [1] * 4}
    ... )
    >>> repeated_units(obs, "ill", least=2)
    ('patient',)
    """
    groups = Labels.from_column(column_of(obs, groupby, argument="groupby"))
    found = []
    for name in obs.columns:
        if name == groupby or not _names_a_unit(str(name)) or obs[name].dtype.kind == "f":
            continue
        units = Labels.from_column(obs[name])
        pairs = np.unique(np.column_stack([units.codes, groups.codes]), axis=0)
        if not len(pairs) == len(units.levels) < len(obs) or (pairs < 0).any():
            continue
        if np.bincount(pairs[:, 1]).min() >= least:
            found.append(str(name))
    return tuple(found)


def without_synonyms(
    obs: pd.DataFrame, candidates: Sequence[str], compared: Sequence[str]
) -> tuple[str, ...]:
    """Leave one of the columns that make the same samples within the levels compared.

    A donor in either condition is a sample: ``donor`` and ``sample`` then divide the cells of a
    condition alike. The one with the fewest levels is left, as it tells which samples are pairs.

    Examples
    --------
    >>> import pandas as pd
    >>> obs = pd.DataFrame(
    ...     {
    ...         "sample": ["s1", "s2", "s3", "s4"],
    ...         "donor": ["d1", "d2"] * 2,
    ...         "drug": ["a"] * 2 + ["b"] * 2,
    ...     }
    ... )
    >>> without_synonyms(obs, ["sample", "donor"], ["drug"])
    ('donor',)
    """
    kinds: dict[bytes, list[str]] = {}
    for name in candidates:
        kinds.setdefault(_partition(obs, [name, *compared]), []).append(name)
    return tuple(min(same, key=lambda name: obs[name].nunique()) for same in kinds.values())


def _partition(obs: pd.DataFrame, names: Sequence[str]) -> bytes:
    """Which observations belong together, whatever their labels are called."""
    together = obs.groupby(list(names), observed=True, sort=False, dropna=False).ngroup()
    return bytes(pd.factorize(together)[0].astype(np.int64).tobytes())


def unit_columns(obs: pd.DataFrame) -> tuple[str, ...]:
    """Columns whose names say that they hold donors, samples or animals."""
    return tuple(str(name) for name in obs.columns if _names_a_unit(str(name)))


def looks_like_clusters(groupby: str) -> bool:
    """Whether a column's name says clusters or cell types, which are made from the same data.

    >>> [looks_like_clusters(name) for name in ("leiden_r0.5", "cell_type", "bulk_labels", "drug")]
    [True, True, True, False]
    """
    words = " ".join(_words(groupby))
    return groupby.lower() == _PHASE or _CLUSTER.search(words) is not None


def _names_a_unit(name: str) -> bool:
    """Whether a word of the name is a unit, and none says that it is something about one."""
    words = _words(name)
    return bool(_UNIT_WORDS.intersection(words)) and not _NOT_A_UNIT.intersection(words)


def _words(name: str) -> list[str]:
    """Words of a name, in lower case: ``cell``, ``type`` of ``CellType``, ``cell.type_2``."""
    return re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())


def _replicates(units: Labels, groups: Labels) -> bool:
    """Whether some group has observations in two units, and two groups have observations at all."""
    both = (units.codes >= 0) & (groups.codes >= 0)
    pairs = np.unique(np.column_stack([groups.codes[both], units.codes[both]]), axis=0)
    units_per_group = np.bincount(pairs[:, 0])
    return bool(np.any(units_per_group >= 2) and np.sum(units_per_group > 0) >= 2)


def _describes(units: Labels, values: Labels) -> bool:
    """Whether a number is one of each unit, as its age: three units, two values of them."""
    both = (units.codes >= 0) & (values.codes >= 0)
    pairs = np.unique(np.column_stack([units.codes[both], values.codes[both]]), axis=0)
    n_units, n_values = (len(np.unique(column)) for column in pairs.T)
    return len(pairs) == n_units >= 3 and n_values >= 2
