"""What s6x costs, beside the originals in the same run: ``python -m benches [NAME ...]``."""

import sys
from pathlib import Path

# What starts containers for the tests does so here, too.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
