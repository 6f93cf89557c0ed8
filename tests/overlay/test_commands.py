"""`s6x plan`, `check`, `install` and `build`: what they print, and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from s6x.cli.build import build
from s6x.cli.check import check
from s6x.cli.install import install
from s6x.cli.overlay_failures import ASKED_BY
from s6x.cli.plan import plan
from s6x.overlay import decode, encode, plan_for
from s6x.overlay.render import render_text
from world.tree import plant


def run(command: click.Command, *args: object, **environ: str) -> Result:
    result = CliRunner().invoke(command, [str(arg) for arg in args], env=environ)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(autouse=True)
def _no_wish_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("S6X_COMPAT", raising=False)


def test_plan_as_text_json_and_bytes(tmp_path: Path) -> None:
    text = run(plan, "--root", tmp_path, "--generation", "v1")
    made_by = plan_for(tmp_path, "v1", asked_by=ASKED_BY)
    assert (text.exit_code, text.output) == (0, render_text(made_by))
    shown = json.loads(run(plan, "--root", tmp_path, "--json").output)
    assert (shown["format"], shown["version"], shown["generation"]) == ("s6x-plan", 2, "v2")
    output = tmp_path / "plan"
    assert run(plan, "--root", tmp_path, "--output", output).output == ""
    assert decode(output.read_bytes()) == plan_for(tmp_path)
    assert run(plan, "--file", output).output == render_text(plan_for(tmp_path))


def test_the_environment_asks_for_a_generation_as_it_would_at_boot(tmp_path: Path) -> None:
    shown = json.loads(run(plan, "--root", tmp_path, "--json", S6X_COMPAT="v1").output)
    assert shown["generation"] == "v1"
    run(build, "--root", tmp_path, S6X_COMPAT="v1")
    assert decode((tmp_path / "etc/s6x/plan").read_bytes()).generation == "v1"


def test_plan_of_an_image_that_has_none(tmp_path: Path) -> None:
    result = run(plan, "--root", plant(tmp_path, {"etc/s6x/generation": "v3"}))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("s6x plan: fatal: /etc/s6x/generation: this asks for")


def test_plan_of_a_file_that_is_none(tmp_path: Path) -> None:
    result = run(plan, "--file", tmp_path / "none")
    assert result.exit_code == 111
    assert result.stderr == (
        f"s6x plan: fatal: unable to use {tmp_path}/none: No such file or directory\n"
    )
    plant(tmp_path, {"odd": "hello"})
    result = run(plan, "--file", tmp_path / "odd")
    assert result.exit_code == 1
    assert result.stderr == "s6x plan: fatal: plan: byte 0: no value begins with b'h'\n"


def test_check_lists_all_and_exits_1_on_errors(tmp_path: Path) -> None:
    plant(tmp_path, {"etc/services.d/web": {}})
    result = run(check, "--root", tmp_path, S6_KEEP_ENVS="1")
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "error: /etc/services.d/web/run: there is none: the service can never start; add it, "
        "unless a script of cont-init.d does",
        "warning: /init: there is none: nothing would run the plan; s6x install --root DIR",
    ]
    shown = json.loads(run(check, "--root", tmp_path, "--json").output)
    assert [finding["path"] for finding in shown] == ["/etc/services.d/web/run", "/init"]


@pytest.mark.parametrize("command", [plan, check, build])
def test_a_root_that_is_not_there_is_an_error(tmp_path: Path, command: click.Command) -> None:
    result = run(command, "--root", tmp_path / "none")
    assert result.exit_code == 1
    assert result.output.endswith(
        f"{tmp_path}/none: no such directory: there is no image to read; name the directory that "
        "is the image's root\n"
    )
    assert result.output.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_check_counts_warnings_when_it_is_strict(tmp_path: Path) -> None:
    assert run(check, "--root", tmp_path).exit_code == 0
    assert run(check, "--root", tmp_path, "--strict").exit_code == 1


def test_install_lays_out_and_plans(tmp_path: Path, executable: Path) -> None:
    args = ("--root", tmp_path, "--executable", executable, "--generation", "v1")
    result = run(install, *args)
    assert result.exit_code == 0, result.output
    first, second = result.output.splitlines()
    assert first.startswith(f"s6x install: generation v1 in {tmp_path}: ")
    assert first.endswith(" made")
    plan_bytes = (tmp_path / "etc/s6x/plan").read_bytes()
    assert second == f"s6x install: plan in /etc/s6x/plan, {len(plan_bytes)} bytes"
    assert plan_bytes == encode(plan_for(tmp_path, "v1"))
    assert " unchanged" in run(install, *args).output
    assert "made /init\n" in run(install, "-v", *args[:4], "--root", _new(tmp_path)).output


def _new(tmp_path: Path) -> Path:
    return plant(tmp_path / "new", {})


def test_install_says_what_it_kept(tmp_path: Path, executable: Path) -> None:
    plant(tmp_path, {"init!": "mine"})
    args = ("--root", tmp_path, "--executable", executable, "--no-build")
    lines = run(install, *args).output.splitlines()
    assert lines[0] == "kept /init: it is not ours"
    assert lines[-1] == "s6x install: what was kept is not ours: --replace puts ours there"
    assert not (tmp_path / "etc/s6x/plan").exists()
    assert run(install, *args, "--replace").exit_code == 0
    assert (tmp_path / "init").is_symlink()


def test_install_fails_in_one_sentence(tmp_path: Path, executable: Path) -> None:
    result = run(install, "--root", tmp_path / "none", "--executable", executable)
    assert result.exit_code == 1
    assert result.stderr == (
        f"s6x install: fatal: {tmp_path}/none: no such directory: make the root first\n"
    )
    result = run(install, "--root", tmp_path, "--executable", tmp_path / "none")
    assert result.exit_code == 1
    assert result.stderr == (
        f"s6x install: fatal: unable to run {tmp_path}/none: No such file or directory\n"
    )


def test_build_writes_and_says_so(tmp_path: Path) -> None:
    result = run(build, "--root", tmp_path)
    size = (tmp_path / "etc/s6x/plan").stat().st_size
    assert result.exit_code == 0
    assert result.stdout == (
        f"s6x build: /etc/s6x/plan written: generation v2, {size} bytes "
        f"({plan_for(tmp_path).made_by})\n"
    )
    assert result.stderr.startswith("warning: /init: there is none")
    assert "/etc/s6x/plan unchanged" in run(build, "--root", tmp_path).stdout


def test_build_check_says_why_a_plan_is_stale(tmp_path: Path) -> None:
    result = run(build, "--root", tmp_path, "--check")
    assert (result.exit_code, result.output) == (
        1,
        "s6x build: the plan is stale: /etc/s6x/plan: there is none\n",
    )
    run(build, "--root", tmp_path)
    result = run(build, "--root", tmp_path, "--check")
    assert (result.exit_code, result.output) == (0, "s6x build: the plan is up to date\n")


def test_build_lists_every_reason(tmp_path: Path) -> None:
    result = run(build, "--root", tmp_path, "--generation", "v8")
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "s6x build: fatal: --generation or S6X_COMPAT: 'v8' is no generation"
    )
    assert not (tmp_path / "etc").exists()


@pytest.mark.parametrize("command", [plan, check, install, build])
def test_help_says_what_it_does(command: click.Command) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "--root DIR" in result.output
