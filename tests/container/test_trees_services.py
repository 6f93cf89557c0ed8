"""Trees of images whose services depend on each other, log, wait or stop the container.

Each is written for this test after the manner of a family of images of generations v1 and v2, on a
busybox root with sh and on the machine's own root with bash. Applications are stand-ins.
"""

from __future__ import annotations

import pytest

from s6x.image.install import install
from world.families import DAEMON, SCANDIR, Base, add_user, in_order, stopped
from world.images import needs_root
from world.programs import our_executable
from world.tree import Content, plant
from world.waiting import until

pytestmark = needs_root


ON_CRASH = f"""\
#!/usr/bin/execlineb -S1
if {{ s6-test ${{1}} -ne 0 }}
if {{ s6-test ${{1}} -ne 256 }}
s6-svscanctl -t {SCANDIR}
"""
"""Stops the container when the service failed by itself, and not when it was told to end."""


@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_an_application_whose_crash_stops_the_container(base: Base, generation: str) -> None:
    """Settings go into the environment by files; one service waits for another, one is down."""
    add_user(base.root, "node", 890)
    install(base.root, generation, our_executable())
    its = base.image(
        {
            "etc/cont-init.d/30-defaults": base.contenv(
                '[ -n "$RUN_AS" ] || printf node >/var/run/s6/container_environment/RUN_AS'
            ),
            "etc/cont-init.d/40-log": base.contenv("mkdir -p /tmp/log; chown $RUN_AS /tmp/log"),
            "etc/services.d/app/run": base.contenv(
                "exec s6-setuidgid $RUN_AS nodeserver index.js"
            ),
            "etc/services.d/app/finish": ON_CRASH,
            "etc/services.d/template/run": base.contenv(
                f"s6-svwait -u -t 5000 {SCANDIR}/app && echo app is up; exec nap"
            ),
            "etc/services.d/template/down": "",
            "etc/services.d/reader/run": base.contenv(
                f"touch {SCANDIR}/reader/down; echo read once; s6-svc -d {SCANDIR}/reader"
            ),
            "etc/cont-finish.d/00-leave": base.contenv("exec s6-setuidgid $RUN_AS id -u"),
        },
        "nodeserver", "nap", generation=generation,
    )  # fmt: skip
    with its.boot() as init:
        init.until_said("nodeserver index.js as 890")
        init.until_said("read once\n")
        assert init.run("/bin/s6-svc", "-u", f"{SCANDIR}/template").code == 0
        init.until_said("app is up\n")

        def serves_again(before: int) -> bool:
            return init.container.out.count("nodeserver index.js as 890\n") > before

        for count, command in ((1, "-r"), (2, "-t")):
            assert init.run("/bin/s6-svc", command, f"{SCANDIR}/app").code == 0
            until(lambda count=count: serves_again(count), "a restart")  # type: ignore[misc]
        pid = init.run("/bin/s6-svstat", "-o", "pid", f"{SCANDIR}/app").out.strip()
        assert init.run("/bin/kill", "-QUIT", pid).code == 0
        until(
            lambda: init.container.out.count("nodeserver index.js as 890\n") == 4, "exit 0: again"
        )
        # s6-supervise says 256 for a signal's death, so only an exit code of its own stops it all.
        plant(its.root, {"usr/bin/nodeserver!": "#!/bin/sh\nexit 4\n"})
        init.run("/bin/s6-svc", "-k", f"{SCANDIR}/app")
        ended = init.wait()
    assert ended.code == 0
    assert ended.out.count("read once\n") == 1
    in_order(ended.out, "[cont-finish.d] 00-leave: executing... ", "890", "[cont-finish.d] done.")


def test_services_that_log_with_a_prefix_and_stop_together(base: Base) -> None:
    """Loggers are filters or s6-log; one service is a chain of execline; any end stops all."""
    both = f"#!/bin/sh\ns6-svscanctl -t {SCANDIR}\n"
    add_user(base.root, "git", 999)
    its = base.image(
        {
            "srv/git/x": "x",
            "etc/fix-attrs.d/01-volumes": "/srv/git true git:git 0644 0755\n",
            "etc/services.d/web/run": "#!/bin/sh\nexec 2>&1\nexec webserver -g 'daemon off;'\n",
            "etc/services.d/web/finish": both,
            "etc/services.d/web/log/run": "#!/bin/sh\nexec sed 's/^/[web] /'\n",
            "etc/services.d/ssh/run": "#!/bin/sh\nexec 2>&1\nexec sshserver -De\n",
            "etc/services.d/ssh/finish": both,
            "etc/services.d/ssh/log/run": "#!/usr/bin/with-contenv sh\n"
            "exec logutil-service /var/log/ssh\n",
            "etc/services.d/gate/run": "#!/usr/bin/execlineb -P\n"
            "background { if { s6-sleep -m 10 } chmod 0666 /run/gate }\n"
            "fdmove -c 2 1\ngateway -s unix:/run/gate\n",
            "etc/services.d/gate/finish": both,
            "run/gate": "",
            "var/log/ssh": {},
        },
        "webserver", "sshserver", "gateway",
    )  # fmt: skip
    (its.root / "var/log/ssh").chmod(0o777)
    look = its.root / "var/log/ssh/current"
    with its.boot(env={"S6_LOGGING_SCRIPT": "n5 s100000 T"}) as init:
        init.until_said("gateway -s unix:/run/gate as 0")
        until(lambda: look.exists() and "sshserver -De as 0\n" in look.read_text(), "the log")
        until(lambda: (its.root / "run/gate").stat().st_mode & 0o777 == 0o666, "the chain's child")
        assert init.run("/bin/s6-svc", "-t", f"{SCANDIR}/gate").code == 0
        ended = init.wait()
    assert ended.code == 0
    in_order(ended.out, "[web] webserver -g daemon off; as 0", "[web] webserver asked to end")
    assert "sshserver asked to end\n" in look.read_text()
    owner = (its.root / "srv/git/x").stat()
    assert (owner.st_uid, owner.st_mode & 0o777) == (999, 0o644)


@pytest.mark.parametrize("on", [True, False])
def test_services_hidden_until_they_are_wanted(base: Base, on: bool) -> None:
    """A script hides directories behind a dot and shows them; one service runs a single time."""
    switch = """\
show() { [ ! -e "/etc/services.d/.$1" ] || mv "/etc/services.d/.$1" "/etc/services.d/$1"; }
hide() { [ ! -e "/etc/services.d/$1" ] || mv "/etc/services.d/$1" "/etc/services.d/.$1"; }
if [ "$WITH_PANEL" = 1 ]; then show panel; hide plain; else show plain; hide panel; fi
"""
    once = f"""\
if [ -f /tmp/collected ]; then s6-svc -D {SCANDIR}/once; exit 0; fi
s6-svwait -u {SCANDIR}/api
until [ -f /tmp/api ]; do sleep 0.05; done
echo collected; touch /tmp/collected; s6-svc -O /run/service/once
"""
    its = base.image(
        {
            "etc/cont-init.d/40-switch": base.contenv(switch),
            "etc/services.d/plain/run": base.contenv("plainserver | tee -a /tmp/plain.log"),
            "etc/services.d/plain/finish": base.contenv(
                f'[ "$END_ON_ERROR" = 1 ] && s6-svscanctl -t {SCANDIR}; true'
            ),
            "etc/services.d/.panel/run!": base.contenv("exec panelserver"),
            "etc/services.d/api/run": base.contenv("sleep 0.1; touch /tmp/api; exec apiserver"),
            "etc/services.d/once/run": base.contenv(once),
            "etc/services.d/once/finish": "#!/usr/bin/execlineb -S0\ns6-echo -- once ended $1\n",
        },
        *("plainserver", "panelserver", "apiserver"),
    )
    with its.boot(env={"WITH_PANEL": "1" if on else "0", "END_ON_ERROR": "1"}) as init:
        init.until_said("panelserver  as 0" if on else "plainserver  as 0")
        init.until_said("once ended 0")
        assert init.run("/bin/s6-svwait", "-d", "-t", "5000", f"{SCANDIR}/once").code == 0
        if on:
            said = stopped(init)
        else:
            assert init.run("/bin/s6-svc", "-d", f"{SCANDIR}/plain").code == 0
            said = init.wait().out
    assert said.count("collected\n") == 1
    assert ("panelserver" in said) == on
    assert ("plainserver" in said) != on


def test_an_add_on_that_waits_until_services_are_ready(base: Base) -> None:
    """Readiness by s6-notifyoncheck; what a failure of boot leaves for the scripts at the end."""
    told = 'if [ "$S6_STAGE2_EXITED" != 0 ]; then echo "went wrong: $S6_STAGE2_EXITED"; fi'
    files: dict[str, Content] = {
        "usr/bin/apiserver!": DAEMON.replace("trap", "touch /tmp/serving\ntrap"),
        "etc/cont-finish.d/99-message": f"#!/usr/bin/env {base.shell}\n{told}\n",
        "etc/services.d/api/run": base.contenv("exec s6-notifyoncheck -d -n 50 -w 20 apiserver"),
        "etc/services.d/api/notification-fd": "3\n",
        "etc/services.d/api/data/check": base.contenv("[ -f /tmp/serving ] && echo ready now"),
        "etc/services.d/api/finish": "#!/usr/bin/execlineb -S0\n"
        "if -n { s6-test $# -ne 0 }\nif -n { s6-test ${1} -eq 256 }\n"
        f"s6-svscanctl -t {SCANDIR}\n",
    }
    if base.shell == "sh":
        base.root.joinpath("usr/bin/env").symlink_to("/bin/busybox")
    env = {"S6_BEHAVIOUR_IF_STAGE2_FAILS": "2", "S6_CMD_WAIT_FOR_SERVICES": "1"}
    its = base.image(files)
    ended = its.run("sh", "-c", "echo command; exit 3", env=env)
    in_order(
        *(ended.out, "ready now", "[services.d] done.", "command"),
        *("[cmd] sh exited 3", "went wrong: 3"),
    )
    assert ended.code == 3
    its.plant({"etc/cont-init.d/01-config": base.contenv("echo no such option; exit 1")}).built()
    ended = its.run("sh", "-c", "echo command", env=env)
    in_order(ended.out, "no such option", "[cont-init.d] 01-config: exited 1.", "went wrong: 1")
    assert "init-stage2 failed" not in ended.out
    assert ended.code == 1
    assert "\ncommand\n" not in ended.out
    assert "[services.d]" not in ended.out
