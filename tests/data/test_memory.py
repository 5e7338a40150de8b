"""An amount of memory is read as people write it."""

import pytest

from dex.data.memory import memory_limit
from dex.errors import InputError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2GB", 2 * 10**9),
        ("1.5 gb", 15 * 10**8),
        ("512MiB", 2**29),
        (10**9, 10**9),
        (1e9, 10**9),
        (None, None),
    ],
)
def test_amounts(given, expected):
    assert memory_limit(given) == expected


@pytest.mark.parametrize("given", ["much", "2 XB", "-1GB", True, "", float("nan"), [1]])
def test_what_is_no_amount_is_refused(given):
    with pytest.raises(InputError, match=r"not an amount of memory; say '2GB'"):
        memory_limit(given)


def test_too_little_is_refused():
    with pytest.raises(InputError, match="too little to read genes in; give '64MiB' or more"):
        memory_limit("1MB")
