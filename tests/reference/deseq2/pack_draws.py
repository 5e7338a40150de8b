"""Pack draws.txt, of make_draws.R, into the table that dex.stats.dispersion_prior reads."""

from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
TABLE = HERE.parents[2] / "src" / "dex" / "stats" / "dispersion_draws.npz"

if __name__ == "__main__":
    counts = np.loadtxt(HERE / "draws.txt").reshape(3, 40, 200).swapaxes(1, 2)
    np.savez_compressed(TABLE, counts=counts.astype(np.uint16))
