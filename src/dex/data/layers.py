"""Layers that dex makes, written with their scale recorded and over nothing that is not ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dex.data.scale import LAYERS_KEY, Scale
from dex.data.source import layer_names, obs_of
from dex.errors import InputError

if TYPE_CHECKING:
    from anndata import AnnData

    from dex.typing import Float

_COLUMNS = ("size_factors", "norm_factors")


@dataclass(frozen=True, slots=True)
class Layer:
    """A matrix made from another one, observations x genes, and what is to be known of it."""

    name: str
    matrix: Any
    scale: Scale
    pseudocount: float
    """About one count per typical library, in linear units of the matrix."""
    method: str
    source: str
    """Layer that it was made from, or ``"X"``."""
    size_factors: Float | None = None
    """What the counts were divided by, shape ``(n_obs,)``, for ``obs``."""
    norm_factors: Float | None = None
    """edgeR's normalisation factors, likewise."""
    params: dict[str, str | float] = field(default_factory=dict)
    """Anything else to be recorded."""

    @property
    def columns(self) -> dict[str, Float]:
        """Columns of ``obs`` that go with the layer, by what they hold."""
        held = {"size_factors": self.size_factors, "norm_factors": self.norm_factors}
        return {what: values for what, values in held.items() if values is not None}

    @property
    def record(self) -> dict[str, str | float]:
        """What ``uns`` remembers: strings and numbers only, which every file can hold."""
        names = {what: f"{self.name}_{what}" if what in self.columns else "" for what in _COLUMNS}
        return {
            "scale": str(self.scale),
            "pseudocount": float(self.pseudocount),
            "method": self.method,
            "source": self.source,
            **names,
            **self.params,
        }


def check_layer(adata: AnnData, name: str, *, source: str | None) -> None:
    """Refuse to make a layer in place of one that dex has not made, or of what it is made from.

    Raises
    ------
    InputError
        If there is such a layer, or such a column of ``obs``, or if a file cannot hold the name.
    """
    if not isinstance(name, str) or name in {"", "X"} or "/" in name:
        msg = f"key_added={name!r} cannot be the name of a layer; use a word other than X, no '/'."
        raise InputError(msg)
    old = _old_record(adata, name)
    if name in layer_names(adata) and (old is None or name == source):
        why = "is what would be normalised" if name == source else "was not made by dex"
        msg = f"layers[{name!r}] {why} and is not overwritten; name the new one with key_added=."
        raise InputError(msg)
    ours = _columns_of(old)
    for column in (f"{name}_{what}" for what in _COLUMNS):
        if column in obs_of(adata) and column not in ours:
            msg = (
                f"obs[{column!r}] was not made by dex and is not overwritten; name the new layer "
                "with key_added=, or rename that column."
            )
            raise InputError(msg)


def write_layer(adata: AnnData, layer: Layer) -> None:
    """Write ``layer`` with its columns of ``obs`` and its record; an earlier one of ours goes."""
    old = _columns_of(_old_record(adata, layer.name))
    new = {f"{layer.name}_{what}": values for what, values in layer.columns.items()}
    records = {**adata.uns.get(LAYERS_KEY, {}), layer.name: layer.record}
    adata.layers[layer.name] = layer.matrix
    obs = obs_of(adata)
    for column in (old - set(new)) & set(obs):
        del obs[column]
    for column, values in new.items():
        obs[column] = values
    adata.uns[LAYERS_KEY] = records


def _old_record(adata: AnnData, name: str) -> Any:
    """Record of a layer that was made here; None where the layer is somebody else's."""
    record = adata.uns.get(LAYERS_KEY, {}).get(name, {})
    return record if "method" in record else None


def _columns_of(record: Any) -> set[str]:
    names = {str(record.get(what, "")) for what in _COLUMNS} if record else set()
    return names - {""}
