"""An image that keeps syslog messages in files by rules: contract s6-overlay §9.2.

Prepared by a script of cont-init.d that sorts last, with `fix-attrs` as a filter; its logger makes
the words of s6-log from all files of a directory, one directive a line.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from world.families import Base, in_order, stopped
from world.images import needs_root
from world.tree import Content
from world.waiting import until

pytestmark = needs_root

RULES = {
    "cron": ["-", r"+^cron\."],
    "daemon": ["-", r"+^daemon\."],
    "debug": ["-", r"+^[[:alnum:]]*\.debug:"],
    "errors": ["-", r"+^[[:alnum:]]*\.(err|error|emerg|alert|crit):"],
    "everything": ["+", r"-^auth\.", r"-^authpriv\."],
    "kernel": ["-", r"+^kern\."],
    "mail": ["-", r"+^mail\."],
    "messages": [
        *("-", r"+\.(info|notice|warn|warning):"),
        *(r"-^auth\.", r"-^authpriv\.", r"-^cron\.", r"-^daemon\.", r"-^mail\."),
    ],
    "secure": ["-", r"+^auth\.", r"+^authpriv\."],
    "user": ["-", r"+^user\."],
}
"""Directory to the directives that choose its lines."""

SENT = {
    "auth.info": {"secure"},
    "authpriv.warn": {"secure"},
    "cron.notice": {"cron", "everything"},
    "daemon.debug": {"daemon", "debug", "everything"},
    "local0.emerg": {"errors", "everything"},
    "mail.info": {"everything", "mail"},
    "news.info": {"everything", "messages"},
    "user.err": {"errors", "everything", "user"},
    "user.notice": {"everything", "messages", "user"},
}
"""What is sent, and where it is kept."""

PREPARE = r"""#!/usr/bin/execlineb
if { forx -p -E name { NAMES } s6-mkdir -p -m 0750 /var/log/socklog/${name} }
if { pipeline { s6-echo "/var/log/socklog true nobody:nogroup,32768:32768 0640 0750" } fix-attrs }
backtick -D T -E stamp { printcontenv SOCKLOG_TIMESTAMP_FORMAT }
ifelse { s6-test ${stamp} = T -o ${stamp} = t } { true }
redirfd -w 1 /var/run/s6/container_environment/SOCKLOG_TIMESTAMP_FORMAT s6-echo -n T
""".replace("NAMES", " ".join(RULES))

LOGGER = r"""#!/usr/bin/execlineb -P
backtick -D T SOCKLOG_TIMESTAMP_FORMAT { printcontenv SOCKLOG_TIMESTAMP_FORMAT }
backtick -i directives {
  elglob -s files /etc/socklog.rules/*
  forx -E file { $files }
  redirfd -r 0 ${file}
  s6-cat
}
importas -i -C -s -d "\n" directives directives
importas -i -C -s -d "\n" SOCKLOG_TIMESTAMP_FORMAT SOCKLOG_TIMESTAMP_FORMAT
s6-setuidgid nobody
s6-log -b -p $directives
"""

SERVICE = """#!/usr/bin/execlineb -P
fdmove -c 2 1
s6-envuidgid -D 32768:32768 nobody
s6-socklog -U -x /dev/log
"""


def rule(name: str) -> str:
    lines = [*RULES[name], "${SOCKLOG_TIMESTAMP_FORMAT}", f"/var/log/socklog/{name}"]
    return "".join(f"{line}\n" for line in lines)


FILES: dict[str, Content] = {
    "var/log": {},
    "etc/cont-init.d/50-other": "#!/bin/sh\nexec ls /var/log\n",
    "etc/cont-init.d/~-socklog": PREPARE,
    "etc/services.d/socklog/run": SERVICE,
    "etc/services.d/socklog/log/run": LOGGER,
    **{f"etc/socklog.rules/~-{name}": rule(name) for name in RULES},
}


@pytest.mark.parametrize(
    ("asked", "stamp"),
    [
        ("", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9}  "),
        ("t", "@[0-9a-f]{24} "),
        ("nonsense", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9}  "),
    ],
)
def test_messages_by_rules(base: Base, asked: str, stamp: str) -> None:
    its = base.image(FILES)
    logs = its.root / "var/log/socklog"
    env = {"SOCKLOG_TIMESTAMP_FORMAT": asked} if asked else {}
    with its.boot(env=env) as init:
        init.until_said("[services.d] done.")
        until(lambda: init.run("/bin/test", "-S", "/dev/log").code == 0, "the socket")
        for priority in SENT:
            assert init.run("logger", "-p", priority, f"about {priority}").code == 0
        last = "about " + max(SENT)
        until(
            lambda: last in kept(logs, "everything"),
            "the last message",
            explain=lambda: init.container.err,
        )
        said = stopped(init)
    in_order(said, "[cont-init.d] 50-other: exited 0.", "[cont-init.d] ~-socklog: exited 0.")
    for priority, where in SENT.items():
        assert {name for name in RULES if f"about {priority}\n" in kept(logs, name)} == where
    for name in RULES:
        assert (logs / name).stat().st_mode & 0o777 == 0o750
        assert (logs / name).stat().st_uid == 65534
        for line in kept(logs, name).splitlines():
            assert re.match(stamp + r"\w+\.\w+: ", line), line


def kept(logs: Path, name: str) -> str:
    """What is in one directory's newest file."""
    file = logs / name / "current"
    return file.read_text() if file.exists() else ""
