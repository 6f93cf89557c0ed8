"""What s6x raises. Every message is a sentence: what was tried, on what, and why it failed."""

from __future__ import annotations


class SupervisionError(Exception):
    """Something could not be learned from, or done to, a supervised service.

    `errno` is the system's reason, one of the constants of the module errno; None if the system
    had no part in it.
    """

    errno: int | None

    def __init__(self, message: str, errno: int | None = None) -> None:
        """Keep the sentence and the system's reason."""
        super().__init__(message)
        self.errno = errno


class NotSupervised(SupervisionError):
    """No supervisor (or, for a scan directory, no scanner) is running there."""


class TimedOut(SupervisionError, TimeoutError):
    """What was waited for did not happen in the given time. Nothing was undone."""


class FailedForGood(SupervisionError):
    """What was waited for will not happen.

    The service said so itself (its finish script exited 125), or its supervisor went away.
    """


class UnknownService(SupervisionError, LookupError):
    """A scan directory has no service of that name."""
