"""`python -I -m s6x.cli WORD …`: how the native executable runs a word that is not its own."""

from __future__ import annotations

import sys

from s6x import cli

if __name__ == "__main__":
    sys.exit(cli.main(sys.argv[1:]))
