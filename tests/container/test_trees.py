"""Trees of images that make of the base what they want: order of boot and stop as they intend.

Each is written for this test after the manner of a family of images of generations v1 and v2, on a
busybox root with sh and on the machine's own root with bash. Applications are stand-ins.
"""

from __future__ import annotations

from world.containers import Spec, Unshared
from world.families import DAEMON, SCANDIR, Base, add_user, in_order, stopped
from world.images import Init, needs_root
from world.tree import Link
from world.waiting import until

pytestmark = needs_root


def test_a_base_image_that_wraps_with_contenv_and_fetches_more(base: Base) -> None:
    """Its build renames with-contenv, its own one takes the name; a hook of stage 2 brings scripts.

    Secrets come from files that variables name; services come from a volume.
    """
    wrapper = """\
case $PWD in
  */services/*) umask "$(cat /var/run/s6/container_environment/UMASK)" ;;
esac
exec /usr/bin/with-contenv-original "$@"
"""
    (base.root / "usr/bin/with-contenv").rename(base.root / "usr/bin/with-contenv-original")
    secrets = """\
for name in /var/run/s6/container_environment/FILE__*; do
  cat "$(cat "$name")" >"${name%/*}/${name##*/FILE__}"
done
"""
    from_volume = """\
for one in /config/services/*; do
  mkdir -p "/etc/services.d/own-${one##*/}"
  cp "$one" "/etc/services.d/own-${one##*/}/run"
  chmod +x "/etc/services.d/own-${one##*/}/run"
done
"""
    fetched = "\\n".join(base.contenv('echo "fetched $PASSWORD"').splitlines())
    its = base.image(
        {
            "usr/bin/with-contenv!": f"#!/bin/{base.shell}\n{wrapper}",
            "docker-mods!": base.contenv(
                f"echo fetching in $PWD; printf '{fetched}\\n' >/etc/cont-init.d/50-fetched"
            ),
            "config/secret": "much",
            "config/services/extra": base.contenv('echo "extra $PASSWORD $(umask)"; exec nap'),
            "etc/cont-init.d/01-secrets": f"#!/bin/{base.shell}\n{secrets}",
            "etc/cont-init.d/90-volume": base.contenv(from_volume),
            "etc/services.d/web/run": base.contenv("exec webserver -c /config/web.conf"),
        },
        "webserver", "nap",
    )  # fmt: skip
    env = {"UMASK": "027", "FILE__PASSWORD": "/config/secret"}
    with its.boot(env=env) as init:
        init.until_said("nap  as 0")
        init.until_said("webserver -c /config/web.conf as 0")
        said = stopped(init)
    in_order(
        said,
        "fetching in /",
        "[s6-init] making user provided files available at /var/run/s6/etc...exited 0.",
        "[cont-init.d] 01-secrets: exited 0.",
        "fetched much",
        "[cont-init.d] 90-volume: exited 0.",
        "extra much 0027",
        "webserver asked to end",
        "[cont-finish.d] done.",
    )


def test_a_name_server_with_a_renamed_init_and_a_service_command(base: Base) -> None:
    """The environment is kept, init has another name, and `service` talks to the supervisors."""
    service = f"""\
dir={SCANDIR}/$1
down() {{ s6-svc -wD -d -T2500 "$dir"; }}
up() {{ s6-svc -wU -u -T2500 "$dir"; }}
case $2 in stop) down ;; restart) down; up ;; status) s6-svstat "$dir" ;; esac
"""
    store = """\
#!/usr/bin/execlineb -S0
if { s6-test $# -eq 2 }
backtick -in NAME { pipeline { s6-echo ${1} } tr a-z A-Z }
import -u NAME
redirfd -w 1 /kept/${NAME}
s6-echo -n -- ${2}
"""
    (base.root / "init").rename(base.root / "own-init")
    (base.root / "etc/resolv.conf").unlink(missing_ok=True)
    its = base.image(
        {
            "init": Link("own-init"),  # where the check of an image looks
            "kept": {},
            "etc/resolv.conf": "nameserver 127.0.0.1\n",
            "etc/fix-attrs.d/01-resolver": "/etc/resolv.conf false nobodyhere,0:1000 0664 0664",
            "usr/bin/store!": store,
            "usr/bin/service!": f"#!/bin/sh\n{service}",
            "etc/cont-init.d/20-start": base.contenv(
                "set -e; echo starting $MODE; store tag some; stat -c '%a %g' /etc/resolv.conf"
            ),
            "etc/services.d/cron/run": base.contenv(
                's6-echo "cron starts"; exec -c\nfdmove -c 2 1 cronserver -f'
                if base.shell == "bash"
                else 's6-echo "cron starts"; exec env -i PATH="$PATH" fdmove -c 2 1 cronserver -f'
            ),
            "etc/services.d/names/run": base.contenv("s6-setuidgid nobody nameserver no-daemon"),
            "etc/services.d/names/finish": base.contenv("s6-echo stopping names"),
        },
        "cronserver", "nameserver",
    )  # fmt: skip
    env = {"S6_KEEP_ENV": "1", "S6_BEHAVIOUR_IF_STAGE2_FAILS": "2", "MODE": "quietly"}
    with Unshared(Spec(its.root, ["/own-init"], env=env)) as container:
        init = Init(container)
        init.until_said("nameserver no-daemon as 65534")
        init.until_said("cronserver -f as 0")
        assert init.ps()[0] == "s6-svscan -t0 /var/run/s6/services"
        assert init.run("/usr/bin/service", "names", "status").out.startswith("up (pid ")
        assert init.run("/usr/bin/service", "names", "restart").code == 0
        until(lambda: container.out.count("nameserver no-daemon as 65534") == 2, "a restart")
        said = stopped(init)
    assert (its.root / "kept/TAG").read_text() == "some"
    in_order(said, "starting quietly", "664 1000", "[cont-init.d] 20-start: exited 0.")
    assert said.count("stopping names\n") == 2


def test_services_that_are_switched_on_by_links(base: Base) -> None:
    """Services lie elsewhere until a script of boot links them; scripts know themselves by `$0`."""
    functions = """\
case ${0%/*} in
  /var/run/s6/etc/cont-init.d) done_as=${0##*/}-init ;;
  *) done_as=${PWD##*/} ;;
esac
start() { ln -sf "/etc/services.available/$1" /etc/services.d/; }
finished() { mkdir -p /tmp/state; echo x >>"/tmp/state/$done_as"; }
initialized() { until [ -f "/tmp/state/${PWD##*/}-init" ]; do sleep 0.05; done; }
"""
    run = '. /assets/functions; initialized; finished; echo "start $(wc -l <"/tmp/state/$done_as")"'
    its = base.image(
        {
            "assets/functions": functions,
            "etc/cont-init.d/00-startup": base.contenv(
                "if [ -d /tmp/state ]; then echo restarted; rm -rf /tmp/state /etc/services.d/*; fi"
            ),
            "etc/cont-init.d/10-web": base.contenv(
                ". /assets/functions\nstart 10-web\nstart 20-cron\nfinished"
            ),
            "etc/cont-init.d/20-cron": base.contenv(". /assets/functions; finished"),
            "etc/services.available/10-web/run!": base.contenv(f"{run}\nwebserver"),
            "etc/services.available/20-cron/run!": base.contenv(f"{run}\nexec cronserver -f"),
        },
        "webserver", "cronserver",
    )  # fmt: skip
    for boot in (1, 2):
        with its.boot() as init:
            init.until_said("webserver  as 0")
            init.until_said("cronserver -f as 0")
            assert init.run("/bin/s6-svstat", f"{SCANDIR}/10-web").out.startswith("up (pid ")
            said = stopped(init)
        assert said.count("start 1\n") == 2
        assert ("restarted\n" in said) == (boot == 2)
    assert sorted(its.root.glob("tmp/state/*")) == [
        its.root / "tmp/state" / name
        for name in ("10-web", "10-web-init", "20-cron", "20-cron-init")
    ]


def test_services_that_a_script_of_boot_writes(base: Base) -> None:
    """A web server, its interpreter and a daemon under the user that the environment asks for."""
    write = """\
for one in web php; do
  mkdir -p /etc/services.d/$one
  cat >/etc/services.d/$one/run <<END
#!/usr/bin/execlineb -P
with-contenv
s6-setuidgid ${PUID}:${PGID}
$one-server "daemon off;"
END
  chmod +x /etc/services.d/$one/run
done
mkdir -p /etc/services.d/torrent
cat >/etc/services.d/torrent/run <<END
#!/usr/bin/execlineb -P
with-contenv
/bin/export HOME /data/torrent
/bin/export PLACE /data/here
s6-setuidgid ${PUID}:${PGID}
torrent-server -i ${ADDRESS}
END
"""
    its = base.image(
        {
            "usr/bin/torrent-server!": DAEMON.replace("$(id -u)", "$(id -u):$(id -g) $HOME $PLACE"),
            "etc/cont-init.d/01-user": base.contenv(
                'sed -i "s/^app:x:[0-9]*:[0-9]*:/app:x:${PUID}:${PGID}:/" /etc/passwd; id -u app'
            ),
            "etc/cont-init.d/04-services": base.contenv(write),
        },
        "web-server",
        "php-server",
    )
    add_user(its.root, "app", 1000)
    with its.boot(env={"PUID": "1234", "PGID": "4321", "ADDRESS": "10.0.0.1"}) as init:
        init.until_said("web-server daemon off; as 1234")
        init.until_said("php-server daemon off; as 1234")
        # Permissions are repaired before the scripts, and this one forgot its chmod.
        init.until_said("unable to run ./run: Permission denied")
        assert init.run("/bin/chmod", "+x", f"{SCANDIR}/torrent/run").code == 0
        assert init.run("/bin/s6-svc", "-u", f"{SCANDIR}/torrent").code == 0
        init.until_said("torrent-server -i 10.0.0.1 as 1234:4321 /data/torrent /data/here\n")
        said = stopped(init)
    in_order(said, "1234", "[cont-init.d] 01-user: exited 0.", "[services.d] done.")
