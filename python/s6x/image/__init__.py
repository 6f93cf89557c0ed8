"""Images: laying s6x out in a root directory, and making the plan of its `/init` beforehand.

Everything works on a directory that is not `/`, and as an ordinary user.
"""

from __future__ import annotations

from s6x.image.build import Built, build, is_stale, stale_because
from s6x.image.install import Change, InstallError, install
from s6x.image.native import ExecutableError, executable
from s6x.image.runtime import BundleError

__all__ = [
    "Built",
    "BundleError",
    "Change",
    "ExecutableError",
    "InstallError",
    "build",
    "executable",
    "install",
    "is_stale",
    "stale_because",
]
