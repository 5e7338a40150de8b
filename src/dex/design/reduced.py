"""A smaller design inside a larger one: what a test against it asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dex.design.matrix import Design
from dex.design.wording import listed
from dex.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def dropped_coefficients(obs: pd.DataFrame, design: Design, reduced: object) -> list[str]:
    """Names of the coefficients of ``design`` whose terms ``reduced`` has not.

    That all of them are zero is the null hypothesis of a likelihood ratio or F test of the designs.

    Raises
    ------
    InputError
        If the reduced design has a term that the design lacks, or lacks none.

    Examples
    --------
    >>> import pandas as pd
    >>> obs = pd.DataFrame({"drug": ["a", "b", "c"] * 2, "batch": list("xxxyyy")})
    >>> dropped_coefficients(obs, Design.from_obs(obs, "~ batch + drug"), "~ batch")
    ['drug[T.b]', 'drug[T.c]']
    """
    if not isinstance(reduced, str):
        msg = f"reduced={reduced!r} is no formula; write the terms that are left, '~ batch'."
        raise InputError(msg)
    left = Design.from_obs(obs[design.kept], reduced).terms
    beyond = [term for term in left if term not in design.terms]
    if beyond:
        msg = (
            f"reduced={reduced!r} has {listed(beyond)}, which {design.text} lacks; it takes terms "
            f"out of {listed(design.terms)}."
        )
        raise InputError(msg)
    places = [i for term, columns in design.terms.items() if term not in left for i in columns]
    if not places:
        msg = f"reduced={reduced!r} has all terms of {design.text}; leave out those to be tested."
        raise InputError(msg)
    return [design.columns[i] for i in places if i in design.estimable]
