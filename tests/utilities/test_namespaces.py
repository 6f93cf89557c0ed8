"""Utilities that change what everybody on the machine sees, each in namespaces of its own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from world.programs import AS_NOBODY

from .conftest import Utilities

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="mounts and names of hosts are root's to change"
)


def test_mounting_as_the_overlay_does(run: Utilities) -> None:
    (run.top / "d").mkdir()
    done = run.sh(
        "s6-mount -wt tmpfs -o exec,mode=0755 tmpfs d && stat -fc %T d && stat -c %a d"
        " && s6-mount -o remount,ro,noexec tmpfs d && ! touch d/x 2>/dev/null"
        " && s6-mount -o remount,rw,exec tmpfs d && : >d/x"
        " && s6-mount | grep ' /[^ ]*/d ' | cut -d' ' -f1,3 && s6-umount d && ls d",
    )
    assert (done.code, done.out, done.err) == (0, b"tmpfs\n755\ntmpfs tmpfs\n", "")


def test_words_with_and_without_flags(run: Utilities) -> None:
    for name in ("a", "b", "a/file"):
        (run.top / name).mkdir() if "/" not in name else (run.top / name).write_text("text")
    done = run.sh(
        "s6-mount -n -o bind a b && cat b/file && s6-mount -o remount,bind,nosuid -r none b"
        " && ! touch b/x 2>/dev/null && grep '/b ' /proc/self/mountinfo | cut -d' ' -f6"
        " && s6-umount b && s6-mount -t tmpfs -r -o size=64k,nodev,nr_inodes=9 -w x b"
        " && grep '/b ' /proc/self/mountinfo | grep -o 'rw.*nodev'"
        " && grep '/b ' /proc/self/mountinfo | grep -o 'size=64k,nr_inodes=9'",
    )
    assert done.err == ""
    first, second, third = done.out.decode().removeprefix("text").splitlines()
    assert set(first.split(",")) >= {"ro", "nosuid"}
    assert second.startswith("rw,")
    assert third == "size=64k,nr_inodes=9"
    assert done.code == 0


@pytest.mark.parametrize(
    ("script", "code", "message"),
    [
        ("s6-mount x", 100, "no mountpoint given"),
        ("s6-mount -t tmpfs x no/such", 111, "unable to mount x on no/such: No such file"),
        ("s6-mount -t nosuchtype x d", 111, "unable to mount x on d: No such device"),
        ("s6-mount -t tmpfs -o nosuchoption x d", 111, "unable to mount x on d: Invalid argument"),
        ("s6-mount -t tmpfs x d; cd d; s6-umount .", 111, "unable to unmount .: "),
        ("s6-umount d", 111, "unable to unmount d: Invalid argument"),
        ("s6-umount", 100, "no mountpoint given"),
        ("s6-umount --everything", 100, "unrecognized boolean option: --everything"),
        ("s6-mount -a -z no/such", 111, "unable to open no/such: No such file"),
        ("s6-swapon", 100, "no device given"),
        ("s6-swapon d", 111, "unable to swap to d: "),
        ("s6-swapoff d", 111, "unable to bring back what was swapped to d: "),
        (
            "s6-hostname ''; s6-hostname $(printf %065d 0)",
            111,
            "unable to set the host's name",
        ),
        ("s6-freeramdisk", 100, "no device given"),
        ("s6-freeramdisk no/such", 111, "unable to open no/such: No such file"),
        ("s6-freeramdisk file", 111, "unable to flush file: Inappropriate ioctl"),
        ("s6-chroot d", 100, "no program given"),
        ("s6-chroot no/such true", 111, "unable to chdir to no/such: No such file"),
        ("s6-chroot file true", 111, "unable to chdir to file: Not a directory"),
        ("s6-chroot d true", 127, "unable to exec true: No such file or directory"),
        ("s6-pivotchroot d", 100, "no place for the old root given"),
        ("s6-pivotchroot d old", 100, "no program given"),
        ("s6-pivotchroot d old true", 111, "unable to pivot_root to d: "),
    ],
)
def test_what_cannot_be_done(run: Utilities, script: str, code: int, message: str) -> None:
    (run.top / "d").mkdir()
    (run.top / "file").write_text("")
    done = run.sh(script, "uts")
    program = script.split("; ")[-1].split()[0]
    assert (done.code, done.out) == (code, b"")
    assert f"{program}: fatal: {message}" in done.err


def test_the_root_in_use(run: Utilities) -> None:
    """EBUSY has an exit code of its own: most likely it is mounted already."""
    (run.top / "d").mkdir()
    script = "s6-mount -t tmpfs x d && : >d/f && exec 3>>d/f && s6-mount -o remount,ro x d"
    done = run.sh(script)
    assert (done.code, done.out) == (1, b"")
    assert done.err.endswith("s6-mount: fatal: unable to mount x on d: Device or resource busy\n")


def test_fstab(run: Utilities) -> None:
    for name in ("one", "with blank", "three"):
        (run.top / name).mkdir()
    (run.top / "fstab").write_text(
        f"# device place type options\n\n"
        f"tmpfs {run.top}/one tmpfs ro,size=1m 0 0\n"
        f"tmpfs\t{run.top}/with\\040blank   tmpfs defaults\n"
        f"nothing {run.top}/no/such tmpfs\n"
        f"nothing {run.top}/three nosuchtype\n"
        f"short line\n"
    )
    done = run.sh(
        "s6-mount -a -z fstab; echo $?; s6-mount | grep -c /with.040blank;"
        " touch one/x 2>/dev/null || echo ro; touch 'with blank/x';"
        " s6-umount -a 2>said; echo $?; grep -c warning said; touch one/y 'with blank/y'",
    )
    first, blanks, read_only, failures, warnings = done.out.decode().split()
    assert (first, blanks, read_only) == ("2", "1", "ro"), done
    assert failures == warnings, "the root, at least, stays"
    assert int(failures) >= 1
    for name in ("one", "with blank"):
        assert [path.name for path in (run.top / name).iterdir()] == ["y"], "what is below it"
    said = done.err.splitlines()
    assert [line.split(": ", 2)[:2] for line in said] == [["s6-mount", "warning"]] * 2


def test_swap_space_that_fstab_names(run: Utilities) -> None:
    fstab = run.top / "fstab"
    fstab.write_text(f"{run.top}/a none swap sw 0 0\nx /x ext4\n{run.top}/b none swap sw 0 0\n")
    done = run.sh(f"s6-mount -o bind {fstab} /etc/fstab && s6-swapon -a")
    assert (done.code, done.out) == (2, b"")
    assert done.err.count("s6-swapon: warning: unable to swap to ") == 2
    done = run("s6-swapon", "--all", "--", "more", under=AS_NOBODY)
    assert "s6-swapon: warning: ignoring" in done.err
    (run.top / "swaps").write_text("Filename\tType\n/no/such\\040file  file 1 0 -2\n")
    done = run.sh("s6-mount -o bind swaps /proc/swaps && s6-swapoff -a")
    assert (done.code, done.out) == (1, b"")
    assert "unable to bring back what was swapped to /no/such file: No such file" in done.err


def test_the_hosts_name(run: Utilities) -> None:
    done = run.sh("s6-hostname; s6-hostname box.example && s6-hostname && uname -n", "uts")
    name = os.uname().nodename
    assert (done.code, done.out) == (0, f"{name}\nbox.example\nbox.example\n".encode())
    assert os.uname().nodename == name
    done = run("s6-hostname", "other", under=AS_NOBODY)
    assert (done.code, done.out) == (111, b"")
    assert (
        done.err == "s6-hostname: fatal: unable to set the host's name: Operation not permitted\n"
    )


def _root(run: Utilities, name: str) -> Path:
    root = run.top / name
    (root / "bin").mkdir(parents=True)
    busybox = shutil.which("busybox")
    assert busybox
    shutil.copy(busybox, root / "bin/sh")
    (root / "mark").write_text(name)
    return root


def test_another_root(run: Utilities) -> None:
    _root(run, "root")
    done = run.sh("s6-chroot root sh -c 'pwd; read -r m </mark; echo $m; cd ../..; pwd'")
    assert (done.code, done.out, done.err) == (0, b"/\nroot\n/\n", "")
    done = run("s6-chroot", "root", "sh", under=AS_NOBODY)
    assert (done.code, done.out) == (111, b"")
    assert done.err == "s6-chroot: fatal: unable to change root to root: Operation not permitted\n"


def test_another_root_for_everything(run: Utilities) -> None:
    _root(run, "root")
    (run.top / "root/old").mkdir()
    done = run.sh(
        "s6-mount -o bind root root && exec s6-pivotchroot root old sh -c"
        " 'pwd; read -r m </mark; echo $m; test -e /old/proc/self/mounts && echo old;"
        " read -r root rest </proc/mounts || echo no proc'",
    )
    assert (done.code, done.out) == (0, b"/\nroot\nold\nno proc\n"), done


@pytest.mark.parametrize(
    ("option", "codes"),
    [
        ("-h", ["129"]),
        ("-t", ["143"]),
        ("-k", ["137"]),
        ("-htk", ["129", "143", "137"]),
        ("", ["running"]),
    ],
)
def test_nuke(run: Utilities, option: str, codes: list[str]) -> None:
    """In a PID namespace: everything but its PID 1 and s6-nuke itself."""
    done = run.sh(
        "trap : HUP TERM; sleep 60 & pid=$!;"
        f" s6-nuke {option}; echo nuked $?; sleep 0;"
        + (" wait $pid; echo $?" if codes != ["running"] else " kill -0 $pid && echo running"),
        "pid",
    )
    lines = done.out.decode().split("\n")
    assert lines[0] == "nuked 0"
    assert lines[1] in codes
    assert (done.code, done.err) == (0, "")


def test_nuke_where_nobody_is(run: Utilities) -> None:
    done = run.sh("s6-nuke -htk; echo $?", "pid")
    assert (done.code, done.out, done.err) == (0, b"0\n", "")


def test_nobodys_nuke(run: Utilities) -> None:
    """What we may not signal is left alone; the kernel takes that for a success."""
    words = f"{' '.join(AS_NOBODY)} {run.programs.path('s6-nuke')} -k"
    done = run.sh(f"sleep 60 & {words}; echo $?; kill $! && echo alive", "pid")
    assert (done.code, done.out, done.err) == (0, b"0\nalive\n", "")


def test_seeds(run: Utilities) -> None:
    seeds = run.top / "a/b"
    done = run("rngseed", "-w", "-d", f"{seeds}/")
    assert (done.code, done.out, done.err) == (0, b"", "")
    seed = seeds / "seed"
    first = seed.read_bytes()
    assert 32 <= len(first) <= 512
    assert (seed.stat().st_mode & 0o7777, seeds.stat().st_mode & 0o7777) == (0o400, 0o700)
    done = run("rngseed", "-W", "-d", seeds, "-v", "2")
    assert done.code == 0
    assert done.err.count("rngseed: info: ") == 2
    assert seed.stat().st_mode & 0o7777 == 0o600
    assert seed.read_bytes() != first
    seeds.chmod(0o755)
    done = run("rngseed", "-nw", "-d", seeds)
    assert (done.code, done.out) == (0, b"")
    assert done.err == f"rngseed: warning: {seeds} has permissive modes, changing it to 0700\n"
    assert seeds.stat().st_mode & 0o7777 == 0o700
    assert run("rngseed").code == 0


def test_a_seed_is_good_for_one_time(run: Utilities) -> None:
    assert run("rngseed", "-W", "-d", ".").code == 0
    old = (run.top / "seed").read_bytes()
    done = run("rngseed", "-rW", "-d", ".", "-v2")
    assert (done.code, done.out) == (0, b"")
    assert "rngseed: warning: ./seed was not marked as creditable\n" in done.err
    assert f"seeding with {len(old) * 8} bits without crediting" in done.err
    assert (run.top / "seed").read_bytes() != old
    done = run("rngseed", "-R", "-d", ".", "-v", "0")
    assert (done.code, done.out, done.err) == (0, b"", "")
    assert not (run.top / "seed").exists()
    done = run("rngseed", "-r", "-d", ".")
    assert (done.code, done.err) == (
        111,
        "rngseed: fatal: unable to open ./seed: No such file or directory\n",
    )
    (run.top / "seed").write_bytes(b"")
    done = run("rngseed", "-r", "-d", ".")
    assert (done.code, done.err) == (100, "rngseed: fatal: empty ./seed\n")


def test_the_generator_is_roots_to_seed(run: Utilities) -> None:
    top = run.top
    (top / "seed").write_bytes(b"x" * 32)
    top.chmod(0o777)
    done = run("rngseed", "-R", "-d", ".", under=AS_NOBODY)
    assert (done.code, done.out) == (111, b"")
    assert "unable to seed the random number generator: Operation not permitted" in done.err
