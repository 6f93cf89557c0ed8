"""Which generation of s6-overlay an image is made for.

What was asked for by name (`S6X_COMPAT`, an option) comes first, then what `s6x install` wrote
down, then what the image's own files show. An image that shows nothing is taken for v2, the newest
that this version knows.
"""

from __future__ import annotations

from s6x.overlay.findings import Finding
from s6x.overlay.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from s6x.overlay.root import Root

KNOWN = ("v1", "v2")
FALLBACK = "v2"
MARK = "/etc/s6x/generation"
"""What `s6x install` writes: the generation's name."""

SIGNS = (
    ("/package/admin/s6-overlay", "v3"),
    ("/etc/s6-overlay/s6-rc.d", "v3"),
    ("/usr/bin/justc-envdir", "v2"),
    ("/usr/bin/with-contenv-legacy", "v2"),
    ("/bin/s6-overlay-preinit", "v2"),
    ("/etc/s6/init", "v1"),
)
"""Files that only one generation brings along, the newest first."""


class Detection(Record):
    """The answer, and the reason for it."""

    generation: str
    why: str
    finding: Finding | None = None
    """Set when no plan can be made for that generation."""


def detect(root: Root, asked: str | None = None, asked_by: str = "generation") -> Detection:
    """Return the generation of the image; `asked` is a name given by hand, `asked_by` where."""
    if asked:
        return _named(asked, asked_by, f"{asked_by} says so")
    try:
        mark = root.read_input(MARK)
    except OSError as error:
        return _unreadable(error.strerror or str(error))
    if mark is not None:
        word = mark.decode("utf-8", "backslashreplace").strip()
        return _named(word, MARK, f"{MARK} says so")
    for path, generation in SIGNS:
        if root.exists(path):
            return _named(generation, path, f"there is {path}")
    return Detection(FALLBACK, "the image shows no generation, and this is the newest known one")


def _named(word: str, by: str, why: str) -> Detection:
    if word in KNOWN:
        return Detection(word, why)
    if word == "v3":
        return Detection(
            word,
            why,
            Finding(
                "error", by, "this asks for generation v3 of s6-overlay",
                f"this version of s6x knows {' and '.join(KNOWN)} only, v3 is still to come",
                "set S6X_COMPAT=v2 if the image uses only cont-init.d, services.d and the like",
                fatal=True,
            ),
        )  # fmt: skip
    return Detection(
        word,
        why,
        Finding(
            "error", by, f"{word!r} is no generation of s6-overlay",
            f"this version of s6x knows {' and '.join(KNOWN)}",
            f"write one of {', '.join(KNOWN)} there, or nothing, and the image's files decide",
            fatal=True,
        ),
    )  # fmt: skip


def _unreadable(why: str) -> Detection:
    return Detection(
        FALLBACK,
        "its mark cannot be read",
        Finding(
            "error", MARK, f"unable to read it: {why}",
            "it says for which generation of s6-overlay the image was made",
            "make it readable, or remove it and set S6X_COMPAT",
            fatal=True,
        ),
    )  # fmt: skip
