"""What the commands do: each a short script over the public functions."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import dex
from dex._progress import progress
from dex.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from anndata import AnnData

_MOST_TESTS = 20
_SEPARATORS = {".csv": ",", ".tsv": "\t"}


def demo(*, out: str) -> None:
    """Marker genes of blood cells: the main job on data that is there without a network."""
    folder = _checked_folder(out)
    adata = dex.datasets.pbmc68k()
    dex.tl.rank_genes(adata, groupby="bulk_labels", method="wilcoxon", replicate=None)
    _write(adata, folder, Wanted())


def run(
    *,
    counts: str,
    samples: str,
    genes: str | None,
    out: str,
    orientation: Literal["genes_x_samples", "samples_x_genes"],
    filter_genes: bool,
    padj: float,
    gene_symbols: str | None,
    xlsx: bool,
    report: bool,
    contrasts: list[list[str]] | None,
    options: list[tuple[str, Any]],
    **question: Any,
) -> None:
    """Counts and sample sheet to tables, figures, a report and an h5ad."""
    if question["groupby"] is None and question["design"] is None and contrasts is None:
        msg = 'say who is compared: --groupby COLUMN, or --design "~ batch + condition"'
        raise InputError(msg)
    folder = _checked_folder(out)
    adata = dex.io.read_counts(counts, samples=samples, genes=genes, orientation=orientation)
    if filter_genes:
        dex.pp.filter_genes(adata, groupby=question["groupby"], design=question["design"])
    dex.tl.rank_genes(adata, contrasts=_contrasts(contrasts), **question, **dict(options))
    title = f"{Path(counts).name}: which genes change?"
    _write(adata, folder, Wanted(padj, gene_symbols, xlsx=xlsx, report=report, title=title))


def rank_genes(
    *,
    path: str,
    out: str,
    table: str | None,
    padj: float,
    gene_symbols: str | None,
    contrasts: list[list[str]] | None,
    options: list[tuple[str, Any]],
    key_added: str,
    **question: Any,
) -> None:
    """h5ad in, the same h5ad with results out."""
    adata = _read(path, out)
    question |= {"contrasts": _contrasts(contrasts), **dict(options)}
    dex.tl.rank_genes(adata, key_added=key_added, **question)
    _save(adata, out, table, key=key_added, gene_symbols=gene_symbols)
    _say(_summary(adata, key=key_added, padj=padj, gene_symbols=gene_symbols))
    _say(f"wrote {out}" + (f" and {table}" if table else ""))


def markers(
    tool: str,
    *,
    path: str,
    out: str,
    table: str | None,
    gene_symbols: str | None,
    key_added: str,
    **question: Any,
) -> None:
    """h5ad in, the same h5ad with what ``tool`` of ``dex.tl`` finds out."""
    adata = _read(path, out)
    getattr(dex.tl, tool)(adata, key_added=key_added, **question)
    _save(adata, out, table, key=key_added, gene_symbols=gene_symbols)
    for test in dex.get.tests_df(adata, key=key_added)["name"]:
        best = dex.get.rank_genes_df(adata, test, key=key_added, gene_symbols=gene_symbols)
        _say(f"{test}: first{_first(best)}")
    _say(f"wrote {out}" + (f" and {table}" if table else ""))


def classify(
    *,
    path: str,
    out: str,
    table: str | None,
    model: str | None,
    key_added: str,
    **question: Any,
) -> None:
    """h5ad in, the same h5ad with out-of-fold predictions out, and the model."""
    if table is not None and Path(table).suffix not in _SEPARATORS:
        msg = f"--table {table!r} must end in one of {', '.join(_SEPARATORS)}"
        raise InputError(msg)
    adata = _read(path, out)
    learnt = dex.tl.classify(adata, key_added=key_added, **question)
    metrics = dex.get.metrics_df(adata, key_added)
    dex.io.write_h5ad(adata, out)
    if table is not None:
        metrics.to_csv(table, sep=_SEPARATORS[Path(table).suffix], index=False)
    if model is not None:
        dex.io.save_model(learnt, model)
    for row in metrics.to_dict("records"):
        interval = f" ({row['low']:.3f} to {row['high']:.3f})" if row["low"] == row["low"] else ""
        chance = f", by chance {row['chance']:.3f}" if row["chance"] == row["chance"] else ""
        _say(f"{row['metric'].replace('_', ' ')}: {row['value']:.3g}{interval}{chance}")
    _say("wrote " + ", ".join(str(one) for one in (out, table, model) if one is not None))


def _read(path: str, out: str) -> AnnData:
    """Read an h5ad, if there is one to write."""
    if Path(out).suffix != ".h5ad":
        msg = f"--out {out!r} must end in .h5ad; --table writes CSV or TSV"
        raise InputError(msg)
    return dex.io.read_h5ad(path)


def _save(
    adata: AnnData, out: str, table: str | None, *, key: str, gene_symbols: str | None
) -> None:
    dex.io.write_h5ad(adata, out)
    if table is not None:
        dex.io.write_results(adata, table, key=key, gene_symbols=gene_symbols)


def report(
    *, path: str, out: str, key: str, padj: float, gene_symbols: str | None, title: str | None
) -> None:
    """h5ad with a result in, HTML report out."""
    adata = dex.io.read_h5ad(path)
    heading: dict[str, Any] = {} if title is None else {"title": title}
    dex.report.write(adata, out, key=key, padj=padj, gene_symbols=gene_symbols, **heading)
    _say(f"wrote {out}")


def enrich(
    *,
    path: str,
    gene_sets: str,
    out: str,
    table: str | None,
    key_added: str,
    padj: float,
    options: list[tuple[str, Any]],
    **question: Any,
) -> None:
    """h5ad with a result in, the same with its gene sets tested out."""
    adata = _read(path, out)
    dex.tl.enrich(adata, gene_sets, key_added=key_added, **question, **dict(options))
    dex.io.write_h5ad(adata, out)
    if table is not None:
        dex.io.write_enrichment(adata, table, key=key_added)
    found = dex.get.enrich_df(adata, key=key_added)
    for contrast, rows in found.groupby("contrast", sort=False):
        called = rows[rows["padj"] <= padj]
        best = ", ".join(f"{one.gene_set} ({one.direction})" for one in called[:3].itertuples())
        _say(f"{contrast}: {len(called)} sets at padj <= {padj:g}" + f", first {best}" * bool(best))
    _say(f"wrote {out}" + (f" and {table}" if table else ""))


COMMANDS: dict[str, Callable[..., None]] = {
    "demo": demo,
    "run": run,
    "rank-genes": rank_genes,
    "score-markers": partial(markers, "score_markers"),
    "conserved-markers": partial(markers, "conserved_markers"),
    "classify": classify,
    "enrich": enrich,
    "report": report,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a command writes beside the table and the h5ad, and how."""

    padj: float = 0.05
    gene_symbols: str | None = None
    xlsx: bool = False
    report: bool = True
    title: str = "Which genes change?"

    @property
    def shown(self) -> dict[str, Any]:
        """Options of every picture."""
        return {"padj": self.padj, "gene_symbols": self.gene_symbols}


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


def _write(adata: AnnData, folder: Path, wanted: Wanted) -> None:
    """Tables, h5ad, figures and report into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.iterdir())
    written = [*_write_tables(adata, folder, wanted), *_draw(adata, folder, wanted)]
    if wanted.report:
        written.append(folder / "report.html")
        dex.report.write(adata, written[-1], title=wanted.title, **wanted.shown)
    _say(_summary(adata, key="rank_genes", **wanted.shown))
    _say(f"wrote to {folder}: " + ", ".join(path.name for path in written))
    if older := sorted(path.name for path in before - set(written)):
        _say(f"already in {folder} and left as it was: {', '.join(older)}")
    if wanted.report:
        _say(f"open {folder / 'report.html'} first: it has the tables, the figures and the methods")


def _write_tables(adata: AnnData, folder: Path, wanted: Wanted) -> list[Path]:
    tables = [folder / "results.csv", *([folder / "results.xlsx"] if wanted.xlsx else [])]
    for path in tables:
        dex.io.write_results(adata, path, gene_symbols=wanted.gene_symbols)
    dex.io.write_h5ad(adata, folder / "ranked.h5ad")
    return [*tables, folder / "ranked.h5ad"]


def _draw(adata: AnnData, folder: Path, wanted: Wanted) -> list[Path]:
    """Volcano of every test, up to twenty, and one heatmap; the report has all else."""
    tests = dex.get.tests_df(adata)
    drawn = tests[(tests["kind"] != "omnibus") & (tests["n_tested"] > 0)]["name"]
    options, written = wanted.shown, []
    paths = _volcano_paths(folder, drawn.tolist()[:_MOST_TESTS])
    for name, path in progress(paths.items(), total=len(paths), label="volcanos"):
        dex.pl.volcano(adata, test=name, save=path, **options)
        written.append(path)
    if (tests["n_tested"] > 0).any():
        written.append(folder / "heatmap.png")
        dex.pl.heatmap(adata, save=written[-1], **options)
    return written


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


def _summary(adata: AnnData, *, key: str, padj: float, gene_symbols: str | None = None) -> str:
    """By which method; a line per test: how many genes go up and down, and the first of them."""
    tests, params = dex.get.tests_df(adata, key=key), dex.get.params(adata, key=key)
    n_tested = tests["n_tested"].max()
    lines = [f"{n_tested} genes tested by {params['method']} of {params['unit']}:"]
    for name, kind in zip(tests["name"], tests["kind"], strict=True):
        table = dex.get.rank_genes_df(adata, name, key=key, padj=padj, gene_symbols=gene_symbols)
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
