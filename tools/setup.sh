#!/bin/bash
# Installs what building and testing s6x needs and this machine lacks: as root on Debian and Ubuntu by
# apt-get, as anybody else by saying what is missing. Doing it again changes nothing.
#
# Services that come with a package (nginx, cron, sshd) are not started: the tests only want the programs.
set -eu
PATH=$PATH:/usr/sbin:/sbin
export DEBIAN_FRONTEND=noninteractive

RUST_MINOR=88 # rust-version in Cargo.toml is 1.88

# program:package. What building needs; and then what the demo, the tests and the benches use: the
# originals that s6x is held against, real daemons, engines for containers, and tools.
BUILD="gcc:gcc make:make"
REST="busybox:busybox-static unshare:util-linux ps:procps git:git
    s6-svscan:s6 execlineb:execline runsv:runit tini:tini dumb-init:dumb-init
    nginx:nginx cron:cron sshd:openssh-server strace:strace capsh:libcap2-bin groff:groff-base
    runc:runc podman:podman /usr/lib/podman/netavark:netavark tini-static:tini debootstrap:debootstrap curl:curl"

main() {
    local needed wanted
    needed=$(missing "$BUILD"; missing_parts)
    wanted=$(missing "$REST"; busybox_is_static || echo busybox-static)
    if [ -n "$needed$wanted" ]; then
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            install_packages $needed $wanted
        else
            ask_for "$needed" "$wanted"
        fi
    fi
    rust_is_new_enough || install_rust
}

missing() {
    local pair
    for pair in $1; do
        command -v "${pair%%:*}" >/dev/null || echo "${pair#*:}"
    done
}

# What building needs that is no program of its own.
missing_parts() {
    python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        echo python3-venv
    echo 'int main(void) { return 0; }' | gcc -static -x c -o /dev/null - 2>/dev/null || echo libc6-dev
}

busybox_is_static() {
    command -v busybox >/dev/null && ! ldd "$(command -v busybox)" >/dev/null 2>&1
}

ask_for() {
    if [ -n "$1" ]; then
        echo "setup: these Debian packages are missing: as root, run: apt-get install $(echo $1 $2)" >&2
        exit 1
    fi
    echo "setup: without these Debian packages, tests are left out and the demo is smaller: $(echo $2)" >&2
}

install_packages() {
    local packages left
    packages=$(printf '%s\n' "$@" | sort -u | tr '\n' ' ')
    echo "setup: installing $packages"
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
        chmod 0755 /usr/sbin/policy-rc.d
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    apt-get -qq update
    apt-get -qq install --no-install-recommends $packages >/dev/null
    left=$(missing "$BUILD $REST"; missing_parts)
    if [ -n "$left" ]; then
        echo "setup: still missing after apt-get: $(echo $left); Python 3.11 or later is needed" >&2
        exit 1
    fi
}

rust_is_new_enough() {
    local minor
    minor=$(rustc --version 2>/dev/null | sed -n 's/^rustc 1\.\([0-9]*\)\..*/\1/p')
    [ -n "$minor" ] && [ "$minor" -ge "$RUST_MINOR" ] && command -v cargo >/dev/null
}

can_be_installed() {
    command -v apt-cache >/dev/null && apt-cache policy "$1" | grep -q 'Candidate: [^(]'
}

install_rust() {
    local found
    found=$(rustc --version 2>/dev/null || echo "no rustc")
    if ! command -v rustup >/dev/null && [ "$(id -u)" = 0 ] && can_be_installed rustup; then
        install_packages rustup
    fi
    if ! command -v rustup >/dev/null; then
        echo "setup: Rust 1.$RUST_MINOR or later is needed, and here is $found: install it with rustup" \
            "(Debian 13, Ubuntu 24.04: apt-get install rustup; elsewhere: https://rustup.rs)" >&2
        exit 1
    fi
    rustup -q toolchain install stable --profile minimal -c clippy -c rustfmt
    rustup -q default stable
    if ! rust_is_new_enough; then
        echo "setup: rustc is $(rustc --version), and Rust 1.$RUST_MINOR or later is needed:" \
            "make sure that rustup's cargo is first on PATH" >&2
        exit 1
    fi
}

main
