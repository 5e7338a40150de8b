"""Names that people know, in place of ``var_names``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dex.errors import InputError

if TYPE_CHECKING:
    from anndata import AnnData


def gene_labels(adata: AnnData, gene_symbols: str | None) -> list[str]:
    """Return ``var[gene_symbols]``, and ``var_names`` where it has nothing or is not given.

    Raises
    ------
    InputError
        If ``var`` has no such column.
    """
    names = [str(name) for name in adata.var_names]
    if gene_symbols is None:
        return names
    if gene_symbols not in adata.var:
        msg = (
            f"gene_symbols={gene_symbols!r} is not a column of adata.var; "
            f"it has {', '.join(map(repr, adata.var.columns)) or 'none'}."
        )
        raise InputError(msg)
    symbols = adata.var[gene_symbols]
    known = symbols.notna() & (symbols.astype(str).str.strip() != "")
    pairs = zip(known, symbols, names, strict=True)
    return [str(symbol) if has else name for has, symbol, name in pairs]


def find_genes(adata: AnnData, genes: list[str], gene_symbols: str | None) -> list[int]:
    """Positions of genes given by ``var_names`` or by symbol; the first where a name is shared.

    Raises
    ------
    InputError
        If a gene is in neither.
    """
    places: dict[str, int] = {}
    for labels in (gene_labels(adata, None), gene_labels(adata, gene_symbols)):
        for position, label in enumerate(labels):
            places.setdefault(label, position)
    missing = [gene for gene in genes if gene not in places]
    if missing:
        where = "var_names" + (f" or var[{gene_symbols!r}]" if gene_symbols else "")
        msg = f"{len(missing)} of {len(genes)} genes are not in {where}: {missing[:5]}."
        raise InputError(msg)
    return [places[gene] for gene in genes]
