"""Boot a container with real daemons, kill one, see it come back, stop; ``python -m demo``.

As root or as an ordinary user, on any Linux with util-linux and a static busybox. Everything that
it starts or makes is gone afterwards.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


def main() -> int:
    """Tell the story. Returns 0 if every step of it came true."""
    sys.path[:0] = [str(REPOSITORY / "python"), str(REPOSITORY / "tests")]
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    problem = _not_possible()
    if problem:
        print(f"demo: fatal: {problem}", file=sys.stderr)
        return 1
    from demo.story import StoryError, tell

    top = Path(tempfile.mkdtemp(prefix="s6x-demo-"))
    try:
        tell(top)
    except (AssertionError, OSError, StoryError, subprocess.SubprocessError) as error:
        print(f"\ndemo: fatal: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return 0


def _not_possible() -> str | None:
    """Say why there can be no container here, and what to do about it."""
    for program, package in (("unshare", "util-linux"), ("busybox", "busybox-static")):
        if shutil.which(program) is None:
            return f"{program} is missing: as root, apt-get install {package}"
    namespaces = ["--pid", "--fork", "--mount"]
    if os.geteuid() != 0:
        namespaces += ["--user", "--map-root-user"]
    tried = subprocess.run(
        ["unshare", *namespaces, "mount", "-t", "proc", "proc", "/proc"],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode == 0:
        return None
    if os.geteuid() == 0:
        return f"no namespaces for root here: {tried.stderr.strip()}"
    return (
        f"ordinary users can make no containers here ({tried.stderr.strip()}): run it as root, or "
        "allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, on Ubuntu "
        "kernel.apparmor_restrict_unprivileged_userns=0)"
    )


if __name__ == "__main__":
    sys.exit(main())
