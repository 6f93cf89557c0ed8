"""The lines that boot and stop print, byte for byte as s6-overlay's users know them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

from s6x.overlay import plan as plans
from s6x.overlay.generations import v1, v2
from s6x.overlay.generations.legacy import Generation, plan_of

if TYPE_CHECKING:
    from s6x.overlay.conditions import Condition

GENERATIONS = {"v1": v1.GENERATION, "v2": v2.GENERATION}

START = """\
[s6-init] making user provided files available at /var/run/s6/etc...exited 0.
[s6-init] ensuring user provided files have correct perms...exited 0.
[fix-attrs.d] applying ownership & permissions fixes...
[fix-attrs.d] done.
[cont-init.d] executing container initialization scripts...
[cont-init.d] done.
[services.d] starting services
[services.d] done.
"""

STOP = """\
[cont-finish.d] executing container finish scripts...
[cont-finish.d] done.
[s6-finish] waiting for services.
[s6-finish] syncing disks.
[s6-finish] sending all processes the TERM signal.
[s6-finish] sending all processes the KILL signal and exiting.
"""

SYNC = "[s6-finish] syncing disks.\n"


class Container:
    """What a plan would print in a container, without running anything."""

    def __init__(self, generation: Generation, **environ: str) -> None:
        self.plan = plan_of(generation)
        self.environ = environ
        self.directories = {
            f"{{run}}/etc/{name}"
            for name in ("fix-attrs.d", "cont-init.d", "cont-finish.d", "services.d")
        }
        self.files: dict[str, tuple[str, ...]] = {}
        self.command = False

    def boot(self) -> str:
        return self._print(self.plan.boot)

    def stop(self) -> str:
        return self._print(self.plan.stop)

    def _print(self, steps: Iterable[plans.Step]) -> str:
        parts: list[str] = []
        for step in steps:
            if not all(self._holds(condition) for condition in step.when):
                continue
            parts.append(step.say)
            if isinstance(step, plans.FixAttrs | plans.Scripts):
                for name in self.files.get(step.directory, ()):
                    parts += [
                        step.each.replace("{name}", name),
                        step.each_done.replace("{name}", name),
                    ]
            parts.append(step.done)
        text = "".join(parts).replace("{code}", "0").replace("{run}", "/var/run/s6")
        return text.replace("{word}", "true")

    def _holds(self, condition: Condition) -> bool:
        value = self.environ.get(condition[1], "") if len(condition) > 1 else ""
        match condition[0]:
            case "not":
                return not self._holds(condition[1:])
            case "directory" | "writable":
                return condition[1] in self.directories
            case "missing":
                return condition[1] not in self.directories
            case "root":
                return True
            case "set":
                return value != ""
            case "nonzero":
                return value not in ("", "0")
            case "equals":
                return value == condition[2]
            case "command":
                return self.command
        raise AssertionError(condition)


@pytest.mark.parametrize("name", ["v1", "v2"])
def test_an_image_without_user_files_starts_with_eight_lines(name: str) -> None:
    assert Container(GENERATIONS[name]).boot() == START


def test_v1_stops_with_six_lines() -> None:
    assert Container(v1.GENERATION).stop() == STOP


def test_v2_says_that_it_syncs_only_when_asked_to() -> None:
    assert Container(v2.GENERATION).stop() == STOP.replace(SYNC, "")
    assert Container(v2.GENERATION, S6_SYNC_DISKS="1").stop() == STOP
    assert Container(v2.GENERATION, S6_SYNC_DISKS="2").stop() == STOP.replace(SYNC, "")


def test_every_file_has_a_line_before_and_a_line_after() -> None:
    its = Container(v1.GENERATION)
    its.files = {
        "{run}/etc/fix-attrs.d": ("01-data",),
        "{run}/etc/cont-init.d": ("10-a", "20-b"),
        "{run}/etc/cont-finish.d": ("99-z",),
    }
    assert its.boot().splitlines(keepends=True)[2:10] == [
        "[fix-attrs.d] applying ownership & permissions fixes...\n",
        "[fix-attrs.d] 01-data: applying... \n",
        "[fix-attrs.d] 01-data: exited 0.\n",
        "[fix-attrs.d] done.\n",
        "[cont-init.d] executing container initialization scripts...\n",
        "[cont-init.d] 10-a: executing... \n",
        "[cont-init.d] 10-a: exited 0.\n",
        "[cont-init.d] 20-b: executing... \n",
    ]
    assert its.stop().splitlines(keepends=True)[:4] == [
        "[cont-finish.d] executing container finish scripts...\n",
        "[cont-finish.d] 99-z: executing... \n",
        "[cont-finish.d] 99-z: exited 0.\n",
        "[cont-finish.d] done.\n",
    ]


def test_a_section_without_its_directory_prints_nothing() -> None:
    its = Container(v2.GENERATION)
    its.directories = {"{run}/etc/cont-init.d"}
    assert its.boot() == "".join(
        line for line in START.splitlines(keepends=True) if line[1:4] not in ("fix", "ser")
    )
    assert its.stop().startswith("[s6-finish] waiting for services.\n")


def test_the_end_of_cmd_is_a_line() -> None:
    its = Container(v1.GENERATION)
    its.command = True
    assert its.boot() == START + "[cmd] true exited 0\n"


def test_an_unanswered_wish_for_logging_is_said_once() -> None:
    said = Container(v2.GENERATION, S6_LOGGING="1").boot().removesuffix(START)
    assert said.count("\n") == 1
    assert said.startswith(
        "s6x: warning: S6_LOGGING is set, but there is no catch-all logger: s6-svscan-log/run is "
        "missing in /etc/s6/services. "
    )


def test_logs_that_go_elsewhere_are_announced() -> None:
    its = Container(v2.GENERATION, S6_LOGGING="1")
    its.directories |= {"{run}/services/s6-svscan-log/run", "/var/log/s6-uncaught-logs"}
    assert its.boot() == START
    its.directories -= {"/var/log/s6-uncaught-logs"}
    assert its.boot() == (
        "s6x: warning: /var/log/s6-uncaught-logs cannot be written to: what no logger takes is "
        "logged in /var/run/s6/uncaught-logs\n" + START
    )


def test_a_failed_boot_has_the_banner() -> None:
    assert plan_of(v1.GENERATION).failure.banner == "\n!!!!!\n init-stage2 failed.\n!!!!!\n"
