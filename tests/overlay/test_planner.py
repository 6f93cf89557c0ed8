"""`python -m s6x.overlay`: what `/init` runs when an image has no usable plan."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import s6x
from s6x.overlay import PlanError, decode, plan_for
from s6x.overlay.plan import FixAttrs
from s6x.overlay.root import Root
from world.tree import Content, plant

PACKAGES = Path(s6x.__file__).parent.parent
RULES = "etc/s6/init/init-stage2-fixattrs.txt"


def run(*args: object, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the planner as `/init` does, but with the package that is under test."""
    code = f"import sys; sys.path.insert(0, {str(PACKAGES)!r}); import runpy; "
    code += "runpy.run_module('s6x.overlay', run_name='__main__', alter_sys=True)"
    return subprocess.run(
        [sys.executable, "-I", "-c", code, *map(str, args)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env=environ,
    )


def _rules(root: Path, generation: str = "v1") -> str:
    (repair,) = (
        step
        for step in plan_for(root, generation).boot
        if isinstance(step, FixAttrs) and step.name == "repair permissions"
    )
    return repair.rules


def test_it_writes_the_whole_plan_and_says_nothing(tmp_path: Path) -> None:
    root, output = plant(tmp_path / "root", {"etc/s6/init": {}}), tmp_path / "plan"
    done = run("--output", output, "--root", root)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert decode(output.read_bytes()) == plan_for(root)
    assert [path.name for path in tmp_path.iterdir() if path != root] == ["plan"]
    assert output.stat().st_mode & 0o777 == 0o644


def test_the_generation_comes_from_the_environment_or_an_option(tmp_path: Path) -> None:
    output = tmp_path / "plan"
    run("--output", output, "--root", tmp_path, S6X_COMPAT="v1")
    assert decode(output.read_bytes()).generation == "v1"
    run("--output", output, "--root", tmp_path, "--generation", "v2", S6X_COMPAT="v1")
    assert decode(output.read_bytes()).generation == "v2"


def test_all_errors_are_listed_and_nothing_is_written(tmp_path: Path) -> None:
    root = plant(tmp_path / "root", {RULES: b"/x \0"})
    output = plant(tmp_path, {"plan": "the old one"}) / "plan"
    done = run("--output", output, "--root", root, S6X_COMPAT="v4")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "s6x: fatal: S6X_COMPAT: 'v4' is no generation of s6-overlay: this version of s6x knows v1 "
        "and v2; write one of v1, v2 there, or nothing, and the image's files decide",
        f"s6x: fatal: /{RULES}: it holds NUL bytes, so it is no text: it says which permissions "
        "user files get at boot; write it again, or remove it to get the usual rules",
    ]
    assert output.read_text() == "the old one"


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("--output",),
        ("--root", "/"),
        ("--output", "x", "--colour", "red"),
        ("x",),
        ("--output", "x", "--output-fd", "1"),
        ("--output-fd", "one"),
    ],
)
def test_usage_errors_exit_100(args: tuple[str, ...]) -> None:
    done = run(*args)
    assert done.returncode == 100
    assert done.stderr.startswith("usage: python3 -m s6x.overlay --output FILE")


def test_help_is_not_an_error() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: python3 -m s6x.overlay --output FILE")


def test_it_writes_to_a_descriptor(tmp_path: Path) -> None:
    """As `/init` asks for it: there may be no place on disk."""
    done = run("--output-fd", "1", "--root", tmp_path)
    assert done.returncode == 0
    assert decode(done.stdout.encode()) == plan_for(tmp_path)
    done = run("--output-fd", "99", "--root", tmp_path)
    assert done.returncode == 111
    assert done.stderr == "s6x: fatal: unable to write to descriptor 99: Bad file descriptor\n"


def test_an_output_that_cannot_be_written_exits_111(tmp_path: Path) -> None:
    done = run("--output", tmp_path / "none/plan", "--root", tmp_path)
    assert done.returncode == 111
    assert done.stderr == (
        f"s6x: fatal: unable to write {tmp_path}/none/plan: No such file or directory\n"
    )


def test_a_directory_as_output_is_left_as_it_is(tmp_path: Path) -> None:
    output = plant(tmp_path / "plan", {"inside": "x"})
    done = run("--output", output, "--root", tmp_path)
    assert done.returncode == 111
    assert done.stderr == f"s6x: fatal: unable to write {output}: Is a directory\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plan"]
    assert (output / "inside").read_text() == "x"


def test_the_planner_loads_nothing_slow(tmp_path: Path) -> None:
    """Each of these takes as long as the planner's own work, while a container waits."""
    code = (
        f"import os, sys; sys.path.insert(0, {str(PACKAGES)!r}); before = set(sys.modules)\n"
        "from s6x.overlay.__main__ import main\n"
        f"code = main(['--output', {str(tmp_path / 'plan')!r}, '--root', {str(tmp_path)!r}])\n"
        "print(code, *sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    code_and_modules = done.stdout.split()
    assert code_and_modules[0] == "0"
    foreign = [name for name in code_and_modules[1:] if name.partition(".")[0] != "s6x"]
    assert set(foreign) <= {"errno", "__future__"}
    assert "s6x.overlay.check" not in code_and_modules
    assert "s6x._core" not in code_and_modules


def test_import_s6x_loads_nothing_else() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(PACKAGES)!r}); before = set(sys.modules)\n"
        "import s6x; print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) <= {"s6x", "__future__"}
    assert s6x.overlay.plan_for is plan_for
    assert {"image", "overlay", "supervise"} <= set(dir(s6x))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        s6x.nonsense  # noqa: B018


# The image's own permission rules.


def test_the_usual_rules_follow_the_runtime_directory(tmp_path: Path) -> None:
    assert "{run}/etc/cont-init.d/* false root,0:0 0755 0755\n" in _rules(tmp_path)
    assert "data/check" not in _rules(tmp_path)
    assert "{run}/etc/services.d/*/data/check false root,0:0 0755 0755\n" in _rules(tmp_path, "v2")


def test_an_image_brings_its_own_rules(tmp_path: Path) -> None:
    own = "/var/run/s6/etc/x true app 0644 0755\n/srv/{a}/var/run/s6/ false app - -\n"
    plant(tmp_path, {RULES: own})
    assert (
        _rules(tmp_path) == "{run}/etc/x true app 0644 0755\n/srv/{{a}/var/run/s6/ false app - -\n"
    )


def test_odd_bytes_in_the_rules_survive(tmp_path: Path) -> None:
    plant(tmp_path, {RULES: b"/a\xff\xc3\xa9 false root 0644 0755"})
    assert os.fsencode(_rules(tmp_path)) == b"/a\xff\xc3\xa9 false root 0644 0755"


def test_files_that_cannot_be_read_are_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Root, path: str) -> bytes:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(Root, "read", refuse)  # root reads everything, whatever the mode
    plant(tmp_path, {RULES: "x", "etc/s6x/generation": "v1"})
    with pytest.raises(PlanError) as caught:
        plan_for(tmp_path)
    assert str(caught.value).splitlines() == [
        "/etc/s6x/generation: unable to read it: Permission denied: it says for which generation "
        "of s6-overlay the image was made; make it readable, or remove it and set S6X_COMPAT",
        f"/{RULES}: unable to read it: Permission denied: it says which permissions user files "
        "get at boot; make it readable, or remove it to get the usual rules",
    ]


def test_inputs_are_what_was_read(tmp_path: Path) -> None:
    image: dict[str, Content] = {RULES: "foobar", "etc/s6x/generation": "v1"}
    plant(tmp_path, image)
    assert plan_for(tmp_path).inputs == (
        (f"/{RULES}", "f85944171f73967e8"),
        ("/etc/s6x/generation", plan_for(tmp_path).inputs[1][1]),
    )
    assert plan_for(tmp_path, "v1").inputs == ((f"/{RULES}", "f85944171f73967e8"),)
    assert plan_for(tmp_path).made_by == f"s6x {s6x.__version__} (/etc/s6x/generation says so)"


def test_a_plan_for_another_generation_is_not_valid(tmp_path: Path) -> None:
    assert plan_for(tmp_path, "v1").valid_when == (("equals", "S6X_COMPAT", "v1", "v1"),)
