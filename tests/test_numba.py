"""The kernel cache: named after the sources, and not needed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import dex
from dex import _numba

SCRIPT = """
import numpy as np
from dex.stats.moments import group_moments
print(group_moments(np.array([[1.0], [3.0]]), np.zeros(2, np.intp), 1).mean.item())
"""


def run(tmp_path, **environment):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def test_hash_changes_with_any_source_that_may_hold_a_kernel(tmp_path):
    root = Path(dex.__file__).parent
    for room in ("stats", "data"):
        shutil.copytree(root / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    before = _numba.kernel_hash(tmp_path)
    assert before == _numba.kernel_hash(root)
    callee = tmp_path / "stats" / "moments.py"
    callee.write_text(callee.read_text() + "\n# edited\n")
    assert _numba.kernel_hash(tmp_path) != before


def test_kernels_are_written_to_the_folder_of_the_hash(tmp_path):
    assert run(tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "cache")) == 2.0
    (folder,) = (tmp_path / "cache").iterdir()
    assert folder.name == f"kernels-{_numba.kernel_hash(Path(dex.__file__).parent)}"
    assert list(folder.rglob("*.nbi"))


@pytest.mark.parametrize("obstacle", ["a file", "no home"])
def test_without_a_folder_kernels_compile_in_memory(tmp_path, obstacle):
    if obstacle == "a file":
        (tmp_path / "cache").write_text("in the way")
        environment = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    else:
        environment = {"NUMBA_CACHE_DIR": "", "XDG_CACHE_HOME": "/proc/nowhere"}
    assert run(tmp_path, **environment) == 2.0


def test_numba_settings_of_the_user_are_left_alone():
    import numba.core.config

    assert os.environ.get("NUMBA_CACHE_DIR", "") == numba.core.config.CACHE_DIR
