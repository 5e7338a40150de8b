"""Figures inside the page."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from dex.errors import InputError
from dex.pl._theme import theme
from dex.report._html import Html, element

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

_DPI = 200
_COLOURS = 256
_CSS_PIXELS = 96 * 1.35  # per inch: 85 mm are 434 px, type of 6 points is 11 px
_HALF_PAGE = 520
"""Width in pixels beyond which a figure has a row of its own."""


def figure_html(draw: Callable[[], object], *, alt: str, caption: object = "") -> Html:
    """Draw a figure and embed it; where there is nothing to draw, say why."""
    try:
        figure: Figure = draw()  # type: ignore[assignment]
    except InputError as error:
        return element("p", f"{alt}: not drawn, as {error}", class_="small")
    width, height = (round(inches * _CSS_PIXELS) for inches in figure.get_size_inches())
    payload = base64.b64encode(_png(figure)).decode()
    image = element(
        "img",
        src=Html(f"data:image/png;base64,{payload}"),
        alt=alt,
        width=width,
        height=height,
        decoding="async",
    )
    said = element("figcaption", caption) if caption else None
    return element("figure", image, said, class_="full" if width > _HALF_PAGE else None)


def _png(figure: Figure) -> bytes:
    """Return a PNG of 256 colours: a third of the size, and no different to the eye."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    figure.set_facecolor("white")
    figure.set_dpi(_DPI)
    canvas: Any = FigureCanvasAgg(figure)  # its methods have no types
    with theme():
        canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    small = io.BytesIO()
    image.quantize(_COLOURS, dither=Image.Dither.NONE).save(small, format="png", compress_level=6)
    return small.getvalue()
