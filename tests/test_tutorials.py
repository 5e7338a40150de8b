"""The tutorials: each notebook is its script without outputs, and runs as a reader would run it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

import dex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbformat import NotebookNode

FOLDER = Path(__file__).parents[1] / "tutorials"
SCRIPTS = sorted(FOLDER.glob("*.py"))
SECONDS_PER_CELL = 120
"""Compiling on a busy machine; a whole notebook takes a quarter of it on two idle cores."""
DRAWS = re.compile(r"dex\.pl\.\w+\(|sc\.pl\.\w+\(|plt\.(figure|subplots)\(")
NOWHERE = "http://127.0.0.1:9"
"""A proxy that nobody is: whatever asks the network fails."""


def cells(notebook: NotebookNode) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source.strip()) for cell in notebook.cells]


def streams(notebook: NotebookNode, name: str) -> Iterator[str]:
    """Lines that a reader sees; a progress bar overwrites itself with carriage returns."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "stream" and output.name == name:
                yield from (line for line in re.split(r"[\r\n]", output.text) if line.strip())


def images(cell: NotebookNode) -> int:
    return sum("image/png" in output.get("data", {}) for output in cell.outputs)


def test_the_tutorials_are_there():
    assert [path.stem for path in SCRIPTS] == [
        "01_quickstart",
        "02_designs",
        "03_gallery",
        "04_why_nan",
        "05_cells_and_donors",
        "06_gene_sets",
        "07_learning",
    ]
    assert [path.stem for path in sorted(FOLDER.glob("*.ipynb"))] == [p.stem for p in SCRIPTS]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_notebook_and_script_are_in_sync(script: Path):
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    assert cells(notebook) == cells(jupytext.read(script)), "run: jupytext --sync tutorials/*.py"
    assert notebook.metadata.jupytext.formats == "ipynb,py:percent"
    assert notebook.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_notebook_is_stored_without_outputs(script: Path):
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs for cell in code)
    assert all(cell.execution_count is None for cell in code)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_notebook_runs(script: Path, tmp_path: Path):
    notebook = run(script.with_suffix(".ipynb"), tmp_path)

    drawing = [cell for cell in notebook.cells if cell.cell_type == "code" and draws(cell.source)]
    assert drawing
    assert [cell.source for cell in drawing if not images(cell)] == []
    assert {line for line in streams(notebook, "stderr") if not known(line)} == set()
    assert not any("warning" in line.lower() for line in streams(notebook, "stdout"))
    assert not any(echoes(cell) for cell in drawing)
    assert list((tmp_path / "here").iterdir()) == []
    assert list((tmp_path / "temporary").iterdir()) == []


def run(path: Path, folder: Path) -> NotebookNode:
    """Run a notebook in an empty folder, in this Python, with this ``dex`` and without network."""
    here, temporary = folder / "here", folder / "temporary"
    here.mkdir()
    temporary.mkdir()
    environment = {name: text for name, text in os.environ.items() if name != "MPLBACKEND"}
    source = str(Path(dex.__file__).parents[1])
    environment |= {
        "PYTHONPATH": os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH")])),
        "IPYTHONDIR": str(folder / "ipython"),
        "TMPDIR": str(temporary),
        "http_proxy": NOWHERE,
        "https_proxy": NOWHERE,
    }
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=SECONDS_PER_CELL, resources={"metadata": {"path": str(here)}}
    )
    client.execute(env=environment)
    return notebook


def draws(source: str) -> bool:
    """Whether a figure of the cell is shown: one that is returned goes to its caller alone."""
    return bool(DRAWS.search(source)) and "return_fig=True" not in source


def echoes(cell: NotebookNode) -> bool:
    """Whether the reader sees ``<Axes: ...>``."""
    results = [out.data for out in cell.outputs if out.output_type == "execute_result"]
    return any("Axes" in data.get("text/plain", "") for data in results)


def known(line: str) -> bool:
    """Notes of dex, and its bars where a step takes long."""
    return line.startswith("dex: ") or "it/s]" in line or "s/it]" in line
