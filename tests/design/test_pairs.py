"""Pairs: one observation on each side of every block."""

import numpy as np
import pandas as pd
import pytest

from dex.design.groups import Groups
from dex.design.pairs import matched_pairs
from dex.errors import DesignError, InputError
from dex.typing import REST


@pytest.fixture
def obs():
    return pd.DataFrame(
        {"drug": ["b", "a", "a", "b", "b", "a", "c"], "donor": ["x", "x", "y", "y", "z", "w", "x"]}
    )


def pairs(obs, group, reference, block="donor"):
    groups = Groups.from_obs(obs, "drug", reference="a")
    levels = [*groups.levels, "rest"]
    test = np.array([levels.index(group), REST if reference == "rest" else levels.index(reference)])
    return matched_pairs(obs, groups, test, block=block)


def test_observations_are_matched_by_block_not_by_position(obs):
    found = pairs(obs, "b", "a")
    assert {tuple(row) for row in found.rows.tolist()} == {(0, 1), (3, 2)}
    assert found.notes == ("2 unpaired observations left out: donor 'w', 'z'.",)


def test_complete_pairs_need_no_note(obs):
    assert pairs(obs[:4], "b", "a").notes == ()


def test_missing_blocks_are_unpaired(obs):
    obs.loc[1, "donor"] = None
    with pytest.raises(DesignError, match=r"1 level of obs.* at least 2 pairs"):
        pairs(obs, "b", "a")


def test_several_observations_in_a_block_are_refused(obs):
    obs.loc[4, "donor"] = "x"
    with pytest.raises(DesignError, match=r"'x' has 2 observations in 'b'.*~ donor \+ drug"):
        pairs(obs, "b", "a")


def test_block_must_be_named_and_there(obs):
    with pytest.raises(InputError, match=r"needs block=.*'drug', 'donor'"):
        pairs(obs, "b", "a", block=None)
    with pytest.raises(InputError, match=r"block='doner' is not in obs.*'donor'"):
        pairs(obs, "b", "a", block="doner")


def test_the_rest_has_no_pairs(obs):
    with pytest.raises(InputError, match="needs a reference= among"):
        pairs(obs, "b", "rest")
