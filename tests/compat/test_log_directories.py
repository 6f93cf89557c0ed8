"""Logdirs: files, modes, rotation, recovery (matrix rows 14 and 20, contract 1.10)."""

from __future__ import annotations

import itertools
import signal
import subprocess
from pathlib import Path

import pytest

from world.logs import COMPLETE, archives, content, log, logger, mode, numbered, until_logged
from world.programs import Programs
from world.running import World
from world.waiting import until

OLD = "@400000005f000000{:08x}.s"


def suffixes(logdir: Path) -> list[str]:
    return [path.suffix for path in archives(logdir)]


def names(logdir: Path) -> set[str]:
    """What is there besides archives and what nobody sees."""
    visible = {path.name for path in logdir.iterdir() if not path.name.startswith(".")}
    return visible - {path.name for path in archives(logdir)}


def plant(logdir: Path, files: dict[str, tuple[bytes, int]]) -> None:
    logdir.mkdir(mode=0o700)
    for name, (text, its) in files.items():
        (logdir / name).write_bytes(text)
        (logdir / name).chmod(its)


def test_files_and_modes(world: World, tools: Programs) -> None:
    logs = world.top / "logs"
    with logger(tools, "./logs", cwd=world.top) as its:
        its.write(b"a\n")
        until_logged(logs, b"a\n")
        assert names(logs) == {"lock", "current", "state"}
        assert [mode(logs), mode(logs / "lock"), mode(logs / "current")] == [0o700, 0o644, 0o644]
        assert its.end() == 0
    assert mode(logs / "current") == COMPLETE
    assert names(logs) == {"lock", "current", "state"}


def test_the_umask_counts(world: World, tools: Programs) -> None:
    logs = world.top / "logs"
    subprocess.run(
        [tools.path("s6-log"), "s4096", logs], input=numbered(1000), umask=0o077, check=True
    )
    assert {mode(path) for path in [*archives(logs), logs / "current"]} == {0o700}


@pytest.mark.parametrize("count", [0, 1, 3, 10])
def test_rotation_and_trimming(world: World, tools: Programs, count: int) -> None:
    logs, text = world.top / "logs", numbered(20_000)
    done = log(tools, f"n{count}", "s4096", "./logs", text=text, cwd=world.top)
    assert (done.code, done.err) == (0, "")
    kept = archives(logs)
    assert len(kept) == count
    assert {mode(path) for path in [*kept, logs / "current"]} == {COMPLETE}
    assert all(path.suffix == ".s" for path in kept)
    assert text.endswith(content(logs)), "what is kept is the end, without a gap"
    assert not kept or content(logs).startswith(b"line ")
    assert all(path.read_bytes().endswith(b"\n") for path in kept)


def until_end(logdir: Path, line: bytes) -> None:
    until(lambda: content(logdir).endswith(line), f"{line!r} in {logdir}")


def test_sizes(world: World, tools: Programs) -> None:
    """A file ends at a line end from size minus tolerance on; bursts make it larger, not twice."""
    logs, text = world.top / "logs", numbered(50_000)
    done = log(tools, "n9999", "s8192", "l1000", "./logs", text=text, cwd=world.top)
    assert done.code == 0
    assert content(logs) == text
    sizes = [path.stat().st_size for path in archives(logs)]
    assert min(sizes) >= 7192
    assert max(sizes) < 2 * 8192
    with logger(tools, "s8192", "l1000", "./slowly", cwd=world.top) as its:
        for line in text.splitlines(keepends=True)[:1000]:
            its.write(line)
            until_end(world.top / "slowly", line)
        assert its.end() == 0
    [archive] = archives(world.top / "slowly")
    assert 7192 <= archive.stat().st_size < 7192 + len(b"line 1000\n")


def test_the_total_size_of_archives(world: World, tools: Programs) -> None:
    logs, text = world.top / "logs", numbered(50_000)
    done = log(tools, "n9999", "s4096", "S40000", "./logs", text=text, cwd=world.top)
    assert done.code == 0
    assert 20_000 < sum(path.stat().st_size for path in archives(logs)) <= 40_000
    assert text.endswith(content(logs))


def test_only_archives_are_trimmed(world: World, tools: Programs) -> None:
    logs = world.top / "logs"
    others = ["@400000005f00000000000000.t", "@400000005f00000000000000", "notes", "@x.s"]
    plant(logs, {OLD.format(number): (b"old\n", 0o744) for number in range(8)})
    for name in others:
        (logs / name).write_bytes(b"mine\n")
    done = log(tools, "n3", "s4096", "./logs", text=numbered(500), cwd=world.top)
    assert done.code == 0
    assert len(archives(logs)) == 3
    assert all((logs / name).exists() for name in others)


def test_several_logdirs(world: World, tools: Programs) -> None:
    words = ["-", "+[02468]$", "./even", "f", "pO", "n2", "s4096", "./odd"]
    words += ["+.", "p", "s99999", "./all"]
    text = numbered(3000)
    assert log(tools, "--", *words, text=text, cwd=world.top).code == 0
    lines = text.splitlines(keepends=True)
    assert content(world.top / "even") == b"".join(lines[::2])
    assert b"".join(b"O " + line for line in lines[1::2]).endswith(content(world.top / "odd"))
    assert content(world.top / "all") == text


def test_a_second_logger_stays_out(world: World, daemons: Programs, tools: Programs) -> None:
    with logger(daemons, "./logs", cwd=world.top) as its:
        assert its.ready
        done = log(tools, "./logs", text=b"other\n", cwd=world.top)
        assert done.code == 111
        assert "lock" in done.err
        its.write(b"a\n")
        assert its.end() == 0
    assert content(world.top / "logs") == b"a\n"


def test_places_that_cannot_be(world: World, tools: Programs) -> None:
    (world.top / "file").write_bytes(b"")
    for where in ("./absent/logs", "./file"):
        done = log(tools, where, text=b"a\n", cwd=world.top)
        assert done.code == 111
        assert where in done.err


STATES = {"complete": 0o744, "open": 0o644}


@pytest.mark.parametrize("current", [None, *STATES])
@pytest.mark.parametrize("previous", [None, *STATES])
@pytest.mark.parametrize("processed", [None, *STATES])
def test_what_is_left_is_recovered(
    world: World, tools: Programs, current: str | None, previous: str | None, processed: str | None
) -> None:
    """Every combination of files that a crash may leave."""
    logs = world.top / "logs"
    left = {"current": current, "previous": previous, "processed": processed}
    planted = {
        name: (name.encode() + b"\n", STATES[its]) for name, its in left.items() if its is not None
    }
    plant(logs, {**planted, "state": (b"kept", 0o644), "newstate": (b"new", 0o644)})
    done = log(tools, "./logs", text=b"next\n", cwd=world.top)

    clean = current == "complete"
    was_processed = processed == "complete"
    both = current == "open" and previous is not None and not was_processed
    if both and not tools.expects.log_recovers_at_once:
        assert done.code == 111, "both get the same label"
        done = log(tools, "./logs", text=b"next\n", cwd=world.top)
    assert (done.code, done.err) == (0, "")
    if clean and tools.expects.log_forgets_previous:
        expected = []
    elif was_processed:
        expected = [(".s", b"processed\n")]
    else:
        expected = [(".u", b"previous\n")] if previous else []
    if current == "open":
        expected.append((".u", b"current\n"))
    assert [(path.suffix, path.read_bytes()) for path in archives(logs)] == expected
    assert (logs / "current").read_bytes() == (b"current\n" if clean else b"") + b"next\n"
    assert mode(logs / "current") == COMPLETE
    assert (logs / "state").read_bytes() == (b"kept" if clean else b"")
    if not (clean and tools.expects.log_forgets_previous):
        assert not (logs / "previous").exists()
        assert not (logs / "processed").exists()


def test_an_empty_file_left_by_a_crash(world: World, tools: Programs) -> None:
    logs = world.top / "logs"
    plant(logs, {"current": (b"", 0o644)})
    assert log(tools, "./logs", text=b"a\n", cwd=world.top).code == 0
    assert suffixes(logs) == ([".u"] if tools.expects.log_keeps_empty else [])
    assert (logs / "current").read_bytes() == b"a\n"


def test_a_crash_between_link_and_unlink(world: World, tools: Programs) -> None:
    logs = world.top / "logs"
    plant(logs, {"previous": (b"previous\n", 0o744)})
    (logs / OLD.format(1)).hardlink_to(logs / "previous")
    assert log(tools, "./logs", text=b"a\n", cwd=world.top).code == 0
    assert content(logs) == b"previous\na\n"
    assert suffixes(logs) == [".s"]


def test_killed_and_started_in_turn(world: World, daemons: Programs, tools: Programs) -> None:
    """A logdir belongs to nobody's programs: each recovers what the other left."""
    logs, text = world.top / "logs", b""
    for turn, programs in enumerate([daemons, tools, daemons, tools, tools, daemons]):
        with logger(programs, "n99", "./logs", cwd=world.top) as its:
            assert its.ready
            its.write(numbered(10, 10 * turn))
            text += numbered(10, 10 * turn)
            until_logged(logs, text)
            if turn % 3 == 2:
                assert its.end() == 0
            else:
                its.signal(signal.SIGKILL)
                assert its.exit_code() == -signal.SIGKILL
    assert content(logs) == text
    # One that was killed before it could say what it had written is taken back: one less.
    assert set(suffixes(logs)) == {".u"}
    assert len(archives(logs)) <= 4


def test_clean_stops_in_turn(world: World, daemons: Programs, tools: Programs) -> None:
    logs, text = world.top / "logs", numbered(3000)
    lines = text.splitlines(keepends=True)
    for turn, programs in zip(range(6), itertools.cycle([daemons, tools])):
        part = b"".join(lines[500 * turn : 500 * turn + 500])
        assert log(programs, "n99", "s4096", "./logs", text=part, cwd=world.top).code == 0
    assert content(logs) == text
    assert set(suffixes(logs)) == {".s"}


def test_a_full_current_is_rotated(world: World, tools: Programs) -> None:
    logs = world.top / "logs"
    plant(logs, {"current": (numbered(600), 0o744)})
    assert log(tools, "s4096", "./logs", text=b"a\n", cwd=world.top).code == 0
    assert suffixes(logs) == [".s"]
    assert content(logs) == numbered(600) + b"a\n"


def test_a_step_that_fails_is_tried_again(world: World, tools: Programs) -> None:
    """What is in the way is a directory; nothing is lost meanwhile, and nothing written twice."""
    logs, text = world.top / "logs", numbered(1000)
    with logger(tools, "r10", "s4096", "n99", "./logs", cwd=world.top) as its:
        (logs / "previous").mkdir()
        (logs / "previous/file").touch()
        its.write(text)
        until(lambda: "previous" in its.said(), "a message", explain=its.said)
        (logs / "previous/file").unlink()
        (logs / "previous").rmdir()
        until_logged(logs, text)
        assert its.end() == 0
    assert content(logs) == text
    assert len(archives(logs)) >= 1


@pytest.mark.ours_only
def test_times_without_size(world: World, tools: Programs) -> None:
    """R of s6 2.14: what is there is rotated after so many seconds, empty files are not."""
    logs = world.top / "logs"
    with logger(tools, "R1", "./logs", cwd=world.top) as its:
        its.write(b"a\n")
        until(lambda: suffixes(logs) == [".s"], "an archive")
        assert archives(logs)[0].read_bytes() == b"a\n"
        its.write(b"b\n")
        until(lambda: suffixes(logs) == [".s", ".s"], "another")
        assert its.end() == 0
    assert content(logs) == b"a\nb\n"
