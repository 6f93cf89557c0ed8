"""What `s6x check` says about shell scripts: only what is plain to see, and then with a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from s6x.overlay.execline import script_findings
from s6x.overlay.root import Root
from s6x.overlay.shell import run_findings, shell_of, variable_findings
from world.tree import Content, plant

FORKS = "its supervisor sees it end, and starts it again and again"


def said_of_run(tmp_path: Path, script: str, image: dict[str, Content] | None = None) -> list[str]:
    """Return what is said about the last command of a service's run script."""
    root = Root(plant(tmp_path, image or {}))
    return [f"{its.level} {its}" for its in run_findings(root, "/run", script.encode())]


@pytest.mark.parametrize(
    "command",
    [
        "exec nginx -g 'daemon off;'",
        "exec nginx -g 'pid /run/x; daemon off;'",
        "exec /usr/sbin/nginx -c /config/nginx.conf",
        "exec cron -f",
        "exec crond -f -d 8",
        "exec /usr/sbin/crond -n",
        "exec /usr/sbin/sshd -D -e",
        "exec sshd -De",
        "exec s6-setuidgid www php-fpm8.2 -F",
        "exec php-fpm --nodaemonize -c /etc/php.ini",
        "exec apache2 -D FOREGROUND",
        "exec httpd -DFOREGROUND",
        "exec httpd -f -p 8080",
        "exec redis-server --daemonize no",
        "exec redis-server /etc/redis.conf",
        "exec memcached -u nobody",
        "exec dnsmasq -k --conf-file=/x",
        "exec rsyslogd -n",
        "exec postfix start-fg",
        "exec dbus-daemon --system --nofork",
        "exec 2>&1\nexec env A=b s6-envdir /env s6-softlimit -o 100 app --run",
        "exec s6-notifyoncheck -d -n 300 -c 'nc -z localhost 80' s6-setuidgid abc app",
        "while true; do\n  app\ndone",
        "if test -e /x; then exec app; else sleep 5; fi",
        "test -x /app || exit 1; exec /app",
        "sleep infinity",
        "trap 'kill $pid' TERM\napp &\npid=$!\nwait $pid",
        "trap : TERM\napp",
        "cat <<EOF\nnginx\nEOF",
        "exec $APP --option",
        "app | logger",
        "exec app >/dev/null 2>&1",
        "",
        "# nothing but a comment &",
        "exec nginx -g 'unclosed",
    ],
)
def test_nothing_is_said_about_what_stays_in_the_foreground(tmp_path: Path, command: str) -> None:
    assert said_of_run(tmp_path, f"#!/bin/sh\n{command}\n") == []


@pytest.mark.parametrize(
    ("command", "name", "remedy"),
    [
        ("exec nginx", "nginx", "add -g 'daemon off;'"),
        ("exec /usr/sbin/nginx -q", "nginx", "add -g 'daemon off;'"),
        ("nginx", "nginx", "add -g 'daemon off;'"),
        ("exec cron", "cron", "add -f"),
        ("exec crond -l 2", "crond", "add -f (busybox) or -n (cronie)"),
        ("exec /usr/sbin/sshd -p 22", "sshd", "add -D"),
        ("exec s6-setuidgid www php-fpm7", "php-fpm7", "add -F"),
        ("exec apachectl start", "apachectl", "add -D FOREGROUND"),
        ("exec redis-server --daemonize yes", "redis-server", "add --daemonize no"),
        ("exec memcached -d -u x", "memcached", "leave -d out"),
        ("exec 2>&1 \\\n  rsyslogd", "rsyslogd", "add -n"),
        ("exec env A=1 B=2 nice -n 5 dnsmasq", "dnsmasq", "add -k"),
        ("service apache2 start", "service", "run the daemon itself, in the foreground"),
        ("/etc/init.d/ssh start", "ssh", "run the daemon itself, in the foreground"),
        ("postfix start", "postfix", "write postfix start-fg"),
        ("exec s6-softlimit -o 100 -- smbd", "smbd", "add --foreground"),
    ],
)
def test_a_daemon_that_leaves_the_foreground(
    tmp_path: Path, command: str, name: str, remedy: str
) -> None:
    assert said_of_run(tmp_path, f"#!/bin/sh\n\n{command}\n") == [
        f"warning /run, line 3: {name} goes into the background: {FORKS}; {remedy}"
    ]


def test_a_configuration_in_the_image_counts(tmp_path: Path) -> None:
    nginx = "#!/bin/sh\nexec nginx\n"
    stays: dict[str, Content] = {"etc/nginx/nginx.conf": "user x;\n  daemon  off;\n"}
    leaves: dict[str, Content] = {"etc/nginx/nginx.conf": "# daemon off;\n"}
    assert said_of_run(tmp_path / "a", nginx, stays) == []
    assert len(said_of_run(tmp_path / "b", nginx, leaves)) == 1
    pool: dict[str, Content] = {"usr/local/etc/php-fpm.d/zz.conf": "[global]\ndaemonize = no\n"}
    assert said_of_run(tmp_path / "c", "#!/bin/sh\nexec php-fpm\n", pool) == []


def test_execline_scripts_are_held_to_the_same_table(tmp_path: Path) -> None:
    root = Root(plant(tmp_path, {"bin/cron!": ""}))
    leaves = b"#!/command/execlineb -P\nfdmove -c 2 1\ns6-setuidgid root\ncron -L 5\n"
    assert [str(its) for its in script_findings(root, "/web/run", leaves)] == [
        f"/web/run:4:1: cron goes into the background: {FORKS}; add -f"
    ]
    assert script_findings(root, "/web/run", leaves.replace(b"-L 5", b"-f")) == []
    assert script_findings(root, "/web/finish", leaves) == []
    aside = b"#!/command/execlineb -P\nforeground { cron }\ncron -f\n"
    assert script_findings(root, "/web/run", aside) == []


def test_a_command_in_the_background(tmp_path: Path) -> None:
    assert said_of_run(tmp_path, "#!/bin/sh\nset -e\napp --serve &\n") == [
        "warning /run, line 3: the last command goes into the background: the script ends, and its "
        "supervisor starts it again and again; leave the & out, and write exec before the command"
    ]


def test_a_shell_that_stays_in_between(tmp_path: Path) -> None:
    assert said_of_run(tmp_path, "#!/bin/sh\ncd /app\nsu-exec www app --serve\n") == [
        "note /run, line 3: the shell stays between the supervisor and app: signals that are meant "
        "for app end the shell instead; write exec before the last command"
    ]


@pytest.mark.parametrize(
    ("first", "shell"),
    [
        ("#!/bin/sh", ("sh", False)),
        ("#!/bin/bash -e", ("bash", False)),
        ("#!/usr/bin/env bash", ("bash", False)),
        ("#!/bin/busybox sh", ("sh", False)),
        ("#!/usr/bin/with-contenv sh", ("sh", True)),
        ("#!/command/with-contenv bash", ("bash", True)),
        ("#!/usr/bin/env -S with-contenv bash", ("bash", True)),
        ("#!/usr/bin/execlineb -P", None),
        ("#!/usr/bin/env python3", None),
        ("\x7fELF", None),
        ("#!", None),
        ("", None),
    ],
)
def test_which_shell(first: str, shell: tuple[str, bool] | None) -> None:
    its = shell_of(first.encode() + b"\n")
    assert (its and (its.name, its.has_environment)) == shell


def said_of_variables(script: str) -> list[str]:
    """Return what is said about the variables of a script without with-contenv."""
    return [f"{its.level} {its}" for its in variable_findings("/x", script.encode())]


@pytest.mark.parametrize(
    "script",
    [
        "echo $PATH $PWD $1 $# $? ${0##*/} $app",
        "PORT=80\necho $PORT",
        "export PORT=${1}; echo ${PORT}",
        "for FILE in *; do echo $FILE; done",
        "read -r LINE; echo $LINE",
        ". /etc/app.env; echo $PORT",
        "source ./x\necho $PORT",
        "echo 'the variable $PORT'",
        "awk '{\n  print $NF\n}'",
        "# $PORT is not used\ntrue",
        'echo "\\$PORT"',
        "PORT=$(printcontenv PORT); echo $PORT $OTHER",
        "cat <<'EOF'\n$PORT\nEOF",
        "echo $S6_KEEP_ENV",
    ],
)
def test_nothing_is_said_about_variables_that_are_set_or_may_be(script: str) -> None:
    assert said_of_variables(f"#!/bin/sh\n{script}\n") == []


def test_variables_that_nobody_sets() -> None:
    assert said_of_variables('#!/bin/sh\necho "$PORT" ${HOME} it\'s\n') == [
        "note /x: it uses $PORT, $HOME, and sets no such variable: scripts get the container's "
        "environment only by with-contenv, or with S6_KEEP_ENV=1; begin it with "
        "#!/usr/bin/with-contenv sh, if the container's are meant"
    ]
    (many,) = said_of_variables("#!/bin/sh\necho $AA ${BB:-x} $AA $CC $DD $EE\n")
    assert "it uses $AA, $BB, $CC …, and sets" in many


def test_the_image_as_a_whole_is_looked_through(tmp_path: Path) -> None:
    from s6x.overlay.check import check

    plant(
        tmp_path,
        {
            "init!": "",
            "bin/sh!": "",
            "etc/cont-init.d/a!": "#!/bin/sh\necho $DB\n",
            "etc/services.d/web": {"run!": "#!/bin/sh\nnginx\n", "finish!": "#!/bin/sh\n$OFF\n"},
        },
    )
    assert [f"{its.level} {its.path}" for its in check(tmp_path)] == [
        "warning /etc/services.d/web/run, line 2",
        "note /etc/cont-init.d/a",
        "note /etc/services.d/web/finish",
    ]
