"""Names for the few types and constants that several rooms share."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
"""Float64 array; its shape stands in the docstring."""
Int = NDArray[np.intp]
Bool = NDArray[np.bool_]

REST: Final = -1
"""As the reference of a test: everybody who is not in the group."""

Alternative = Literal["two-sided", "greater", "less"]
"""What a p-value is against; ``greater`` is that the group is above its reference."""
