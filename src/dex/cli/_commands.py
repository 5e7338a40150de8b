"""What the commands do: each a short script over the public functions."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import dex
from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from anndata import AnnData

_MOST_VOLCANOES = 20


def demo(*, out: str) -> None:
    """Marker genes of blood cells: the main job on data that is there without a network."""
    folder = _checked_folder(out)
    adata = dex.datasets.pbmc68k()
    dex.tl.rank_genes(adata, groupby="bulk_labels", method="wilcoxon", replicate=None)
    _write(adata, folder, padj=0.05, gene_symbols=None)


def run(
    *,
    counts: str,
    samples: str,
    out: str,
    orientation: Literal["genes_x_samples", "samples_x_genes"],
    filter_genes: bool,
    padj: float,
    gene_symbols: str | None,
    contrasts: list[list[str]] | None,
    **question: Any,
) -> None:
    """Counts and sample sheet to tables, figures and an h5ad."""
    if question["groupby"] is None and question["design"] is None and contrasts is None:
        msg = 'say who is compared: --groupby COLUMN, or --design "~ batch + condition"'
        raise InputError(msg)
    folder = _checked_folder(out)
    adata = dex.io.read_counts(counts, samples=samples, orientation=orientation)
    if filter_genes:
        dex.pp.filter_genes(adata, groupby=question["groupby"], design=question["design"])
    dex.tl.rank_genes(adata, contrasts=_contrasts(contrasts), **question)
    _write(adata, folder, padj=padj, gene_symbols=gene_symbols)


def rank_genes(
    *,
    path: str,
    out: str,
    table: str | None,
    padj: float,
    gene_symbols: str | None,
    contrasts: list[list[str]] | None,
    key_added: str,
    **question: Any,
) -> None:
    """h5ad in, the same h5ad with results out."""
    if Path(out).suffix != ".h5ad":
        msg = f"--out {out!r} must end in .h5ad; --table writes CSV or TSV"
        raise InputError(msg)
    adata = dex.io.read_h5ad(path)
    dex.tl.rank_genes(adata, contrasts=_contrasts(contrasts), key_added=key_added, **question)
    dex.io.write_h5ad(adata, out)
    if table is not None:
        dex.io.write_results(adata, table, key=key_added, gene_symbols=gene_symbols)
    _say(_summary(adata, key=key_added, padj=padj))
    _say(f"wrote {out}" + (f" and {table}" if table else ""))


COMMANDS: dict[str, Callable[..., None]] = {"demo": demo, "run": run, "rank-genes": rank_genes}


def _checked_folder(out: str) -> Path:
    """Return the folder to write to; it is made only when there is something to write."""
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        msg = f"--out {out!r} is a file; name a folder"
        raise InputError(msg)
    return folder


def _contrasts(given: list[list[str]] | None) -> Any:
    """Three words are column, group and reference; one is an expression."""
    if given is None:
        return None
    wrong = [words for words in given if len(words) not in {1, 3}]
    if wrong:
        msg = (
            f"--contrast {' '.join(wrong[0])!r} has {len(wrong[0])} words; give COLUMN GROUP "
            'REFERENCE, or one expression in quotes, "treated - control"'
        )
        raise InputError(msg)
    contrasts = [words[0] if len(words) == 1 else tuple(words) for words in given]
    return contrasts[0] if len(contrasts) == 1 else contrasts


def _write(adata: AnnData, folder: Path, *, padj: float, gene_symbols: str | None) -> None:
    """Table, h5ad, volcano per test and heatmap into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.iterdir())
    written = [folder / "results.csv", folder / "ranked.h5ad"]
    dex.io.write_results(adata, written[0], gene_symbols=gene_symbols)
    dex.io.write_h5ad(adata, written[1])
    tests = dex.get.tests_df(adata)
    drawn = tests[(tests["kind"] != "omnibus") & (tests["n_tested"] > 0)]["name"]
    for name, path in _volcano_paths(folder, drawn.tolist()[:_MOST_VOLCANOES]).items():
        dex.pl.volcano(adata, test=name, padj=padj, gene_symbols=gene_symbols, save=path)
        written.append(path)
    if (tests["n_tested"] > 0).any():
        written.append(folder / "heatmap.png")
        dex.pl.heatmap(adata, padj=padj, gene_symbols=gene_symbols, save=written[-1])
    _say(_summary(adata, key="rank_genes", padj=padj))
    _say("wrote " + ", ".join(str(path) for path in written))
    if older := sorted(path.name for path in before - set(written)):
        _say(f"already in {folder} and left as it was: {', '.join(older)}")


def _volcano_paths(folder: Path, tests: list[str]) -> dict[str, Path]:
    """Return a file per test, told apart by a number where names differ in signs or case only."""
    if len(tests) == 1:
        return {tests[0]: folder / "volcano.png"}
    paths: dict[str, Path] = {}
    taken: set[str] = set()
    for test in tests:
        stem = "volcano_" + re.sub(r"[\W_]+", "_", test).strip("_")[:80]
        numbers = (f"{stem}_{i}" for i in range(2, len(tests) + 2))
        free = next(name for name in (stem, *numbers) if name.lower() not in taken)
        taken.add(free.lower())
        paths[test] = folder / f"{free}.png"
    return paths


def _summary(adata: AnnData, *, key: str, padj: float) -> str:
    """One line per test: how many genes go up and down, and the first of them."""
    lines = []
    tests = dex.get.tests_df(adata, key=key)
    for name, kind in zip(tests["name"], tests["kind"], strict=True):
        table = dex.get.rank_genes_df(adata, name, key=key, padj=padj)
        sides = {"up": table[table["log2fc"] > 0], "down": table[table["log2fc"] < 0]}
        if kind == "omnibus":
            sides = {"genes": table}
        counts = ", ".join(f"{len(genes)} {side}{_first(genes)}" for side, genes in sides.items())
        lines.append(f"{name}: {counts} at padj <= {padj:g}")
    return "\n".join(lines)


def _first(table: pd.DataFrame) -> str:
    names = table["gene"].astype(str)[:4].tolist()
    more = ["..."] if len(table) > len(names) else []
    return f" ({', '.join(names + more)})" if names else ""


def _say(text: str) -> None:
    """Write the answer of a command; standard output is where it belongs."""
    sys.stdout.write(f"{text}\n")
