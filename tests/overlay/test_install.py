"""What `install` lays out, and what it leaves alone."""

from __future__ import annotations

import contextlib
import os
import shutil
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from s6x.image import ExecutableError, InstallError, build, install, is_stale, native
from s6x.overlay.check import check
from s6x.overlay.detect import detect
from s6x.overlay.root import Root
from world.tree import Content, Link, plant

STAGES = (
    "init",
    "etc/s6/init/init-stage1",
    "etc/s6/init/init-stage2",
    "etc/s6/init/init-stage2-redirfd",
    "etc/s6/init/init-stage3",
    "etc/s6/init-catchall/init-stage1",
    "etc/s6/init-catchall/init-stage2",
    "etc/s6/init-no-catchall/init-stage1",
    "etc/s6/init-no-catchall/init-stage2",
)
PROGRAM = "package/admin/s6x/command/s6x"


def state(root: Path) -> dict[str, object]:
    """Return everything below a root: kind, mode, content or target, and when it was made."""
    found: dict[str, object] = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        content: object = None
        if path.is_symlink():
            content = str(path.readlink())
        elif path.is_file():
            content = path.read_bytes()
        found[str(path.relative_to(root))] = (status.st_mode, status.st_mtime_ns, content)
    return found


def test_an_empty_root_gets_the_whole_layout(tmp_path: Path, executable: Path) -> None:
    changes = install(tmp_path, "v1", executable)
    assert {change.action for change in changes} == {"made"}
    program = tmp_path / PROGRAM
    assert program.read_bytes() == executable.read_bytes()
    assert program.stat().st_mode & 0o7777 == 0o755
    for stage in STAGES:
        assert (tmp_path / stage).resolve() == program
    for name in ("fix-attrs.d", "cont-init.d", "cont-finish.d", "services.d"):
        assert (tmp_path / "etc" / name).stat().st_mode & 0o7777 == 0o755
        assert not list((tmp_path / "etc" / name).iterdir())
    assert (tmp_path / "etc/s6/init/env/PATH").read_text() == "/usr/bin:/usr/sbin:/bin:/sbin\n"
    assert (tmp_path / "etc/s6/init/env-stage2").is_dir()
    assert (tmp_path / "etc/s6x/generation").read_text() == "v1\n"
    rules = (tmp_path / "etc/s6/init/init-stage2-fixattrs.txt").read_text()
    assert rules.startswith("/var/run/s6/etc/fix-attrs.d/* false root,0:0 0644 0755\n")


def test_the_fdholder_is_there_and_down(tmp_path: Path, executable: Path) -> None:
    install(tmp_path, "v1", executable)
    services = tmp_path / "etc/s6/services"
    for name in (".s6-svscan/crash", ".s6-svscan/finish", "s6-fdholderd/run"):
        assert (services / name).stat().st_mode & 0o7777 == 0o755
    assert (services / "s6-fdholderd/down").read_bytes() == b""
    assert (services / "s6-fdholderd/notification-fd").read_text() == "1\n"
    rules = services / "s6-fdholderd/rules/uid"
    assert (rules / "0/allow").exists()
    assert (rules / "default/allow").exists()
    assert {path.name for path in (rules / "default/env").iterdir()} == {"S6_FDHOLDER_LIST"}


def test_every_program_has_its_names(tmp_path: Path, executable: Path) -> None:
    install(tmp_path, "v2", executable)
    program = tmp_path / PROGRAM
    for link in (
        "bin/s6-svc", "usr/bin/s6-svc", "command/s6-svc", "bin/s6-supervise", "bin/with-contenv",
        "usr/bin/with-contenv", "usr/bin/printcontenv", "command/with-contenv", "usr/bin/s6x",
        "command/s6x",
    ):  # fmt: skip
        path = tmp_path / link
        assert path.resolve() == program, link
        assert not path.readlink().is_absolute()
    # A stage is no program of its own.
    assert not (tmp_path / "bin/init").exists()
    assert not (tmp_path / "command/init-stage1").exists()


@pytest.mark.parametrize("package", ["execline", "s6", "s6-linux-utils", "s6-portable-utils"])
def test_programs_are_found_by_their_packages_too(
    tmp_path: Path, executable: Path, package: str
) -> None:
    install(tmp_path, "v2", executable)
    command = tmp_path / "package/admin" / package / "command"
    assert command.readlink() == Path("../../../command")
    assert (command / "s6-svc").resolve() == tmp_path / PROGRAM
    shutil.rmtree(tmp_path / "package/admin" / package)
    (command / "inside").mkdir(parents=True)
    changes = {change.path: change for change in install(tmp_path, "v2", executable)}
    assert changes[f"/package/admin/{package}/command"].action == "kept"
    assert (command / "inside").is_dir()


def test_the_tree_can_be_moved(tmp_path: Path, executable: Path) -> None:
    install(plant(tmp_path / "one", {}), "v1", executable)
    (tmp_path / "one").rename(tmp_path / "other")
    assert (tmp_path / "other/usr/bin/with-contenv").resolve() == tmp_path / "other" / PROGRAM


def test_doing_it_again_changes_nothing(tmp_path: Path, executable: Path) -> None:
    install(tmp_path, "v1", executable)
    before = state(tmp_path)
    assert {change.action for change in install(tmp_path, "v1", executable)} == {"unchanged"}
    assert state(tmp_path) == before


def test_a_new_executable_and_another_generation_replace_ours(
    tmp_path: Path, executable: Path
) -> None:
    install(tmp_path, "v1", executable)
    executable.write_text(executable.read_text() + "# newer\n")
    replaced = {c.path for c in install(tmp_path, "v2", executable) if c.action == "replaced"}
    assert replaced == {
        f"/{PROGRAM}",
        "/etc/s6/init/init-stage2-fixattrs.txt",
        "/etc/s6x/generation",
    }
    assert (tmp_path / PROGRAM).read_bytes() == executable.read_bytes()
    assert detect(Root(tmp_path)).generation == "v2"


@pytest.mark.parametrize("target", ["usr/bin", "/usr/bin", "../../usr/bin"])
def test_a_merged_usr_stays_merged(tmp_path: Path, executable: Path, target: str) -> None:
    plant(tmp_path, {"usr/bin/sh!": "the shell", "bin": Link(target)})
    changes = install(tmp_path, "v1", executable)
    assert (tmp_path / "bin").is_symlink()
    assert str((tmp_path / "bin").readlink()) == target
    assert (tmp_path / "usr/bin/sh").read_text() == "the shell"
    assert (tmp_path / "usr/bin/s6-svc").resolve() == tmp_path / PROGRAM
    paths = [change.path for change in changes]
    assert "/bin/s6-svc" in paths  # once, though it has two names
    assert "/usr/bin/s6-svc" not in paths
    assert not [c for c in changes if c.action == "kept"]


def test_linked_directories_are_filled_where_they_lead(tmp_path: Path, executable: Path) -> None:
    plant(tmp_path, {"config/services": {}, "etc/services.d": Link("/config/services"),
                     "package": Link("/opt/package"), "opt": {}})  # fmt: skip
    install(tmp_path, "v1", executable)
    assert str((tmp_path / "etc/services.d").readlink()) == "/config/services"
    assert (tmp_path / "opt/package/admin/s6x/command/s6x").is_file()
    # Relative to where the files really are, so it also works seen from outside.
    program = tmp_path / "command/s6x"
    assert str(program.readlink()) == "../opt/package/admin/s6x/command/s6x"


def test_links_keep_their_programs_names_on_the_way(tmp_path: Path, executable: Path) -> None:
    """A build may rename a link; then the next name on the way says which program it is."""
    install(tmp_path, "v2", executable)
    assert str((tmp_path / "init").readlink()) == "etc/s6/init/init-stage1"
    assert str((tmp_path / "usr/bin/with-contenv").readlink()) == "../../command/with-contenv"
    assert (tmp_path / "usr/bin/with-contenv").resolve() == tmp_path / PROGRAM


@pytest.mark.parametrize("command", [Link("usr/bin"), {"s6-svc!": "somebody else's"}])
def test_links_lead_by_nothing_that_is_not_ours(
    tmp_path: Path, executable: Path, command: Content
) -> None:
    plant(tmp_path, {"usr/bin": {}, "command": command})
    install(tmp_path, "v2", executable)
    assert (tmp_path / "usr/bin/s6-svc").resolve() == tmp_path / PROGRAM
    assert (tmp_path / "bin/s6-svc").resolve() == tmp_path / PROGRAM


def test_files_of_the_user_stay(tmp_path: Path, executable: Path) -> None:
    own: dict[str, Content] = {
        "init!": "my own",
        "bin/s6-svc!": "the original",
        "usr/bin/with-contenv": Link("elsewhere"),
        "etc/s6/init/env/PATH": "/opt/bin\n",
        "etc/s6/init/init-stage2-fixattrs.txt": "/data true app 0600 0700\n",
        "etc/s6/services/.s6-svscan/crash!": "#!/bin/sh\nreboot\n",
        "etc/services.d/web/run!": "#!/bin/sh\n",
    }
    plant(tmp_path, own)
    before = state(tmp_path)
    changes = install(tmp_path, "v1", executable)
    assert {c.path: c.note for c in changes if c.action == "kept"} == {
        "/init": "it is not ours",
        "/bin/s6-svc": "it is not ours",
        "/usr/bin/with-contenv": "it is not ours",
        "/etc/s6/init/env/PATH": "it is not ours",
        "/etc/s6/init/init-stage2-fixattrs.txt": "it is not ours",
        "/etc/s6/services/.s6-svscan/crash": "it is not ours",
    }
    after = state(tmp_path)
    for name in own:
        assert after[name.removesuffix("!")] == before[name.removesuffix("!")]


def test_programs_of_others_give_way_when_asked_to(tmp_path: Path, executable: Path) -> None:
    plant(
        tmp_path,
        {"init!": "theirs", "bin/s6-svc!": "theirs", "etc/s6/init/env/PATH": "/opt/bin\n"},
    )
    changes = {c.path: c.action for c in install(tmp_path, "v1", executable, replace=True)}
    assert changes["/init"] == changes["/bin/s6-svc"] == "replaced"
    assert (tmp_path / "init").resolve() == tmp_path / PROGRAM
    assert changes["/etc/s6/init/env/PATH"] == "kept"  # a setting, not a program


def test_a_directory_where_a_program_belongs_is_kept(tmp_path: Path, executable: Path) -> None:
    plant(tmp_path, {"bin/s6-svc/inside": "x"})
    changes = {c.path: c for c in install(tmp_path, "v1", executable, replace=True)}
    assert (changes["/bin/s6-svc"].action, changes["/bin/s6-svc"].note) == (
        "kept", "it is a directory",
    )  # fmt: skip
    assert (tmp_path / "bin/s6-svc/inside").read_text() == "x"


def test_modes_do_not_depend_on_the_umask(tmp_path: Path, executable: Path) -> None:
    old = os.umask(0o077)
    try:
        install(tmp_path, "v1", executable)
    finally:
        os.umask(old)
    assert (tmp_path / "etc/s6/init/env").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "etc/s6/init/env/PATH").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "package/admin/s6x").stat().st_mode & 0o777 == 0o755


def test_the_result_is_a_good_image(tmp_path: Path, executable: Path) -> None:
    install(tmp_path, "v1", executable)
    assert check(tmp_path) == []
    assert detect(Root(tmp_path)).why == "/etc/s6x/generation says so"


def test_an_ordinary_user_can_do_it(executable: Path) -> None:
    with ordinary_user() as root:
        install(root, "v1", executable)
        build(root)
        assert (root / "init").resolve() == root / PROGRAM
        assert (root / "etc/s6x/plan").stat().st_uid == os.geteuid() != 0
        assert not is_stale(root)


@contextlib.contextmanager
def ordinary_user() -> Iterator[Path]:
    """Be somebody who is not root for a while, in a directory of theirs."""
    user = 65534 if os.geteuid() == 0 else os.geteuid()
    root = Path(tempfile.mkdtemp(prefix="s6x-root-"))
    before = os.geteuid()
    os.chown(root, user, -1)
    os.seteuid(user)
    try:
        yield root
    finally:
        os.seteuid(before)
        shutil.rmtree(root)


# What cannot work.


def test_a_root_that_is_not_there(tmp_path: Path, executable: Path) -> None:
    with pytest.raises(InstallError, match="none: no such directory: make the root first"):
        install(tmp_path / "none", "v1", executable)


def test_a_generation_that_is_none(tmp_path: Path, executable: Path) -> None:
    with pytest.raises(InstallError, match="'v3' is no generation that this s6x knows: use v1, v2"):
        install(tmp_path, "v3", executable)
    assert not list(tmp_path.iterdir())


def test_a_file_where_a_directory_belongs(tmp_path: Path, executable: Path) -> None:
    plant(tmp_path, {"etc": "a file"})
    with pytest.raises(
        InstallError, match=r"unable to make /etc/fix-attrs.d: File exists \(.*etc\)"
    ):
        install(tmp_path, "v1", executable)
    assert (tmp_path / "etc").read_text() == "a file"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exit 3", "--list-applets exited 3 and said: nothing: is it s6x?"),
        ("echo wrong >&2", "--list-applets exited 0 and said: wrong: is it s6x?"),
        ("echo ../x", "--list-applets: '../x' is no name of a program"),
    ],
)
def test_an_executable_that_is_not_s6x(
    tmp_path: Path, executable: Path, script: str, why: str
) -> None:
    executable.write_text(f"#!/bin/sh\n{script}\n")
    with pytest.raises(ExecutableError) as caught:
        install(tmp_path, "v1", executable)
    assert why in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_an_executable_that_cannot_be_run(tmp_path: Path) -> None:
    with pytest.raises(ExecutableError, match=r"unable to run .*: No such file or directory"):
        install(tmp_path, "v1", tmp_path / "none")


def test_the_loader_of_a_dynamic_executable_is_seen(tmp_path: Path) -> None:
    loader = b"/lib/ld-test.so\0"
    head = b"\x7fELF\x02\x01" + bytes(10)
    head += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    program = struct.pack("<IIQQQQQQ", 3, 4, 120, 0, 0, len(loader), len(loader), 1)
    elf = tmp_path / "elf"
    elf.write_bytes(head + program + loader)
    assert native.interpreter(elf) == "/lib/ld-test.so"
    elf.write_bytes(head[:-12] + struct.pack("<HHHHHH", 64, 56, 0, 0, 0, 0))
    assert native.interpreter(elf) is None
    shell = shutil.which("sh")
    assert shell is not None
    assert native.interpreter(Path(shell)) is not None


def test_an_executable_that_needs_a_loader_is_named(
    tmp_path: Path, executable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "interpreter", lambda _: "/lib/ld-test.so")
    (first, *_) = install(tmp_path, "v1", executable)
    assert first.note == (
        "it needs /lib/ld-test.so, which is not in the image: use the static executable"
    )
