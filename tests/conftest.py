"""What the tests of several rooms share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("dex", deadline=None)  # a busy machine is no failure
settings.load_profile("dex")


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Folder of the real data sets, with ``airway/counts.csv.gz`` and others in it."""
    root = os.environ.get("DEX_REALDATA")
    if not root:
        pytest.skip("the environment variable DEX_REALDATA does not point to the real data sets")
    folder = Path(root) / "data"
    assert folder.is_dir(), f"DEX_REALDATA={root} has no folder 'data'"
    return folder
