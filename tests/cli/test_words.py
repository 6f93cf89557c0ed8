"""`s6x WORD`: programs by their short names, services by name, and the way to Python."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from world.programs import Programs
from world.running import World
from world.tree import FIFO

SHOW_WORDS = '#!/bin/sh\nprintf "%s\\n" "$0" "$@"\n'


def test_the_list_is_sorted_and_every_name_works(s6x: Programs) -> None:
    listed = s6x.run("s6x", "--list-applets")
    names = listed.out.splitlines()
    assert (listed.code, listed.err) == (0, "")
    assert names == sorted(set(names))
    assert "s6-svc" in names


def test_version_and_help(s6x: Programs) -> None:
    version = s6x.run("s6x", "--version")
    assert version.code == 0
    assert version.out.startswith("s6x ")
    assert version.out.count("\n") == 1
    for option in ("--help", "-h"):
        told = s6x.run("s6x", option)
        assert (told.code, told.err) == (0, "")
        assert told.out.startswith("Usage: s6x ")
        assert " svstat" in told.out
    assert max(map(len, told.out.splitlines())) <= 100
    words = told.out.split()
    for name in s6x.run("s6x", "--list-applets").out.splitlines():
        assert name in words or name.removeprefix("s6-") in words


def test_nothing_said_is_wrong_usage(s6x: Programs) -> None:
    said = s6x.run("s6x")
    assert (said.code, said.out) == (100, "")
    assert said.err.startswith("Usage: s6x ")


@pytest.mark.parametrize("word", ["svok", "s6-svok"])
def test_words_are_programs(s6x: Programs, world: World, word: str) -> None:
    said = s6x.run("s6x", word, world.plant({}, "web"))
    assert (said.code, said.out, said.err) == (1, "", "")
    wrong = s6x.run("s6x", word)
    assert wrong.code == 100
    assert wrong.err.startswith("s6-svok: usage: s6-svok servicedir\n")


def test_services_by_name(s6x: Programs, world: World) -> None:
    scan = world.plant({"web/supervise/control": FIFO, "web/log": {}}, "scan")
    reader = os.open(scan / "web/supervise/control", os.O_RDWR | os.O_NONBLOCK)
    where = {"S6X_SCANDIR": str(scan)}
    assert s6x.run("s6x", "svc", "-d", "web", env=where, cwd=world.top).code == 0
    assert os.read(reader, 10) == b"d"
    os.close(reader)
    told = s6x.run("s6x", "svc", "-d", "absent", env=where, cwd=world.top)
    assert told.code == 100
    assert told.err == (
        f"s6-svc: fatal: unable to find service absent: looked in {scan}; "
        "$S6X_SCANDIR can name another place\n"
    )


def test_without_a_named_scan_directory_all_places_are_told(s6x: Programs, world: World) -> None:
    told = s6x.run("s6x", "svstat", "no-such-service", cwd=world.top)
    assert told.code == 100
    assert "looked in /run/service and /var/run/s6/services and " in told.err


def test_paths_are_paths(s6x: Programs, world: World) -> None:
    """A directory here is meant, not the service; and programs by their own names take paths."""
    scan = world.plant({"web": {}}, "scan")
    world.plant({"web/supervise/control": FIFO}, "here")
    reader = os.open(world.top / "here/web/supervise/control", os.O_RDWR | os.O_NONBLOCK)
    where = {"S6X_SCANDIR": str(scan)}
    assert s6x.run("s6x", "svc", "-u", "web", env=where, cwd=world.top / "here").code == 0
    assert os.read(reader, 10) == b"u"
    os.close(reader)
    told = s6x.run("s6-svc", "-u", "web", env=where, cwd=world.top)
    assert told.code == 111
    assert "unable to open web: No such file or directory" in told.err
    told = s6x.run("s6x", "svc", "-u", "./web", env=where, cwd=world.top)
    assert told.code == 111


def test_the_scan_directory_need_not_be_named(s6x: Programs, world: World) -> None:
    scan = world.plant({".s6-svscan/control": FIFO}, "scan")
    where = {"S6X_SCANDIR": str(scan)}
    reader = os.open(scan / ".s6-svscan/control", os.O_RDWR | os.O_NONBLOCK)
    assert s6x.run("s6x", "svscanctl", "-an", env=where).code == 0
    assert os.read(reader, 10) == b"an"
    os.close(reader)
    told = s6x.run("s6x", "svscanctl", "-a", env={"S6X_SCANDIR": str(world.top)})
    assert told.code == 100
    assert f"unable to find the running scan directory: looked in {world.top};" in told.err
    assert s6x.run("s6-svscanctl", "-a", env=where).code == 100


def test_other_words_go_to_python(s6x: Programs, world: World) -> None:
    place = world.plant({"python3!": SHOW_WORDS, "special!": SHOW_WORDS}, "bin")
    for env, interpreter in (
        ({"PATH": f"{place}:/usr/bin:/bin"}, place / "python3"),
        ({"S6X_PYTHON": str(place / "special")}, place / "special"),
    ):
        said = s6x.run("s6x", "status", "--all", "web", env=env)
        words = [str(interpreter), "-I", "-m", "s6x.cli", "status", "--all", "web"]
        assert (said.code, said.out.splitlines()) == (0, words)


def test_without_python_it_says_so(s6x: Programs) -> None:
    said = s6x.run("s6x", "status", env={"PATH": "/nowhere"})
    assert (said.code, said.out) == (127, "")
    assert said.err.startswith('s6x: fatal: "status" needs Python with the package s6x')
    assert "$S6X_PYTHON" in said.err
    assert "s6x --help" in said.err
    assert said.err.count("\n") == 1
    assert s6x.run("s6x", "svok", "/", env={"PATH": "/nowhere"}).code == 1


def test_a_link_of_an_unknown_name_is_an_error(s6x: Programs, world: World) -> None:
    link = world.top / "s6-nonsense"
    link.symlink_to(s6x.path("s6x").resolve())
    said = subprocess.run([link, "status"], capture_output=True, text=True, check=False)
    assert said.returncode == 100
    assert 'no program "s6-nonsense"' in said.stderr


@pytest.mark.parametrize(("name", "code"), [("absent", 127), ("directory", 126), ("file", 126)])
def test_programs_that_cannot_be_become(s6x: Programs, world: World, name: str, code: int) -> None:
    place = world.plant({"directory": {}, "file": "no program\n"}, "place")
    said = s6x.run("s6-svlisten", "", place / name)
    assert said.code == code
    assert said.err.startswith(f"s6-svlisten: fatal: unable to exec {place / name}: ")


def test_programs_inherit_no_ignored_signal(s6x: Programs) -> None:
    said = s6x.run("s6-svlisten", "", "grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status")
    assert said.out == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"


def test_closed_descriptors_stay_closed_for_the_next_program(s6x: Programs, tmp_path: Path) -> None:
    listing = tmp_path / "listing"
    line = f'"$0" "" sh -c "ls -l /proc/self/fd/0 >{listing} 2>&1" <&-'
    subprocess.run(["sh", "-c", line, s6x.path("s6-svlisten")], check=False)
    assert "No such file or directory" in listing.read_text()


def test_a_closed_stdout_is_an_error(s6x: Programs) -> None:
    """What is printed must not get lost silently, nor land in a file that happens to be fd 1."""
    for words in ("--version", "--list-applets", "svok --help"):
        done = subprocess.run(
            ["sh", "-c", f'exec "$0" {words} >/dev/full', s6x.path("s6x")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 111
        assert done.stderr.endswith("unable to write to stdout: No space left on device\n")
