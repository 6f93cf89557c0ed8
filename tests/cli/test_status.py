"""`s6x status` and `s6x tree`."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from s6x import cli
from s6x.supervise import ScanDir
from world import witness
from world.programs import Programs, Result
from world.running import Scanner, World
from world.waiting import until

FIELDS = {
    "name": str,
    "path": str,
    "state": str,
    "as_wanted": bool,
    "why": str | None,
    "pid": int | None,
    "since": str | None,
    "seconds": float | None,
    "ready": bool | None,
    "ready_since": str | None,
    "wanted_up": bool | None,
    "normally_up": bool,
    "paused": bool | None,
    "deaths": int | None,
    "last_exit": dict | None,
}
"""The schema, version 1 (docs/formats.md)."""


def s6x(*words: str | Path, env: dict[str, str] | None = None) -> Result:
    done = subprocess.run(
        [sys.executable, "-m", "s6x", *words],
        env={"PATH": "/usr/bin:/bin", **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def told(scanner: Scanner, *words: str) -> tuple[int, dict[str, Any]]:
    said = s6x("status", "--json", "--scandir", scanner.directory, *words)
    assert said.err == ""
    return said.code, json.loads(said.out)


def rows(said: Result) -> dict[str, str]:
    return {line.split()[0]: line for line in said.out.splitlines()[1:]}


@pytest.fixture
def scanner(world: World, daemons: Programs) -> Scanner:
    world.plant(
        {
            "web": {**witness.ready_on(3), "log": witness.logger()},
            "db": witness.sleeper(),
            "off": {**witness.sleeper(), "down": ""},
        },
        "scan",
    )
    scanner = world.scan(daemons, world.top / "scan")
    scanner.until_up("web", "web/log", "db")
    ScanDir(scanner.directory)["web"].wait("ready", 15)
    until(lambda: ScanDir(scanner.directory)["off"].is_supervised())
    return scanner


def test_all_is_as_wanted(scanner: Scanner) -> None:
    said = s6x("status", "--scandir", scanner.directory)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[0].split("  ")[0] == "SERVICE"
    lines = rows(said)
    assert list(lines) == ["db", "off", "web", "web/log"]
    pid = ScanDir(scanner.directory)["db"].status().pid
    assert lines["db"].split()[1:3] == ["up", str(pid)]
    assert lines["web"].split()[1] == "ready"
    assert lines["off"].split()[1:3] == ["down", "-"]
    assert lines["off"].endswith("down on purpose, by default")


def test_the_variable_names_the_scan_directory(scanner: Scanner) -> None:
    env = {"S6X_SCANDIR": str(scanner.directory)}
    assert s6x("status", env=env).code == 0
    assert rows(s6x("status", "db", env=env)).keys() == {"db"}
    assert s6x("tree", env=env).code == 0


def test_json_is_the_schema(scanner: Scanner) -> None:
    code, value = told(scanner)
    assert code == 0
    assert (value["format"], value["version"], value["result"]) == ("s6x-status", 1, "as-wanted")
    assert (value["scandir"], value["scanning"]) == (str(scanner.directory), True)
    assert [service["name"] for service in value["services"]] == ["db", "off", "web", "web/log"]
    for service in value["services"]:
        assert service.keys() == FIELDS.keys()
        for name, kind in FIELDS.items():
            assert isinstance(service[name], kind), (name, service[name])
    web = value["services"][2]
    assert (web["state"], web["ready"], web["as_wanted"]) == ("up", True, True)
    assert datetime.fromisoformat(web["since"]) <= datetime.fromisoformat(web["ready_since"])


def test_a_service_that_keeps_dying(world: World, daemons: Programs) -> None:
    world.plant({"bad": {"run!": "#!/bin/sh\nexit 3\n"}, "good": witness.sleeper()}, "scan")
    scanner = world.scan(daemons, world.top / "scan")
    scanner.until_up("good")
    bad = ScanDir(scanner.directory)["bad"]
    until(bad.is_supervised)
    until(lambda: bad.status().deaths and not bad.status().up)
    code, value = told(scanner)
    assert (code, value["result"]) == (1, "degraded")
    its = value["services"][0]
    assert (its["state"], its["as_wanted"], its["pid"]) == ("down", False, None)
    assert its["why"] == "died, and is about to be started again"
    assert its["last_exit"]["exit_code"] == 3
    assert its["last_exit"]["signal"] is None
    assert datetime.fromisoformat(its["last_exit"]["at"])
    assert "exited 3 " in rows(s6x("status", "--scandir", scanner.directory))["bad"]
    assert told(scanner, "bad")[0] == 3
    assert told(scanner, "good")[0] == 0


def test_down_on_purpose(scanner: Scanner) -> None:
    tree = ScanDir(scanner.directory)
    tree["db"].down(wait="finished", timeout=15)
    code, value = told(scanner)
    assert (code, value["result"]) == (0, "as-wanted")
    assert told(scanner, "db")[0] == 3
    said = rows(s6x("status", "--scandir", scanner.directory))
    assert "killed by SIGTERM" in said["db"]
    assert said["db"].endswith("down on purpose")


def test_paused(scanner: Scanner) -> None:
    service = ScanDir(scanner.directory)["db"]
    service.pause()
    until(lambda: service.status().paused)
    code, value = told(scanner, "db")
    assert (code, value["services"][0]["paused"]) == (1, True)
    line = rows(s6x("status", "--scandir", scanner.directory, "db"))["db"]
    assert line.split()[1] == "paused"
    service.resume()


def test_up_but_not_ready(world: World, daemons: Programs) -> None:
    world.plant({"slow": {**witness.sleeper(), "notification-fd": "3\n"}}, "scan")
    scanner = world.scan(daemons, world.top / "scan")
    scanner.until_up("slow")
    code, value = told(scanner)
    assert (code, value["services"][0]["ready"]) == (1, False)
    assert value["services"][0]["why"] == "has not reported that it is ready"


def test_nobody_supervises(world: World) -> None:
    scandir = world.plant({"web": witness.sleeper()}, "scan")
    said = s6x("status", "--scandir", scandir)
    assert (said.code, said.err) == (3, "")
    assert said.out.splitlines()[0] == f"no scanner is running on {scandir}"
    assert said.out.splitlines()[2].split() == [
        *("web", "unsupervised", "-", "-", "-", "-"),
        *["no", "supervisor", "is", "running", "on", "it"],
    ]


def test_one_that_cannot_be_read_does_not_hide_the_others(scanner: Scanner) -> None:
    odd = scanner.directory / "odd"
    odd.mkdir()
    (odd / "supervise").write_text("a file where a directory should be\n")
    code, value = told(scanner)
    assert code == 1
    states = [service["state"] for service in value["services"]]
    assert states == ["up", "unknown", "down", "up", "up"]
    assert value["services"][1]["why"] == f"unable to open {odd}/supervise/lock: Not a directory"
    said = s6x("status", "--scandir", scanner.directory)
    assert rows(said)["odd"].split()[:3] == ["odd", "unknown", "-"]


def test_a_scanner_that_we_may_not_ask_for(world: World, daemons: Programs) -> None:
    """Services can be public (s6-svperms) where the scanner's lock is not."""
    directory = world.service(witness.sleeper(), "scan/web")
    world.supervise(daemons, directory).until("up")
    world.plant({".s6-svscan": "no directory\n"}, "scan")
    said = s6x("status", "--json", "--scandir", directory.parent)
    assert (said.code, said.err) == (0, "")
    value = json.loads(said.out)
    assert (value["scanning"], value["result"]) == (None, "as-wanted")


def test_nothing_can_be_read(world: World) -> None:
    """What is not known is not said to be down."""
    scandir = world.plant({"web/supervise": "no directory\n", ".s6-svscan": "neither\n"}, "scan")
    said = s6x("status", "--scandir", scandir)
    assert (said.code, said.err) == (1, "")
    assert rows(said)["web"].endswith("/scan/web/supervise/lock: Not a directory")


def test_a_scanner_that_was_killed_is_told(scanner: Scanner) -> None:
    supervisors = scanner.supervisors()
    daemons = [ScanDir(scanner.directory)[name].status().pid for name in supervisors]
    scanner.kill()
    code, value = told(scanner)
    assert (code, value["scanning"], value["result"]) == (1, False, "degraded")
    assert all(service["as_wanted"] for service in value["services"])
    for service in ScanDir(scanner.directory).services(loggers=True):
        service.down()
        service.exit()
    until(lambda: not any(s.is_supervised() for s in ScanDir(scanner.directory)))
    assert daemons


def test_an_empty_scan_directory(world: World, daemons: Programs) -> None:
    scanner = world.scan(daemons, world.plant({}, "scan"))
    said = s6x("status", "--scandir", scanner.directory)
    assert (said.code, said.out) == (0, f"no services in {scanner.directory}\n")


def test_by_path(scanner: Scanner) -> None:
    said = s6x("status", scanner.directory / "db")
    assert (said.code, said.err) == (0, "")
    assert rows(said).keys() == {"db"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["status", "wbe"],
            "s6x status: fatal: there is no service wbe in {}: did you mean web?\n",
        ),
        (
            ["status", "--scandir", "/nothing"],
            "s6x status: fatal: unable to list /nothing: No such",
        ),
        (["tree", "--scandir", "/etc"], "s6x tree: fatal: unable to find the scanner of /etc: it"),
    ],
)
def test_what_is_not_there(scanner: Scanner, words: list[str], sentence: str) -> None:
    said = s6x(*words, env={"S6X_SCANDIR": str(scanner.directory)})
    assert (said.code, said.out) == (4, "")
    assert said.err.startswith(sentence.format(scanner.directory))
    assert said.err.count("\n") == 1


def test_no_scan_directory_at_all(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("S6X_SCANDIR", raising=False)
    nowhere = [str(world.top), "/nothing"]
    monkeypatch.setattr("s6x.supervise.scandir.scandir_places", lambda: nowhere)
    assert cli.main(["status"]) == 4
    assert capsys.readouterr() == (
        "",
        f"s6x status: fatal: no scanner is running on {world.top} or /nothing: "
        "name its scan directory, or set S6X_SCANDIR\n",
    )


def test_watch_shows_changes(scanner: Scanner) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "s6x", "status", "--watch", "--json", scanner.directory / "db"],
        stdout=subprocess.PIPE,
        text=True,
    ) as watching:
        assert watching.stdout is not None
        assert json.loads(watching.stdout.readline())["result"] == "as-wanted"
        ScanDir(scanner.directory)["db"].down()
        while json.loads(watching.stdout.readline())["result"] != "down":
            pass
        watching.terminate()


def test_a_reader_that_leaves(scanner: Scanner) -> None:
    done = subprocess.run(
        ["sh", "-c", '"$@" | true', "sh", sys.executable, "-m", "s6x", "--help"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.stderr == ""


def test_the_tree(scanner: Scanner) -> None:
    said = s6x("tree", "--scandir", scanner.directory)
    assert (said.code, said.err) == (0, "")
    first, *lines = said.out.splitlines()
    assert first.startswith(f"{scanner.pid} ")
    supervisors = scanner.supervisors()
    for name, pid in supervisors.items():
        (line,) = [line for line in lines if f" {pid} " in line]
        assert line[0] in "├└"
        assert line.endswith(f"s6-supervise {name}")
    daemon = ScanDir(scanner.directory)["db"].status().pid
    assert any(line.endswith(f"└─ {daemon} sleep 1000") for line in lines)
