"""``python -m dex`` is ``dex``."""

import sys

from dex.cli import main

sys.exit(main())
