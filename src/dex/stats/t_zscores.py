"""z-scores with the tail probability of Student's t, in closed form [Hill1970]_.

.. [Hill1970] Hill GW (1970). Algorithm 395: Student's t-distribution. Communications of the ACM
   13, 617-619.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dex.typing import Float


def z_of_t(stat: Float, df: Float | float) -> Float:
    """Normal scores of t statistics, to three digits or more from 3 degrees of freedom on.

    Parameters
    ----------
    stat, df
        Statistics and degrees of freedom, broadcast together; ``df = inf`` changes nothing.

    Examples
    --------
    >>> z_of_t(np.array([-2.0, 0.0, 2.0]), 10.0).round(4).tolist()
    [-1.7904, 0.0, 1.7904]
    """
    t, every = np.broadcast_arrays(np.asarray(stat, dtype=np.float64), df)
    d = np.where(np.isinf(every), 1.0, every)
    a = d - 0.5
    b = 48 * a * a
    y = a * np.log1p(t * t / d)
    tail = (((-0.4 * y - 3.3) * y - 24) * y - 85.5) / (0.8 * y * y + 100 + b)
    z = np.sign(t) * ((tail + y + 3) / b + 1) * np.sqrt(y)
    return np.asarray(np.where(np.isinf(every), t, z))
