"""A running scan directory from Python, whoever runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from s6x.supervise import NotSupervised, ScanDir, State, SupervisionError, UnknownService
from world import witness
from world.programs import Programs
from world.running import Scanner, World
from world.tree import Link
from world.waiting import until


@pytest.fixture
def scanner(world: World, daemons: Programs) -> Scanner:
    world.plant(
        {
            "web": {**witness.sleeper(), "log": witness.logger()},
            "db": witness.sleeper(),
            "notes": "no directory\n",
            ".hidden": witness.sleeper(),
        },
        "scan",
    )
    scanner = world.scan(daemons, world.top / "scan")
    scanner.until_up("web", "web/log", "db")
    return scanner


def test_services_by_name(scanner: Scanner) -> None:
    scandir = ScanDir(scanner.directory)
    assert scandir.is_running()
    assert [service.name for service in scandir] == ["db", "web"]
    names = [service.name for service in scandir.services(loggers=True)]
    assert names == ["db", "web", "web/log"]
    assert scandir["web"].logger == scandir["web/log"]
    assert scandir["db"].logger is None
    assert ("web" in scandir, "web/log" in scandir, "nope" in scandir) == (True, True, False)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("wbe", "did you mean web?"), ("zzz", "it has db, web, web/log"), ("db/log", "db has none")],
)
def test_an_unknown_name(scanner: Scanner, name: str, hint: str) -> None:
    with pytest.raises(UnknownService, match=f"no service {name} in {scanner.directory}") as caught:
        ScanDir(scanner.directory)[name]
    assert hint in str(caught.value)
    assert isinstance(caught.value, LookupError)


def test_all_together(scanner: Scanner) -> None:
    scandir = ScanDir(scanner.directory)
    for service in scandir:
        service.down()
    scandir.wait("finished", 15)
    assert {service.status().state for service in scandir} == {State.DOWN}


def test_a_rescan_finds_new_services(world: World, scanner: Scanner) -> None:
    scandir = ScanDir(scanner.directory)
    world.plant({"new": witness.sleeper()}, "scan")
    scandir.rescan()
    new = scandir["new"]
    until(new.is_supervised)
    new.wait("up", 15)
    (scanner.directory / "new").rename(world.top / "gone")
    scandir.prune()
    until(lambda: "new" not in scanner.supervisors())


def test_the_running_one_is_found_by_variable(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("S6X_SCANDIR", str(scanner.directory))
    assert ScanDir().path == scanner.directory


def test_the_running_one_is_found_where_init_has_its_state(
    scanner: Scanner, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("S6X_SCANDIR", raising=False)
    state = world.plant({"services": Link(str(scanner.directory))}, "state")
    monkeypatch.setenv("S6X_RUN", str(state))
    assert ScanDir().path == state / "services"


def test_no_running_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("S6X_SCANDIR", raising=False)
    nowhere = [str(world.top / "a"), str(world.top)]
    monkeypatch.setattr("s6x.supervise.scandir.scandir_places", lambda: nowhere)
    with pytest.raises(
        NotSupervised, match=f"no scanner is running on {world.top}/a or "
    ) as caught:
        ScanDir()
    assert "set S6X_SCANDIR" in str(caught.value)


def test_one_that_we_may_not_ask_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("S6X_SCANDIR", raising=False)
    top = world.plant({".s6-svscan": "no directory\n"}, "scan")
    monkeypatch.setattr("s6x.supervise.scandir.scandir_places", lambda: ["/nothing", str(top)])
    assert ScanDir().path == top


def test_commands_without_scanner(world: World) -> None:
    scandir = ScanDir(world.top)
    assert not scandir.is_running()
    with pytest.raises(NotSupervised, match=f"unable to control {world.top}"):
        scandir.rescan()
    with pytest.raises(NotSupervised, match=r"unable to find the scanner of .*: it has none"):
        scandir.processes()


def test_a_directory_that_is_not_there(world: World) -> None:
    with pytest.raises(SupervisionError, match=r"unable to list .*/missing: No such file"):
        ScanDir(world.top / "missing").services()


def test_the_processes(scanner: Scanner) -> None:
    scandir = ScanDir(scanner.directory)
    assert scandir.scanner().pid == scanner.pid
    first, *rest = scandir.processes()
    assert first.pid == scanner.pid
    shown = {process.pid: str(process) for process in rest}
    for name, pid in scanner.supervisors().items():
        assert shown[pid].endswith(f"s6-supervise {name}")
    daemon = scandir["db"].status().pid

    def lines_of_daemon() -> list[str]:
        return [str(process) for process in scandir.processes() if process.pid == daemon]

    # A service is up from its fork on; its script becomes the daemon some time later.
    until(lambda: lines_of_daemon() == ["sleep 1000"])


def test_terminate(scanner: Scanner) -> None:
    ScanDir(scanner.directory).terminate()
    assert scanner.exit_code() == 0
    assert not Path(f"/proc/{scanner.pid}").exists()
