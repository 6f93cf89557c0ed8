"""s6-overlay v2 (2.2.0.3): what differs from v1."""

from __future__ import annotations

from s6x.overlay import settings
from s6x.overlay.conditions import equals
from s6x.overlay.generations import v1
from s6x.overlay.generations.legacy import Generation

GENERATION = Generation(
    name="v2",
    script_input="container",
    unspawnable="code",
    not_found=127,
    not_executable=126,
    waits_for_services=True,
    # Exactly 1; other values do not count.
    sync_when=(equals(settings.SYNC_DISKS.name, "1"),),
    signals=(
        ("SIGABRT", "stop-now"),
        ("SIGALRM", "rescan"),
        ("SIGHUP", "rescan-and-prune"),
        ("SIGINT", "stop"),
        ("SIGQUIT", "stop"),
        ("SIGTERM", "stop"),
    ),
    repaired=(*v1.REPAIRED, ("services.d/*/data/check", "0755")),
)
