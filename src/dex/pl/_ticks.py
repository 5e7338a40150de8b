"""Labels of ticks."""

from __future__ import annotations

import numpy as np

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(value: float, _position: int | None = None) -> str:
    """Label of a tick of a logarithmic axis.

    >>> power_of_ten(1000.0), power_of_ten(0.1)
    ('10³', '10⁻¹')
    """
    return "10" + str(round(np.log10(value))).translate(_SUPERSCRIPT)
