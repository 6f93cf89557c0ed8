"""`s6x check FILE...`: execline scripts, for people and for CI."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from s6x.cli.check import check
from world.tree import Content, plant


def run(*words: str | Path) -> tuple[int, list[str]]:
    """Return the exit code and the lines."""
    done = CliRunner().invoke(check, [str(word) for word in words])
    return done.exit_code, done.output.splitlines()


def test_files(tmp_path: Path) -> None:
    top = plant(
        tmp_path,
        {
            "root/bin/echo!": "",
            "good": "#!/command/execlineb -P\necho hello\n",
            "odd": "#!/command/execlineb -P\necho $x\n",
            "bad": "#!/command/execlineb -P\nif { echo\n",
        },
    )
    at = ("--root", top / "root")
    assert run(*at, top / "good") == (0, [])
    code, lines = run(*at, top / "good", top / "odd")
    assert code == 0
    assert lines == [
        f"warning: {top}/odd:2:6: nothing substitutes $x: it stays as it is, dollar sign and all; "
        "put importas -i x x before it, or \\$x if that is meant"
    ]
    assert run(*at, "--strict", top / "odd")[0] == 1
    code, lines = run(*at, top / "odd", top / "bad", top / "none")
    assert code == 1
    assert [line.split(": ")[0] for line in lines] == ["warning", "error", "error"]
    assert lines[1].startswith(f"error: {top}/bad:2:4: unmatched {{: execlineb runs nothing")
    assert f"{top}/none: unable to read it: No such file" in lines[2]


def test_shell_scripts_and_variables(tmp_path: Path) -> None:
    top = plant(tmp_path, {"run": "#!/usr/bin/with-contenv sh\nexec cron\n", "root": {}})
    at = ("--root", top / "root")
    code, (line,) = run(*at, top / "run")
    assert code == 0
    assert line.startswith(f"warning: {top}/run, line 2: cron goes into the background: ")
    code, lines = run(*at, "-e", "S6_KEPP_ENV=1", "--env", "S6_KILL_GRACETIME=3s", "--strict")
    assert code == 1
    assert [line for line in lines if "S6_" in line] == [
        "warning: S6_KEPP_ENV: no variable of this name is known: it changes nothing; did you mean "
        "S6_KEEP_ENV?",
        "warning: S6_KILL_GRACETIME: '3s' is no decimal number: it counts as 3000; write digits "
        "only",
    ]


def test_as_json(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/command/execlineb -P\nexport A\n")
    done = CliRunner().invoke(check, ["--json", "--root", str(tmp_path), str(tmp_path / "script")])
    (finding,) = json.loads(done.output)
    assert (done.exit_code, finding["level"]) == (1, "error")
    assert finding["path"] == f"{tmp_path}/script:2:1"
    assert finding["what"] == "export has too few arguments"


def test_what_is_the_same_for_several_files_is_said_once(tmp_path: Path) -> None:
    script = "#!/bin/sh\n"
    files: dict[str, Content] = {"bin/sh!": "", "init!": "", "var/run": {}}
    top = plant(tmp_path, {**files, "etc/cont-init.d": {"a": script, "b": script, "c!": script}})
    code, lines = run("--root", top)
    notes = [line for line in lines if line.startswith("note: ")]
    assert code == 0
    assert [line.split(": ")[1:3] for line in notes] == [
        ["/etc/cont-init.d/a, /etc/cont-init.d/b", "not executable"]
    ]
