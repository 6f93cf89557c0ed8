"""Ready-made `run` and `finish` scripts that record what happens to them.

What a process *is* (its descriptors, masks, session, environment) needs no script: `process.look`
reads it from outside. These record what only the process itself can know, as lines appended to
files of its service directory.
"""

from __future__ import annotations

from collections.abc import Mapping

from world.tree import Content

SLEEPER = "#!/bin/sh\nexec sleep 1000\n"
"""A daemon: up until it is killed."""

STUBBORN = "#!/bin/sh\ntrap '' TERM HUP INT\necho $$ >>stubborn\nexec sleep 1000\n"
"""A daemon that only SIGKILL ends, once its pid is in the file `stubborn`."""

RECORDED_SIGNALS = "HUP INT QUIT ABRT USR1 USR2 ALRM CONT WINCH"

_RECORDER = f"""#!/bin/sh
for name in {RECORDED_SIGNALS}; do trap "echo $name >>signals" $name; done
trap 'echo TERM >>signals; exit 0' TERM
echo "ready $$" >>signals
while :; do sleep 0.02; done
"""
# Short sleeps, because a signal that comes just before a shell blocks in `read` stays unseen there.

_STARTS = "date +%s.%N >>starts\n"


def recorder() -> dict[str, Content]:
    """A service that appends every signal to `signals`, after `ready PID`; SIGTERM ends it."""
    return {"run!": _RECORDER}


def sleeper(**more: Content) -> dict[str, Content]:
    """A service that sleeps until it is killed; keywords are further files (`_` means `-`)."""
    return {"run!": SLEEPER, **{name.replace("_", "-"): content for name, content in more.items()}}


def counted(end: str) -> str:
    """Return a `run` that appends the time of its start to `starts` and then does `end`."""
    return f"#!/bin/sh\n{_STARTS}{end}\n"


def ready_on(descriptor: int, then: str = "exec sleep 1000") -> dict[str, Content]:
    """A service that reports ready at once."""
    return {
        "run!": f"#!/bin/sh\necho >&{descriptor}\nexec {descriptor}>&-\n{then}\n",
        "notification-fd": f"{descriptor}\n",
    }


FINISH_RECORDER = '#!/bin/sh\nprintf "%s " "$@" >>finishes\necho >>finishes\n'
"""A `finish` that appends its arguments as one line to `finishes`."""


def finish(code: int = 0, *, before: str = "") -> str:
    """Return a `finish` that records its arguments, does `before`, and exits with `code`."""
    return f"{FINISH_RECORDER}{before}\nexit {code}\n"


def logger(into: str = "lines") -> Mapping[str, Content]:
    """A logger that appends what it reads to a file of its own service directory."""
    return {"run!": f"#!/bin/sh\nexec cat >>{into}\n"}
