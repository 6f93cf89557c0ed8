"""s6-overlay v1 (1.21.8.0): what differs from v2."""

from __future__ import annotations

from s6x.overlay.generations.legacy import Generation

REPAIRED = (
    ("fix-attrs.d/*", "0644"),
    ("cont-init.d/*", "0755"),
    ("cont-finish.d/*", "0755"),
    ("services.d/*/run", "0755"),
    ("services.d/*/finish", "0755"),
    ("services.d/*/log/run", "0755"),
    ("services.d/*/log/finish", "0755"),
)

GENERATION = Generation(
    name="v1",
    # Their names come through a pipe, of which nothing is left to read.
    script_input="none",
    unspawnable="abort",
    not_found=111,
    not_executable=111,
    waits_for_services=False,
    sync_when=(),
    signals=(
        ("SIGABRT", "stop-now"),
        ("SIGALRM", "rescan"),
        ("SIGHUP", "stop"),
        ("SIGINT", "stop"),
        ("SIGQUIT", "stop"),
        ("SIGTERM", "stop"),
    ),
    repaired=REPAIRED,
)
