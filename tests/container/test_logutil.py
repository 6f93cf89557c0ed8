"""logutil-service and logutil-newfifo as images use them: contract s6-overlay §6."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from world.images import Image, needs_root
from world.tree import Content, script
from world.waiting import until

Images = Callable[..., Image]

FIFO = "/var/log/web.fifo"


@needs_root
def test_a_logger_of_a_service(image: Images) -> None:
    """As nobody, with the container's S6_LOGGING_SCRIPT, which services do not see."""
    files: dict[str, Content] = {
        "etc/cont-init.d/a!": script("mkdir -p /var/log/web; chown nobody /var/log/web"),
        "etc/services.d/web/run!": script("id -u; exec sleep 1000"),
        "etc/services.d/web/log/run!": script("exec logutil-service /var/log/web"),
    }
    its = image("v2", files)
    current = its.root / "var/log/web/current"
    for directives, line in (
        ({}, r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9}  0\n"),
        ({"S6_LOGGING_SCRIPT": "pX\tn3"}, r"X 0\n"),
    ):
        with its.boot(env=directives) as init:
            until(lambda: current.exists() and current.read_text().endswith("0\n"), "the line")
            assert re.fullmatch(line, current.read_text().splitlines(keepends=True)[-1])
            assert current.stat().st_uid == 65534
            assert init.stop().code == 0
        current.unlink()


@needs_root
def test_a_fifo_that_the_fd_holder_keeps(image: Images) -> None:
    """What is written while nobody reads is there for the next reader."""
    its = image("v2", {"var/log": {}})
    socket = its.root / "run/s6/fdholderd-socket"
    with its.boot() as init:
        init.until_said("[services.d] done.\n")
        assert init.run("s6-svc", "-uwU", "-T5000", "/var/run/s6/services/s6-fdholderd").code == 0
        assert socket.is_socket()
        for mode in ("0620", "0600"):  # a second time, it takes the place of the first
            made = init.run("logutil-newfifo", "-m", mode, "-o", "nobody", FIFO)
            assert (made.code, made.out, made.err) == (0, "", "")
            status = (its.root / FIFO.lstrip("/")).stat()
            assert (status.st_mode, status.st_uid) == (0o010000 | int(mode, 8), 65534)
        listed = init.run("s6-fdholder-list", "/var/run/s6/fdholderd-socket")
        assert listed.out == f"logutil-newfifo:{FIFO}\n"
        assert init.run("sh", "-c", f"echo early >{FIFO}").code == 0
        read = init.run("sh", "-c", f"timeout 5 head -n 1 <>{FIFO}")
        assert read.out == "early\n"
        assert init.stop().code == 0


@needs_root
def test_a_fifo_without_fd_holder(image: Images) -> None:
    ended = image("v2").run("sh", "-c", "logutil-newfifo /tmp/f && stat -c %a%F /tmp/f")
    assert ended.code == 0
    assert "\n600fifo\n" in ended.out
    assert ended.err == (
        "logutil-newfifo: warning: no fd-holder runs: what is written to /tmp/f while nobody "
        "reads it is lost\n"
    )


@needs_root
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("", 100, "no fifo given"),
        ("-m 9 /tmp/f", 100, 'option -m: "9" is not an octal mode'),
        ("-o stranger /tmp/f", 1, 'option -o: there is no user "stranger"'),
        ("/absent/f", 111, "unable to create /absent/f: No such file or directory"),
        ("/tmp", 111, "unable to remove /tmp: Is a directory"),
    ],
)
def test_mistakes(image: Images, words: str, code: int, said: str) -> None:
    ended = image("v2").run("sh", "-c", f"logutil-newfifo {words}; echo code $?")
    assert f"\ncode {code}\n" in ended.out
    assert said in ended.err
