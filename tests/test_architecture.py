"""The arrows between the rooms, read out of the source, imports inside functions included."""

import ast
from pathlib import Path

import pytest

import dex

SOURCE = Path(dex.__file__).parent
ANYWHERE = {"_numba", "_logging", "_progress", "typing", "errors"}
# Each room, from the bottom up, and the rooms below it that it may import.
ROOMS = {
    "stats": set(),
    "learn": {"stats"},
    "design": {"stats"},
    "data": {"stats"},
    "results": {"data", "design", "stats"},
    "get": {"results", "data", "design", "stats"},
    "tl": {"get", "results", "data", "design", "learn", "stats"},
    "pp": {"get", "results", "data", "design", "stats"},
    "io": {"get", "results", "data", "design", "learn", "stats"},
    "datasets": {"get", "results", "data", "design", "stats"},
    "pl": {"get", "io"},
    "report": {"tl", "pp", "pl", "io", "get", "results", "data", "design", "stats"},
    "cli": {"report", "tl", "pp", "pl", "io", "datasets", "get"},
}
# Packages that a room may not import.
FORBIDDEN = {
    "stats": {"anndata", "pandas", "matplotlib", "scanpy"},
    "learn": {"anndata", "pandas", "matplotlib", "scanpy"},
    "design": {"anndata", "matplotlib", "scanpy"},
    "data": {"matplotlib", "scanpy"},
    "results": {"matplotlib", "scanpy"},
    "get": {"matplotlib", "scanpy"},
    "tl": {"matplotlib", "scanpy"},
    "pp": {"matplotlib", "scanpy"},
    "io": {"matplotlib", "scanpy"},
    "datasets": {"matplotlib"},
    "pl": {"numba", "scanpy"},
    "report": {"numba", "scanpy"},
    "cli": {"scanpy"},
}


def files():
    return sorted(SOURCE.rglob("*.py"))


def imported(path):
    """Modules imported anywhere in a file, but for those that only type checkers see."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and getattr(block.test, "id", "") == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            if node.module == "dex":
                yield from (f"dex.{alias.name}" for alias in node.names)


def room_of(path):
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def test_every_room_has_its_place():
    rooms = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()}
    assert rooms == set(ROOMS)


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_arrows_point_down(path):
    room = room_of(path)
    if room not in ROOMS:
        return  # the files beside the rooms: the package itself and its bottom
    allowed = ROOMS[room] | ANYWHERE | {room}
    for module in imported(path):
        package, _, rest = module.partition(".")
        if package == "dex" and rest:
            assert rest.partition(".")[0] in allowed, f"{room} imports {module}"
        assert package not in FORBIDDEN[room] or (package == "scanpy" and room == "datasets")


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_numba_is_touched_in_one_file(path):
    if path.name != "_numba.py":
        assert "numba" not in {module.partition(".")[0] for module in imported(path)}


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_files_stay_short(path):
    assert len(path.read_text().splitlines()) <= 400
