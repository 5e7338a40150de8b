"""The kernel cache: named after the sources, and not needed."""

import ast
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


@pytest.mark.parametrize(
    ("edited", "same"), [("profile_grid", False), ("nb", False), ("lowess", True)]
)
def test_hash_changes_with_the_sources_that_a_kernel_uses(tmp_path, monkeypatch, edited, same):
    root = Path(dex.__file__).parent
    for room in ("stats", "data"):
        shutil.copytree(root / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "_numba.py", tmp_path)
    source = root / "stats" / "profile_grid.py"
    before = _numba.kernel_hash(source)
    callee = tmp_path / "stats" / f"{edited}.py"
    callee.write_text(callee.read_text() + "\n# edited\n")
    monkeypatch.setattr(_numba, "_ROOT", tmp_path)
    _numba._read.cache_clear()
    after = _numba.kernel_hash(tmp_path / "stats" / "profile_grid.py")
    _numba._read.cache_clear()
    assert (after == before) == same


def test_every_import_that_may_bring_a_kernel_is_seen():
    for room in ("stats", "data"):
        for source in (Path(dex.__file__).parent / room).glob("*.py"):
            tree = ast.walk(ast.parse(source.read_text()))
            modules = {node.module for node in tree if isinstance(node, ast.ImportFrom)}
            kernels = {name for name in modules if name.startswith(("dex.stats", "dex.data"))}
            assert {f"dex.{path.parent.name}.{path.stem}" for path in _numba._read(source)[1]} == (
                kernels
            ), source


def test_kernels_are_written_to_the_folder_of_the_hash(tmp_path):
    assert run(tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "cache")) == 2.0
    source = Path(dex.__file__).parent / "stats" / "moments.py"
    folder = tmp_path / "cache" / f"moments-{_numba.kernel_hash(source)}"
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
