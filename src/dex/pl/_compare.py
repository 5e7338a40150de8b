"""Several tests side by side: tiles, intersections, or one against another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from dex.errors import InputError
from dex.get._compare import compared_tests
from dex.pl._compare_scatter import draw_scatter
from dex.pl._compare_table import Direction, SideBySide, genes_asked
from dex.pl._compare_tiles import draw_tiles
from dex.pl._compare_upset import draw_upset
from dex.pl._panels import deliver
from dex.pl._save import check_save
from dex.pl._theme import theme

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dex.typing import Int

Kind = Literal["auto", "tiles", "upset", "scatter"]

_MOST_TESTS = {"tiles": 50, "upset": 12, "scatter": 2}
_MOST_GENES = 200


def compare(
    adata: AnnData,
    test: str | int | Sequence[str | int] | None = None,
    *,
    key: str | Sequence[str] = "rank_genes",
    per: str | Sequence[str] | None = None,
    kind: Kind = "auto",
    genes: Sequence[str] | None = None,
    n_genes: int = 30,
    padj: float = 0.05,
    log2fc: float = 0.0,
    direction: Direction | None = None,
    gene_symbols: str | None = None,
    n_labels: int = 10,
    cluster_genes: bool = True,
    cluster_tests: bool = False,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    show: bool | None = None,
    return_fig: bool = False,
    save: str | PathLike[str] | None = None,
) -> Axes | Figure:
    """Draw several tests side by side, of one result or of several, as of several methods.

    - ``"tiles"``: genes in rows, tests in columns, the colour is ``log2fc``, a dot marks where a
      gene is significant, larger with smaller adjusted p-values.
    - ``"upset"``: how many genes are significant in exactly these tests and in no other, for each
      combination of tests, the largest first; and how many in each test.
    - ``"scatter"``: ``log2fc`` of one test against that of another, coloured by where a gene is
      significant. Few genes that would squash all others are triangles at the edge.

    Parameters
    ----------
    adata
        AnnData with one or several results of :func:`dex.tl.rank_genes`.
    test
        Tests by name, group or number; the default is all of them. With several keys each is looked
        for under every key, and ``"key: name"`` means one alone.
    key
        Where the result is; or several keys.
    per
        One or several strata, as cell types, of results that were made with ``per=``.
    kind
        What to draw; ``"auto"`` draws two tests as ``"scatter"`` and more as ``"tiles"``.
    genes
        Genes to draw as tiles, or to name in the scatter in any case; by ``var_names`` or symbol.
    n_genes
        Tiles: number of genes, the best of each test in turn.
    padj
        Largest adjusted p-value of a significant gene.
    log2fc
        Smallest size of ``log2fc`` of a gene that counts as significant. A look at the table, and
        no claim about the false discovery rate.
    direction
        Whether genes must be ``"up"`` or ``"down"`` to count as significant, or ``"both"`` do. By
        default they must be up for ``"upset"`` where all tests are of a group against the rest: a
        gene that is up in one group is down in the rest of another.
    gene_symbols
        Column of ``adata.var`` to show instead of ``var_names``.
    n_labels
        Scatter: names to write as far as there is room. Half are of the significant genes that
        differ most between the tests, if they do so visibly, the others of those that are
        strongest in both; none is near the origin.
    cluster_genes
        Tiles: put genes that are alike beside each other. Else they are in the order of the tests
        that they are best in, or as given.
    cluster_tests
        Tiles: put tests that are alike beside each other.
    title
        In place of what the tests have in common; ``""`` for none.
    figsize
        Width and height in inches. The default is 85 mm wide, or 180 mm for what needs more.
    ax
        Axes whose place to draw in, instead of a new figure.
    show
        True calls ``pyplot.show()`` now, where there is a window or a notebook. Otherwise the
        figure is left to pyplot: a notebook shows it when the cell ends. Nothing is shown with
        ``ax`` or ``return_fig``.
    return_fig
        Return the figure, and keep it out of pyplot.
    save
        Path of a ``.png`` (300 dpi), ``.pdf`` or ``.svg`` file to write.

    Returns
    -------
    matplotlib.axes.Axes or matplotlib.figure.Figure
        ``ax`` if it is given; else the axes of the tiles, of the bars of the intersections, or of
        the points; the figure with ``return_fig``.

    Raises
    ------
    InputError
        If there is no such result, test, gene or folder, if there is one test only, or more than
        the kind can show.

    Examples
    --------
    >>> import dex
    >>> adata = dex.datasets.simulate_counts(n_genes=200, seed=1)
    >>> for method in ("t-test", "wilcoxon", "ols"):
    ...     dex.tl.rank_genes(adata, groupby="condition", method=method, key_added=method)
    >>> ax = dex.pl.compare(adata, key=["t-test", "wilcoxon", "ols"], n_genes=12)
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['t-test', 'wilcoxon', 'ols']
    >>> ax = dex.pl.compare(adata, key=["t-test", "ols"], kind="scatter")
    """
    path = check_save(save)
    table = SideBySide.from_adata(
        adata,
        test,
        key=key,
        per=per,
        padj=padj,
        log2fc=log2fc,
        direction=direction or _direction(adata, test, key=key, per=per, kind=kind),
        gene_symbols=gene_symbols,
    )
    shown = _kind(kind, table)
    asked = genes_asked(adata, genes, gene_symbols=gene_symbols)
    _check_genes(shown, asked, n_genes)
    heading = _heading(table, shown) if title is None else title
    with theme():
        if shown == "scatter":
            drawn = draw_scatter(
                table, asked, n_labels, title=heading, figsize=figsize, ax=ax, own=return_fig
            )
        elif shown == "upset":
            drawn = draw_upset(table, title=heading, figsize=figsize, ax=ax, own=return_fig)
        else:
            chosen = table.best(n_genes) if asked is None else asked
            drawn = draw_tiles(
                table,
                chosen,
                cluster_genes=cluster_genes,
                cluster_tests=cluster_tests,
                title=heading,
                figsize=figsize,
                ax=ax,
                own=return_fig,
            )
        return deliver(  # type: ignore[return-value]  # one panel
            [drawn if ax is None else ax], path=path, ax=ax, show=show, return_fig=return_fig
        )


def _direction(
    adata: AnnData,
    test: str | int | Sequence[str | int] | None,
    *,
    key: str | Sequence[str],
    per: str | Sequence[str] | None,
    kind: str,
) -> Direction:
    """Up where an UpSet plot has markers, else both."""
    if kind != "upset":
        return "both"
    references = compared_tests(adata, test, key=key, per=per)["reference"]
    return "up" if (references == "rest").all() else "both"


def _heading(table: SideBySide, kind: str) -> str:
    """What the tests have in common; and of an UpSet plot which way the genes go."""
    way = f"genes {table.direction}" if kind == "upset" and table.direction != "both" else ""
    return ", ".join(words for words in (table.common, way) if words)


def _kind(kind: str, table: SideBySide) -> str:
    if kind == "auto":
        kind = "scatter" if table.n_tests == 2 else "tiles"
    if kind not in _MOST_TESTS:
        msg = f"kind={kind!r} is not known; it is 'auto', 'tiles', 'upset' or 'scatter'."
        raise InputError(msg)
    most = _MOST_TESTS[kind]
    if table.n_tests > most:
        names = ", ".join(map(repr, table.tests["label"][:20]))
        more = ", ..." if table.n_tests > 20 else ""
        msg = (
            f"kind={kind!r} shows {most} tests at most, and there are {table.n_tests}; choose with "
            f"test=: {names}{more}."
        )
        raise InputError(msg)
    return kind


def _check_genes(kind: str, asked: Int | None, n_genes: int) -> None:
    if kind == "upset" and asked is not None:
        msg = "genes= has no place with kind='upset', which counts all genes; leave it out."
        raise InputError(msg)
    n = n_genes if asked is None else len(asked)
    if kind == "tiles" and not 1 <= n <= _MOST_GENES:
        msg = (
            f"{n} genes cannot be drawn as tiles; give 1 to {_MOST_GENES} with n_genes= or genes=."
        )
        raise InputError(msg)
