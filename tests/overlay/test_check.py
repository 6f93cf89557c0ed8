"""Everything odd about an image, all at once: where, what, what it leads to, what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from s6x.overlay.check import check
from world.tree import FIFO, Content, Link, plant

FRAME: dict[str, Content] = {
    "init!": "",
    "bin/sh!": "\x7fELF",
    "usr/bin/with-contenv!": "\x7fELF",
    "usr/bin/env!": "\x7fELF",
}
GOOD = "#!/bin/sh\n"


def findings(tmp_path: Path, image: dict[str, Content], generation: str = "v2") -> list[str]:
    """Return the findings as `level sentence`."""
    root = plant(plant(tmp_path, FRAME), image)
    return [f"{its.level} {its}" for its in check(root, generation)]


def test_a_good_image_has_no_findings(tmp_path: Path) -> None:
    image: dict[str, Content] = {
        "etc/services.d/nginx": {
            "run!": "#!/usr/bin/with-contenv sh\nexec nginx -g 'daemon off;'\n",
            "finish!": "#!/usr/bin/env -S sh -e\n",
            "notification-fd": "3\n",
            "log/run!": GOOD,
        },
        "etc/cont-init.d/10-a!": GOOD,
        "etc/cont-init.d/.gitkeep": "",
        "etc/cont-finish.d/10-z!": "\x7fELF...",
        "etc/fix-attrs.d/01": "# ours\n\n/data true app,1:1 0640 0750\n/x false www:web - -\n",
        "etc/passwd": "www:x:33:33::/:\n",
        "etc/group": "web:x:34:\n",
    }
    assert findings(tmp_path, image) == []


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (
            {"etc/cont-init.d/a!": "#!/bin/sh\r\necho\r\n"},
            "error /etc/cont-init.d/a: its #! line ends with a carriage return (a DOS line end): "
            "the kernel looks for an interpreter of that odd name: it counts as a script that "
            "exits with 126 or 127; sed -i 's/\\r$//' /etc/cont-init.d/a",
        ),
        (
            {"etc/cont-init.d/a!": "echo hello\n"},
            "error /etc/cont-init.d/a: no #! line: it counts as a script that exits with 126 or "
            "127; begin the file with a line like #!/bin/sh",
        ),
        (
            {"etc/cont-finish.d/a!": ""},
            "error /etc/cont-finish.d/a: an empty file: it counts as a script that exits with 126 "
            "or 127; begin the file with a line like #!/bin/sh",
        ),
        (
            {"etc/cont-init.d/a!": "#!\n"},
            "error /etc/cont-init.d/a: an empty #! line: it counts as a script that exits with "
            "126 or 127; name the interpreter there",
        ),
        (
            {"etc/cont-init.d/a!": "#!/bin/bash -e\n"},
            "error /etc/cont-init.d/a: its interpreter /bin/bash is not in the image: it counts "
            "as a script that exits with 126 or 127; install /bin/bash, or name another "
            "interpreter",
        ),
        (
            {"etc/cont-init.d/a!": "#!/command/with-contenv sh\n"},
            "error /etc/cont-init.d/a: its interpreter /command/with-contenv is not in the image: "
            "it counts as a script that exits with 126 or 127; s6x install lays it out",
        ),
        (
            {"etc/cont-init.d/a!": "#!sh\n"},
            "warning /etc/cont-init.d/a: its interpreter 'sh' is not an absolute path: it depends "
            "on the directory that the program is started in; write the whole path",
        ),
        (
            {"etc/cont-init.d/a!": "#!/usr/bin/with-contenv bash\n"},
            "error /etc/cont-init.d/a: /usr/bin/with-contenv is to start 'bash', which is not in "
            "the image: it counts as a script that exits with 126 or 127; install bash, or name "
            "another interpreter (the image's PATH may differ from "
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)",
        ),
        (
            {"etc/cont-init.d/a": GOOD},
            "note /etc/cont-init.d/a: not executable: it is made executable when the container "
            "boots; chmod +x it in the image, then it also works with a read-only root",
        ),
        (
            {"etc/cont-init.d/a": {}},
            "error /etc/cont-init.d/a: a directory where a script is expected: it counts as a "
            "script that exits with 126 or 127; move it elsewhere",
        ),
        (
            {"etc/cont-init.d/a": FIFO},
            "error /etc/cont-init.d/a: not a regular file where a script is expected: it counts "
            "as a script that exits with 126 or 127; move it elsewhere",
        ),
        (
            {"etc/cont-init.d/a": Link("/nowhere")},
            "error /etc/cont-init.d/a: a link that leads nowhere: it counts as a script that "
            "exits with 126 or 127; let it point to a file of the image, or remove it",
        ),
        (
            {"etc/cont-init.d/a~!": GOOD},
            "warning /etc/cont-init.d/a~: it looks like a leftover of an editor or packager: it "
            "is used like any other file here; remove it, or rename it",
        ),
        (
            {"etc/cont-init.d/a\nb!": GOOD},
            "warning /etc/cont-init.d/'a\\nb': its name holds odd characters: log lines about it "
            "will be hard to read; rename it",
        ),
        (
            {"etc/services.d": "x"},
            "warning /etc/services.d: not a directory: this part of boot is skipped; make it a "
            "directory, or remove it",
        ),
        (
            {"etc/services.d/web": "x"},
            "warning /etc/services.d/web: not a directory: it is not a service, and is ignored; "
            "a service is a directory with a file run: /etc/services.d/web/run",
        ),
        (
            {"etc/services.d/web": {}},
            "error /etc/services.d/web/run: there is none: the service can never start; add it, "
            "unless a script of cont-init.d does",
        ),
        (
            {"etc/services.d/web": {"run!": GOOD, "log": {}}},
            "error /etc/services.d/web/log/run: there is none: the service can never start; add "
            "it, unless a script of cont-init.d does",
        ),
        (
            {"etc/services.d/web": {"run!": "x"}},
            "error /etc/services.d/web/run: no #! line: the service never starts, its supervisor "
            "tries again and again; begin the file with a line like #!/bin/sh",
        ),
        (
            {"etc/services.d/web": {"run!": GOOD, "down": ""}},
            "note /etc/services.d/web/down: the service is not started at boot: it waits for "
            "s6-svc -u; remove the file to have it started",
        ),
        (
            {"etc/services.d/web": {"run!": GOOD, "notification-fd": "three\n"}},
            "error /etc/services.d/web/notification-fd: b'three' is no number from 1 on: the "
            "supervisor ignores the file; write one decimal number into it",
        ),
        (
            {"etc/services.d/s6-fdholderd": {"run!": GOOD}},
            "warning /etc/services.d/s6-fdholderd: this name belongs to a service of the overlay "
            "itself: the two are mixed into one directory; give it another name",
        ),
        (
            {f"etc/services.d/{'x' * 252}": {"run!": GOOD}},
            f"error /etc/services.d/{'x' * 252}: its name is longer than 251 bytes: no supervisor "
            "is started for it; give it a shorter name",
        ),
        (
            {"etc/fix-attrs.d/a": "/x true app 0644\n"},
            "error /etc/fix-attrs.d/a, line 1: 4 fields, but a rule is: path recurse account fmode "
            "dmode: the line changes nothing; "
            "write: path recurse(true|false) account file-mode directory-mode",
        ),
        (
            {"etc/fix-attrs.d/a": "\n/x yes app 0644 0755\n"},
            'error /etc/fix-attrs.d/a, line 2: "yes" is neither true nor false: the line changes '
            "nothing; write: path recurse(true|false) account file-mode directory-mode",
        ),
        (
            {"etc/fix-attrs.d/a": "/x true app 0688 0755\n"},
            'error /etc/fix-attrs.d/a, line 1: "0688" is no mode (octal digits, or -): the line '
            "changes nothing; write: path recurse(true|false) account file-mode directory-mode",
        ),
        (
            {"etc/fix-attrs.d/a": "\n/x true app 0644 0755\n", "etc/passwd": "ap:x:1:1::/:\n"},
            "error /etc/fix-attrs.d/a, line 2: unknown user: app: the line changes nothing; these "
            "rules are applied before cont-init.d could add anybody: add it to the image, or write "
            "numbers",
        ),
        (
            {"etc/fix-attrs.d/a": "/x true 1:app 0644 0755\n", "etc/group": "ap:x:1:\n"},
            "error /etc/fix-attrs.d/a, line 1: unknown group: app: the line changes nothing; these "
            "rules are applied before cont-init.d could add anybody: add it to the image, or write "
            "numbers",
        ),
        (
            {"etc/cont-init.d/a!": b"\xef\xbb\xbf#!/bin/sh\n"},
            "error /etc/cont-init.d/a: it begins with a byte order mark, and not with #!: the "
            "kernel sees no script in it: it counts as a script that exits with 126 or 127; "
            "sed -i '1s/^\\xef\\xbb\\xbf//' /etc/cont-init.d/a",
        ),
        (
            {"etc/cont-init.d/a!": "#!/bin/sh " + 246 * "x" + "\n"},
            "error /etc/cont-init.d/a: its #! line is 256 bytes long: the kernel reads 255 of "
            "them, and cuts off the rest: it counts as a script that exits with 126 or 127; put "
            "what it says into the script itself",
        ),
        (
            {"etc/cont-init.d/a!": "#!/usr/bin/env sh -e\n"},
            "error /etc/cont-init.d/a: the kernel passes 'sh -e' to /usr/bin/env as one word: no "
            "program is called so: it counts as a script that exits with 126 or 127; write "
            "/usr/bin/env sh, and set options in the script",
        ),
        (
            {"etc/cont-profile.d/p/cont-init.d/a!": "echo\n"},
            "error /etc/cont-profile.d/p/cont-init.d/a: no #! line: it counts as a script that "
            "exits with 126 or 127; begin the file with a line like #!/bin/sh",
        ),
        (
            {"etc/s6/init/env-stage2/S6_KEPP_ENV": "1\n"},
            "warning /etc/s6/init/env-stage2/S6_KEPP_ENV: no variable of this name is known: it "
            "changes nothing; did you mean S6_KEEP_ENV?",
        ),
        (
            {"etc/s6-overlay/s6-rc.d/web/type": "longrun\n"},
            "warning /etc/s6-overlay/s6-rc.d: it holds services of generation v3: this version of "
            "s6x starts none of them; move them to /etc/services.d",
        ),
    ],
)
def test_one_finding(tmp_path: Path, image: dict[str, Content], expected: str) -> None:
    assert findings(tmp_path, image) == [expected]


def test_in_v1_a_script_that_cannot_run_ends_boot(tmp_path: Path) -> None:
    (said,) = findings(tmp_path, {"etc/cont-init.d/a!": "echo\n"}, "v1")
    assert "boot ends there: later scripts and all services are not started" in said


def test_an_image_without_init_is_told_how_to_get_one(tmp_path: Path) -> None:
    assert [str(its) for its in check(tmp_path)] == [
        "/init: there is none: nothing would run the plan; s6x install --root DIR"
    ]


def test_everything_is_listed_errors_first(tmp_path: Path) -> None:
    said = findings(
        tmp_path,
        {
            "etc/s6x/generation": "v7",
            "etc/cont-init.d": {"a": GOOD, "b!": "x"},
            "etc/services.d": {"file": "", "web": {}},
        },
        "",
    )
    assert [line.split(":")[0] for line in said] == [
        "error /etc/cont-init.d/b",
        "error /etc/s6x/generation",
        "error /etc/services.d/web/run",
        "warning /etc/services.d/file",
        "note /etc/cont-init.d/a",
    ]


def test_checking_changes_nothing(tmp_path: Path) -> None:
    plant(tmp_path, {**FRAME, "etc/cont-init.d": {"a": GOOD}})
    before = sorted((path, path.stat().st_mode) for path in tmp_path.rglob("*"))
    check(tmp_path)
    assert sorted((path, path.stat().st_mode) for path in tmp_path.rglob("*")) == before
