"""Chains in one process: all must look as if every command had been executed."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from world.scripts import Case, Commands, Ran

FDS = "ls /proc/self/fd"
OWN = "0\n1\n2\n3\n"
"""What a program sees that lists its descriptors: the list's own is the last."""

TABLE = {
    # script: what it prints
    "export A b exec -a other foreground { echo in } printenv A": "in\nb\n",
    "exec -la other define x y echo $x": "y\n",
    f"foreground {{ {FDS} }} backtick -E x {{ {FDS} }} {FDS}": OWN + OWN,
    f"pipeline {{ {FDS} }} cat": OWN,
    f"pipeline {{ export A b {FDS} }} cat": OWN,
    f"pipeline -w {{ export A b foreground {{ cat }} {FDS} }} export A b {FDS}": OWN + OWN,
    f"pipeline -d {{ export A b echo x }} foreground {{ cat }} {FDS}": "x\n" + OWN,
    f"background -d {{ export A b fdmove -c 1 2 {FDS} }} {FDS}": OWN,
    f"backtick -E x {{ export A b {FDS} }} if {{ {FDS} }} echo $x": OWN + OWN,
    f"fdclose 0 pipeline {{ export A b echo a }} foreground {{ cat }} {FDS}": "a\n" + OWN,
    f"fdclose 0 pipeline {{ echo a }} foreground {{ cat }} {FDS}": "a\n" + OWN,
    "fdclose 0 backtick -E x { export A b echo a } echo $x": "a\n",
    "fdclose 0 backtick -E x { echo a } echo $x": "a\n",
    "fdmove 5 1 backtick -E x { export A b echo a } fdmove 1 5 echo $x": "a\n",
    "fdmove 5 1 pipeline { export A b echo a } fdmove 1 5 cat": "a\n",
    "fdmove 5 1 pipeline -w { fdmove 1 5 cat } export A b echo a": "a\n",
    "define A echo foreground { $A in } $A out": "in\nout\n",
    'execlineb -Pc "export A b execlineb -Pc \\"printenv A\\""': "b\n",
    "foreground { cd / } pipeline { pwd } sort": "@CWD@\n",
    "foreground { umask 0 } umask 027 foreground { umask 077 } sh -c umask": "0027\n",
}


@pytest.mark.parametrize("script", TABLE)
def test_as_if_executed(script: str, implementation: Commands, tmp_path: Path) -> None:
    ran = implementation.run(Case("", script), tmp_path)
    assert (ran.exit, ran.stdout) == (0, TABLE[script]), ran


def earlier(top: Path, name: str, text: str, mode: int = 0o755) -> str:
    """A directory to be put before the others on PATH, with a program in it."""
    directory = top / "earlier"
    directory.mkdir()
    (directory / name).write_text(text)
    (directory / name).chmod(mode)
    return str(directory)


def run_with(implementation: Commands, script: str, top: Path, directory: str) -> Ran:
    path = f"{directory}:{implementation.directory}:/usr/bin:/bin"
    return implementation.run(Case("", script, env={"PATH": path}), top)


@pytest.mark.parametrize("script", ["if { true } echo", "export A b if { true } echo"])
def test_a_program_earlier_on_the_path_counts(
    script: str, implementation: Commands, tmp_path: Path
) -> None:
    directory = earlier(tmp_path, "if", "#!/bin/sh\necho mine $#\n")
    assert run_with(implementation, script, tmp_path, directory).stdout == "mine 3\n"


def test_in_a_block_too(implementation: Commands, tmp_path: Path) -> None:
    directory = earlier(tmp_path, "exit", "#!/bin/sh\necho mine $1\n")
    ran = run_with(implementation, "foreground { exit 3 } export A b exit 4", tmp_path, directory)
    assert ran.stdout == "mine 3\nmine 4\n"


def test_what_cannot_be_executed_is_passed_over(implementation: Commands, tmp_path: Path) -> None:
    directory = earlier(tmp_path, "if", "", 0o644)
    ran = run_with(implementation, "export A b if { true } printenv A", tmp_path, directory)
    assert ran.stdout == "b\n"


def test_a_copy_of_a_command_by_its_path(implementation: Commands, tmp_path: Path) -> None:
    target = (implementation.directory / "define").resolve()
    (tmp_path / "define").symlink_to(target)
    (tmp_path / "other").symlink_to(target)
    script = f"export A b {tmp_path}/define x y printenv A"
    assert implementation.run(Case("", script), tmp_path).stdout == "b\n"


def test_called_by_a_name_that_is_none(implementation: Commands, tmp_path: Path) -> None:
    """Who executes us may give any name; then the path counts."""
    done = subprocess.run(
        ["-odd", "echo", "A", "$A"],
        executable=implementation.directory / "define",
        capture_output=True,
        cwd=tmp_path,
        check=False,
        timeout=20,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert (done.returncode, done.stdout) == (127, b"")
    assert done.stderr.startswith(b"define: fatal: unable to exec $A")


FACTS = "grep -e SigIgn -e SigBlk /proc/self/status"


def facts(implementation: Commands, script: str, top: Path, **how: object) -> list[int]:
    """Blocked and ignored signals as seen by each program that asks, as sets of bits."""
    file = top / "script"
    file.write_text(script)
    done = subprocess.run(
        [implementation.directory / "execlineb", "-P", file],
        env={"PATH": f"{implementation.directory}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
        **how,  # type: ignore[call-overload]
    )
    return [int(line.split("\t")[1], 16) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("ignored", [False, True])
def test_sigpipe_is_as_it_was(implementation: Commands, ignored: bool, tmp_path: Path) -> None:
    def prepare() -> None:
        signal.signal(signal.SIGPIPE, signal.SIG_IGN if ignored else signal.SIG_DFL)

    script = f"foreground {{ {FACTS} }} foreground {{ export A b {FACTS} }} export A b {FACTS}"
    seen = facts(implementation, script, tmp_path, preexec_fn=prepare, restore_signals=False)
    assert [mask & 0x1000 for mask in seen[1::2]] == [0x1000 if ignored else 0] * 3


def test_which_children_get_the_signal_mask(ours: Commands, tmp_path: Path) -> None:
    """As in 2.9.4: what one waits for gets ours, a backtick an empty one."""

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])

    for block in (FACTS, f"export A b {FACTS}"):
        script = (
            f"foreground {{ {block} }} pipeline {{ {block} }} foreground {{ cat }}"
            f' backtick -E x {{ {block} }} foreground {{ printf "%s\\n" $x }} {FACTS}'
        )
        seen = facts(ours, script, tmp_path, preexec_fn=prepare)
        assert seen[::2] == [0x200, 0x200, 0, 0x200]


@pytest.mark.parametrize("closed", [(0,), (1,), (0, 1), (0, 1, 2)])
def test_closed_descriptors_stay_closed(
    closed: tuple[int, ...], implementation: Commands, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text(
        'foreground { sh -c "ls /proc/self/fd >child" } export A b sh -c "ls /proc/self/fd >chain"'
    )

    def prepare() -> None:
        for number in closed:
            os.close(number)

    subprocess.run(
        [implementation.directory / "execlineb", "-P", script],
        env={"PATH": f"{implementation.directory}:/usr/bin:/bin"},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=prepare,
        timeout=20,
        check=True,
    )
    # The listing itself goes to 1, and reads with the lowest that is free.
    first = min({0, 2, 3} - ({0, 2} - set(closed)))
    expected = sorted({0, 1, 2, first} - (set(closed) - {1, first}))
    for file in ("child", "chain"):
        assert [int(line) for line in (tmp_path / file).read_text().split()] == expected


def test_one_process_is_all_it_takes(ours: Commands, tmp_path: Path) -> None:
    """Nothing is executed between commands: the kernel still shows the words of the first."""
    commands = "export A b unexport A define C d importas D E " * 5
    script = f'{commands} foreground {{ sh -c "cat /proc/$PPID/cmdline /proc/$PPID/comm" }} true'
    ran = ours.run(Case("", script), tmp_path)
    assert ran.stdout == "@BIN@/execlineb\0-P\0@SCRIPT@\0foreground\n"


LONG = {
    # script, exit code, how much is printed
    "many words": (f"echo {'word ' * 10_000}", 0, 50_000),
    "a megabyte": (f"echo {('x' * 20_000 + ' ') * 50}", 0, 1_000_050),
    "a word that is too long": (f"echo {'x' * 131_072}", 126, 0),
    "a word that just fits": (f"echo {'x' * 131_071}", 0, 131_072),
    "a value that is too long": (f"define A {'x' * 100_000} echo $A$A", 126, 0),
    "children of children": ("foreground { " * 40 + "echo a " + "} echo b " * 40, 0, 82),
}

VERY_LONG = {
    "words that are too many": ("echo " + "word " * 2_000_000, 126),
    "products that are too many": (f'define -s A "{"a " * 200}" echo $A${{A}}${{A}}${{A}}', 126),
    "blocks in blocks": ("{ " * 2000 + "} " * 2000, 126),
    "an open block in many": ("foreground { " * 100_000, 100),
}
"""What takes the originals long."""


@pytest.mark.parametrize("name", LONG)
def test_limits_are_the_kernels(name: str, implementation: Commands, tmp_path: Path) -> None:
    script, code, printed = LONG[name]
    ran = implementation.run(Case("", script), tmp_path)
    assert (ran.exit, len(ran.stdout)) == (code, printed), ran.stderr[-300:]
    if code == 126:
        assert "unable to exec echo: Argument list too long" in ran.stderr


@pytest.mark.parametrize("name", VERY_LONG)
def test_limits_of_what_is_never_executed(name: str, ours: Commands, tmp_path: Path) -> None:
    script, code = VERY_LONG[name]
    ran = ours.run(Case("", script), tmp_path)
    assert ran.exit == code, ran.stderr[-300:]
    assert len(ran.stderr) < 10_000


def test_a_script_without_end_is_no_danger(ours: Commands, tmp_path: Path) -> None:
    """Memory is bounded whatever a script holds."""
    limit = 64 * 1024 * 1024
    for text in ("word " * 8_000_000, "x" * 40_000_000, "{ " * 20_000_000, "# " * 20_000_000):
        (tmp_path / "script").write_text(text)
        done = subprocess.run(
            [
                *("sh", "-c", f'ulimit -v {limit // 1024}; exec "$@"', "sh"),
                *(ours.directory / "execlineb", "-P", tmp_path / "script"),
            ],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert done.returncode in (0, 100, 126), done.stderr[-300:]
