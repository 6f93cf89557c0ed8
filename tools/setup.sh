#!/bin/bash
# Installs what building and testing s6x needs and this machine lacks: as root on Debian and Ubuntu by
# apt-get, as anybody else by saying what is missing. Doing it again changes nothing.
#
# Services that come with a package (nginx, cron, sshd) are not started: the tests only want the programs.
set -eu
PATH=$PATH:/usr/sbin:/sbin
export DEBIAN_FRONTEND=noninteractive

RUST_MINOR=88 # rust-version in Cargo.toml is 1.88

# program:package. First what building needs, then the originals that tests and benches are held against,
# then the daemons and tools that tests run.
BUILD="gcc:gcc make:make git:git"
ORIGINALS="s6-svscan:s6 execlineb:execline runsv:runit tini:tini dumb-init:dumb-init"
TESTS="nginx:nginx cron:cron sshd:openssh-server busybox:busybox-static runc:runc strace:strace
    unshare:util-linux ps:procps capsh:libcap2-bin"

main() {
    local missing
    missing=$(missing_packages)
    if [ -n "$missing" ]; then
        install_packages $missing
    fi
    if ! rust_is_new_enough; then
        install_rust
    fi
}

missing_packages() {
    local pair
    for pair in $BUILD $ORIGINALS $TESTS; do
        command -v "${pair%%:*}" >/dev/null || echo "${pair#*:}"
    done
    python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        echo python3-venv
    busybox_is_static || echo busybox-static
    echo 'int main(void) { return 0; }' | gcc -static -x c -o /dev/null - 2>/dev/null || echo libc6-dev
}

busybox_is_static() {
    command -v busybox >/dev/null && ! ldd "$(command -v busybox)" >/dev/null 2>&1
}

install_packages() {
    local packages
    packages=$(printf '%s\n' "$@" | sort -u | tr '\n' ' ')
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "setup: these Debian packages are missing: as root, run: apt-get install $packages" >&2
        exit 1
    fi
    echo "setup: installing $packages"
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
        chmod 0755 /usr/sbin/policy-rc.d
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    apt-get -qq update
    apt-get -qq install --no-install-recommends $packages >/dev/null
    missing=$(missing_packages)
    if [ -n "$missing" ]; then
        echo "setup: still missing after apt-get: $(echo $missing)" >&2
        exit 1
    fi
}

rust_is_new_enough() {
    local minor
    minor=$(rustc --version 2>/dev/null | sed -n 's/^rustc 1\.\([0-9]*\)\..*/\1/p')
    [ -n "$minor" ] && [ "$minor" -ge "$RUST_MINOR" ] && command -v cargo >/dev/null
}

install_rust() {
    local found
    found=$(rustc --version 2>/dev/null || echo "no rustc")
    if ! command -v rustup >/dev/null && [ "$(id -u)" = 0 ] && apt-cache show rustup >/dev/null 2>&1; then
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
