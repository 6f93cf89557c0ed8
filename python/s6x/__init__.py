"""Container init and process supervision: a drop-in for s6, s6-rc, execline and s6-overlay.

``import s6x`` loads nothing but this file. What people import is :mod:`s6x.supervise`; the other
parts are :mod:`s6x.overlay` (an image → the plan of its ``/init``) and :mod:`s6x.image` (laying the
files out in a root directory).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

__version__ = "0.1.0"

_MODULES = ("image", "overlay", "supervise")


def __getattr__(name: str) -> ModuleType:
    """Load a public part of the package on first use, so that importing s6x costs nothing."""
    if name in _MODULES:
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the parts that are loaded on first use, too."""
    return sorted([*globals(), *_MODULES])
