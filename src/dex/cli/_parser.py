"""The words of the command line."""

from __future__ import annotations

import argparse
import ast
from importlib import metadata

_METHODS = (
    "auto",
    "t-test",
    "t-test-student",
    "t-test-paired",
    "wilcoxon",
    "ols",
    "edger",
    "edger_lrt",
    "edger_exact",
    "deseq2",
    "deseq2_quasi",
    "limma",
    "limma_voom",
    "mixed",
)

_EXAMPLES = """\
examples:
  dex demo
  dex run counts.csv samples.csv --design "~ batch + condition" -o results/
  dex run counts.csv samples.csv --design "~ batch + condition" \\
      --contrast condition treated control -o results/
  dex rank-genes cells.h5ad --groupby cell_type -o ranked.h5ad
  dex rank-genes cells.h5ad --groupby condition --replicate donor --per cell_type \\
      -o ranked.h5ad --table ranked.csv
  dex score-markers cells.h5ad --groupby cell_type -o scored.h5ad
  dex conserved-markers cells.h5ad --groupby cell_type --block donor -o conserved.h5ad
  dex classify samples.h5ad --groupby sex --replicate donor -o classified.h5ad --model sex.zip
  dex enrich ranked.h5ad hallmark.gmt --table sets.csv -o enriched.h5ad
  dex report ranked.h5ad -o report.html
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of ``dex``."""
    top = argparse.ArgumentParser(
        prog="dex",
        description="Which genes change? Differential expression for bulk and single-cell RNA-seq.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"dex {metadata.version('dex-de')}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_run(commands)
    _add_rank_genes(commands)
    _add_score_markers(commands)
    _add_conserved_markers(commands)
    _add_classify(commands)
    _add_enrich(commands)
    _add_report(commands)
    return top


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "rank the marker genes of 700 blood cells bundled with scanpy, offline"
    command = commands.add_parser("demo", help=text, description=text)
    command.add_argument("-o", "--out", default="dex-demo", metavar="DIR", help="default: dex-demo")


def _add_run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "from a table of counts and a sample sheet to tables, figures, a report and an h5ad"
    command = commands.add_parser("run", help=text, description=text)
    command.add_argument("counts", metavar="COUNTS", help="CSV or TSV, genes x samples; may be .gz")
    command.add_argument("samples", metavar="SAMPLES", help="CSV or TSV, a row per sample")
    command.add_argument(
        "--genes", metavar="GENES", help="CSV or TSV, a row per gene: symbols for --gene-symbols"
    )
    command.add_argument("-o", "--out", required=True, metavar="DIR", help="folder to write")
    command.add_argument(
        "--orientation",
        choices=("genes_x_samples", "samples_x_genes"),
        default="genes_x_samples",
        help="of COUNTS (default: genes_x_samples)",
    )
    command.add_argument(
        "--no-filter",
        dest="filter_genes",
        action="store_false",
        help="test all genes, also those with hardly any counts (edgeR's filterByExpr rule)",
    )
    command.add_argument(
        "--xlsx", action="store_true", help="also write results.xlsx (needs dex-de[excel])"
    )
    command.add_argument(
        "--no-report", dest="report", action="store_false", help="leave out report.html"
    )
    _add_question(command)


def _add_rank_genes(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "rank the genes of an h5ad and write it with the results in it"
    command = commands.add_parser("rank-genes", help=text, description=text)
    _add_files(command, key="rank_genes")
    _add_question(command)


def _add_score_markers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "score markers of every group by effect sizes against each other group"
    command = commands.add_parser("score-markers", help=text, description=text)
    _add_files(command, key="score_markers")
    command.add_argument("--block", metavar="COLUMN", help="pairs are compared within its levels")
    _add_groups(command)


def _add_conserved_markers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "test every group within every block, and what holds in all blocks"
    command = commands.add_parser("conserved-markers", help=text, description=text)
    _add_files(command, key="conserved_markers")
    command.add_argument("--block", metavar="COLUMN", required=True, help="donor, batch, ...")
    command.add_argument("--reference", metavar="LEVEL", default="rest", help="(rest)")
    command.add_argument(
        "--method", choices=("wilcoxon", "t-test", "t-test-student"), default="wilcoxon"
    )
    _add_groups(command)


def _add_classify(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "learn to tell groups apart, tested on donors that were not learnt from"
    command = commands.add_parser("classify", help=text, description=text)
    command.add_argument("path", metavar="IN.h5ad")
    command.add_argument("-o", "--out", required=True, metavar="OUT.h5ad")
    command.add_argument("--groupby", metavar="COLUMN", required=True)
    command.add_argument(
        "--replicate",
        metavar="COLUMN",
        type=_column_or_none,
        default="auto",
        help="donor or animal, kept on one side of every fold; none: observations are independent",
    )
    command.add_argument("--reference", metavar="LEVEL", help="level that others are told from")
    command.add_argument("--estimator", choices=("logistic", "centroids"), default="logistic")
    command.add_argument(
        "--n-genes", type=int, default=50, metavar="N", help="chosen in every fold (50)"
    )
    command.add_argument(
        "--select", choices=("limma", "t-test", "wilcoxon"), default="limma", help="(limma)"
    )
    command.add_argument(
        "--cv", type=_number_or_word, default="auto", metavar="N", help="folds, or a column (auto)"
    )
    command.add_argument("--repeats", type=int, metavar="N", help="times that folds are dealt")
    command.add_argument(
        "--n-permutations", type=int, default=200, metavar="N", help="for the p-value (200)"
    )
    command.add_argument("--layer", metavar="NAME", help="layer to learn from (default: X)")
    command.add_argument("--scale", metavar="SCALE", help="what the values are, as counts or ln1p")
    command.add_argument("--unit", choices=("cells", "samples"), help="what an observation is")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="(0)")
    command.add_argument("--n-threads", type=int, metavar="N")
    command.add_argument("--key-added", default="classify", metavar="KEY", help="(classify)")
    command.add_argument("--table", metavar="FILE", help="also write the metrics: .csv or .tsv")
    command.add_argument("--model", metavar="FILE", help="also write the model")


def _column_or_none(text: str) -> str | None:
    return None if text == "none" else text


def _number_or_word(text: str) -> int | str:
    return int(text) if text.isdigit() else text


def _add_enrich(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "test gene sets in the contrasts of an h5ad whose genes have been ranked"
    command = commands.add_parser("enrich", help=text, description=text)
    command.add_argument("path", metavar="IN.h5ad")
    command.add_argument("gene_sets", metavar="SETS.gmt", help="may be .gz")
    command.add_argument("-o", "--out", required=True, metavar="OUT.h5ad")
    command.add_argument("--table", metavar="FILE", help="also write the table: .csv or .tsv")
    command.add_argument(
        "--method",
        default="auto",
        metavar="METHOD",
        help="camera, fry, roast, ora, ulm, camera_preranked, gsea (default: camera where samples "
        "were tested, ora for cells)",
    )
    command.add_argument("--key", default="rank_genes", metavar="KEY", help="(rank_genes)")
    command.add_argument("--key-added", default="enrich", metavar="KEY", help="(enrich)")
    command.add_argument(
        "--contrast", action="append", metavar="NAME", help="of the tests (default: all)"
    )
    command.add_argument(
        "--gene-symbols", metavar="COLUMN", help="column of var that has the names of the sets"
    )
    command.add_argument("--min-size", type=int, default=10, metavar="N", help="(10)")
    command.add_argument("--max-size", type=int, default=500, metavar="N", help="(500)")
    command.add_argument("--padj", type=float, default=0.05, help="for what is told (0.05)")
    command.add_argument(
        "--option",
        dest="options",
        action="append",
        default=[],
        type=_option,
        metavar="NAME=VALUE",
        help="what one method takes for itself, as universe=annotated of ora; repeatable",
    )
    command.add_argument("--n-threads", type=int, metavar="N")


def _add_files(command: argparse.ArgumentParser, *, key: str) -> None:
    """Add an h5ad in, an h5ad and perhaps a table out."""
    command.add_argument("path", metavar="IN.h5ad")
    command.add_argument("-o", "--out", required=True, metavar="OUT.h5ad")
    command.add_argument("--layer", metavar="NAME", help="layer to test (default: X)")
    command.add_argument("--key-added", default=key, metavar="KEY", help=f"({key})")
    command.add_argument(
        "--table", metavar="FILE", help="also write the table: .csv, .tsv, .xlsx, .parquet"
    )
    command.add_argument(
        "--stats", nargs="+", metavar="COLUMN", help="keep these columns only, beside the main ones"
    )


def _add_groups(command: argparse.ArgumentParser) -> None:
    """Add the groups of markers, and how the values are read."""
    command.add_argument("--groupby", metavar="COLUMN", required=True)
    _add_exclude(command)
    command.add_argument("--scale", metavar="SCALE", help="what the values are, as counts or ln1p")
    command.add_argument("--n-threads", type=int, metavar="N")
    command.add_argument("--gene-symbols", metavar="COLUMN", help="column of var to show as names")


def _add_exclude(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--exclude",
        nargs="+",
        default=(),
        metavar="LEVEL",
        help="levels of --groupby neither tested nor in the rest",
    )


def _add_report(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "write the HTML report of an h5ad whose genes have been ranked"
    command = commands.add_parser("report", help=text, description=text)
    command.add_argument("path", metavar="IN.h5ad")
    command.add_argument("-o", "--out", required=True, metavar="OUT.html")
    command.add_argument("--key", default="rank_genes", metavar="KEY", help="(rank_genes)")
    command.add_argument("--title", metavar="TEXT")
    _add_reading(command)


def _add_question(command: argparse.ArgumentParser) -> None:
    """Add who is compared, and how: the same words for every command."""
    command.add_argument("--groupby", metavar="COLUMN", help="column whose levels are compared")
    command.add_argument("--design", metavar="FORMULA", help='as "~ batch + condition"')
    command.add_argument(
        "--contrast",
        dest="contrasts",
        action="append",
        nargs="+",
        metavar="WORD",
        help='COLUMN GROUP REFERENCE, or an expression as "treated - control"; repeatable',
    )
    _add_exclude(command)
    command.add_argument("--reference", metavar="LEVEL", help="level that others are compared with")
    command.add_argument(
        "--method",
        choices=_METHODS,
        default="auto",
        metavar="METHOD",
        help=f"one of {', '.join(_METHODS)} (default: auto)",
    )
    command.add_argument(
        "--test", choices=("each", "any"), default="each", help="one test each, or one for all"
    )
    command.add_argument(
        "--reduced", metavar="FORMULA", help="test together what it lacks of --design"
    )
    command.add_argument(
        "--replicate",
        metavar="COLUMN",
        type=_column_or_none,
        default="auto",
        help="donor or animal of each cell, whose cells are added up; none: cells are tested",
    )
    command.add_argument(
        "--per", metavar="COLUMN", help="analyse each of its levels apart, as cell types"
    )
    command.add_argument("--min-cells", type=int, metavar="N", help="of a sample of cells (10)")
    command.add_argument(
        "--block", metavar="COLUMN", help="nuisance strata, for wilcoxon; pairs, for t-test-paired"
    )
    command.add_argument(
        "--weights",
        choices=("optimal", "design-free"),
        default="optimal",
        help="of the strata of wilcoxon (default: optimal)",
    )
    command.add_argument(
        "--alternative",
        choices=("two-sided", "greater", "less"),
        default="two-sided",
        help="greater: the group is above its reference (default: two-sided)",
    )
    command.add_argument(
        "--continuity", action="store_true", help="correct p-values of wilcoxon for continuity"
    )
    command.add_argument(
        "--lfc", type=float, default=0.0, metavar="LOG2", help="change still in the null (0)"
    )
    command.add_argument(
        "--option",
        dest="options",
        action="append",
        default=[],
        type=_option,
        metavar="NAME=VALUE",
        help="what one method takes for itself, as vcov=HC3 of ols; repeatable",
    )
    command.add_argument("--scale", metavar="SCALE", help="what the values are, as counts or ln1p")
    command.add_argument("--unit", choices=("cells", "samples"), help="what an observation is")
    command.add_argument("--padj-method", default="fdr_bh", metavar="METHOD", help="(fdr_bh)")
    command.add_argument(
        "--size-factors",
        default="auto",
        metavar="METHOD",
        help="tmm, tmmwsp, rle, upper_quartile, median_ratio, poscounts, library, or a column "
        "(default: tmm for samples, library for cells)",
    )
    command.add_argument("--n-threads", type=int, metavar="N")
    _add_reading(command)


def _option(text: str) -> tuple[str, object]:
    """Read a name and a value; what is no number, True, False or None is a word.

    >>> _option("robust=True"), _option("vcov=HC3")
    (('robust', True), ('vcov', 'HC3'))
    """
    name, equals, value = text.partition("=")
    if not (equals and name.isidentifier()):
        msg = f"{text!r} is not NAME=VALUE"
        raise argparse.ArgumentTypeError(msg)
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def _add_reading(command: argparse.ArgumentParser) -> None:
    """Add how a result is shown."""
    command.add_argument("--padj", type=float, default=0.05, help="for figures and counts (0.05)")
    command.add_argument("--gene-symbols", metavar="COLUMN", help="column of var to show as names")
