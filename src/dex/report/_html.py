"""HTML made of parts: whatever is not HTML already is escaped."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NOTHING: Final = "\N{EN DASH}"
"""In a cell that has no value."""
_VOID: Final = frozenset({"br", "img", "input", "link", "meta", "col"})
_NOT_TEXT: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(value: object) -> Html:
    """Escape a value; characters that HTML cannot hold become U+FFFD.

    >>> text("<script>")
    '&lt;script&gt;'
    """
    if isinstance(value, Html):
        return value
    return Html(html.escape(printable(str(value)), quote=True))


def printable(value: str) -> str:
    """Replace control characters and halves of surrogate pairs."""
    return _NOT_TEXT.sub("\ufffd", value)


def element(tag: str, /, *children: object, **attributes: object) -> Html:
    """Make an element; ``class_`` is ``class``, ``data_n`` is ``data-n``, None is left out.

    >>> element("p", "a < b", element("b", 1), class_="note")
    '<p class="note">a &lt; b<b>1</b></p>'
    """
    given = {
        key: value for key, value in attributes.items() if value is not None and value is not False
    }
    pairs = [
        key.rstrip("_").replace("_", "-") + ("" if value is True else f'="{text(value)}"')
        for key, value in given.items()
    ]
    opening = f"<{' '.join([tag, *pairs])}>"
    return Html(opening if tag in _VOID else f"{opening}{join(children)}</{tag}>")


def join(parts: Iterable[object], separator: str = "") -> Html:
    """Put parts one after the other, each escaped unless it is HTML."""
    return Html(text(separator).join(text(part) for part in parts if part is not None))


def table(
    header: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    caption: str = "",
    class_: str | None = None,
) -> Html:
    """Make a table that scrolls by itself where the page is narrow; numbers are set right."""
    rows = list(rows)
    numeric = [_is_number(cell) for cell in rows[0]] if rows else [False] * len(header)
    heads = zip(header, numeric, strict=True)
    head = element(
        "tr",
        *(element("th", cell, scope="col", class_="n" if right else None) for cell, right in heads),
    )
    body = [element("tr", *map(_cell, row)) for row in rows]
    title = element("caption", caption) if caption else None
    inner = element("table", title, element("thead", head), element("tbody", *body), class_=class_)
    return element(
        "div", inner, class_="wide", tabindex=0, role="region", aria_label=caption or "table"
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: object) -> Html:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return element("td", value)
    shown = f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
    return element("td", shown, class_="n")


def bullets(items: Iterable[object], *, class_: str | None = None) -> Html:
    """Make a list."""
    return element("ul", *(element("li", item) for item in items), class_=class_)


def script_json(value: Any) -> Html:
    r"""JSON that may stand in a script element, whatever is in its strings.

    >>> script_json("</script>")
    '"\\u003c/script\\u003e"'
    """
    plain = printable(json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False))
    for character in "<>&\u2028\u2029":
        plain = plain.replace(character, f"\\u{ord(character):04x}")
    return Html(plain)
