"""What is linked into the executable."""

from __future__ import annotations

import os
import platform
import re
import subprocess

import pytest

from world.programs import REPOSITORY

TARGET = f"{platform.machine()}-unknown-linux-gnu"

NSS = (
    *("getaddrinfo", "gethostbyname", "gethostbyname_r", "getservbyname"),
    *("getpwnam", "getpwnam_r", "getpwuid", "getpwuid_r", "getpwent"),
    *("getgrnam", "getgrnam_r", "getgrgid", "getgrgid_r", "getgrent", "getgrouplist", "initgroups"),
)
"""In a static glibc executable these load the image's modules, and crash when they do not match."""


@pytest.mark.timeout(600)
def test_nothing_that_loads_modules_of_the_image() -> None:
    """The linker used to warn of them; the one that Rust brings along does not."""
    flags = "-C target-feature=+crt-static -C relocation-model=static"
    build = ["cargo", "build", "-p", "s6x-multicall", "--bin", "s6x"]
    directory = REPOSITORY / "target/static"
    done = subprocess.run(
        [*build, "--target", TARGET, "--target-dir", directory],
        cwd=REPOSITORY,
        env={**os.environ, "RUSTFLAGS": flags},
        capture_output=True,
        text=True,
        timeout=550,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "statically linked applications requires" not in done.stderr
    executable = directory / TARGET / "debug/s6x"
    listed = subprocess.run(["nm", executable], capture_output=True, text=True, check=True)
    linked = set(re.findall(r"^[0-9a-f]+ [TtWi] (\w+)$", listed.stdout, re.MULTILINE))
    assert {"main", "openat"} <= linked, "this is not the symbol table we expect"
    assert not linked & set(NSS)
