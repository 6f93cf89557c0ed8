"""s6-overlay: reading an image and deciding what its `/init` does.

:func:`plan_for` reads the image below a root directory and returns its :class:`Plan`;
:func:`encode` and :func:`decode` are the plan's bytes, which PID 1 runs. :func:`check` is the same
reading with everything odd about the image listed. The format is described in ``docs/formats.md``.
"""

from __future__ import annotations

from s6x.overlay.codec import PlanFormatError, decode, encode
from s6x.overlay.findings import Finding, PlanError
from s6x.overlay.plan import Plan
from s6x.overlay.planner import plan_for

__all__ = ["Finding", "Plan", "PlanError", "PlanFormatError", "decode", "encode", "plan_for"]
