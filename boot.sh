#! /bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Usage: ./boot.sh [demo | check] [CONFIGURE-OPTION...]
#
#   ./boot.sh        installs what is missing, weaves, configures and builds
#   ./boot.sh demo   then shows a fabric that survives the loss of a path
#   ./boot.sh check  then runs our test suite
#
# The build is in _build, configured with the options given, or those of the
# last time.  Doing it again does only what has changed.  The environment:
#
#   WEFT_OVS_SOURCE  an Open vSwitch source tree or package file to weave
#   MAKEFLAGS        as for make; one job a processor unless set

cd "$(dirname "$0")" || exit 1

fail() {
    echo "boot.sh: $*" >&2
    exit 1
}

# What the build and the tests need: Debian package, what tells that it is
# there (a command, a file if it has a slash, a Python module if it ends in
# .py, a library known to pkg-config if it ends in .pc), and what for.
packages() {
    cat << END
gcc             gcc                 compiler
libc6-dev       /usr/include/stdio.h  C library
make            make                build
autoconf        autoconf            configure scripts
automake        automake            makefiles
libtool         libtoolize          libraries
pkg-config      pkg-config          finding libraries
python3         python3             code generators and tests
git             git                 the patch series
ca-certificates /etc/ssl/certs/ca-certificates.crt  download
libssl-dev      libssl.pc           SSL connections
libcap-ng-dev   libcap-ng.pc        giving up root's capabilities
clang           clang               programs for the kernel (fast path)
bpftool         bpftool             making them part of ours
libbpf-dev      libbpf.pc           loading them
openssl         openssl             certificates of the tests
iproute2        ip                  namespaces and links
iputils-ping    ping                traffic
iperf3          iperf3              traffic
procps          ps                  processes of the lab
ethtool         ethtool             offloads of the lab's links
nftables        nft                 impairments in the lab
tcpdump         tcpdump             captures
tshark          tshark              decoding captures
tmux            tmux                the live view in the tests
python3-scapy   scapy.py            malformed packets
python3-os-ken  os_ken.py           a controller
python3-prometheus-client  prometheus_client.py  checking metrics
curl            curl                getting them
END
}

# What the build goes on without, and does not have everywhere.
optional_packages() {
    cat << END
libncurses-dev  ncursesw.pc         ovs-fabric's live view
libmicrohttpd-dev  libmicrohttpd.pc  ovs-fabric-exporter
libxdp-dev      libxdp.pc           AF_XDP ports, which a bench compares with
libnuma-dev     /usr/include/numa.h  also those
END
}

# /usr/sbin is not in everyone's PATH.
have() {
    PATH=$PATH:/usr/sbin:/sbin
    case $1 in
        /*) test -e "$1" ;;
        *.pc) pkg-config --exists "${1%.pc}" 2> /dev/null ;;
        *.py) python3 -c "import ${1%.py}" 2> /dev/null ;;
        *) command -v "$1" > /dev/null ;;
    esac
}

# dpkg's files tell faster than the checks, scapy's in particular, which serve
# for multi-arch packages and for what is installed in another way.
missing_of() {
    "$1" | while read -r package check _; do
        test -e "/var/lib/dpkg/info/$package.list" \
            || have "$check" || printf ' %s' "$package"
    done
}

can_install() {
    test "$(id -u)" = 0 && command -v apt-get > /dev/null
}

# Installs its arguments, and lets configure look again at what there is.
apt_install() {
    echo "boot.sh: installing $*"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
        --no-install-recommends "$@" < /dev/null > "$log" 2>&1 \
        && installed=yes
}

install_packages() {
    missing=$(missing_of packages)
    optional=$(missing_of optional_packages)
    test -n "$missing$optional" || return 0
    test -z "$missing" || can_install || fail "missing packages:$missing"
    log=$(mktemp) || exit 1
    # The lists of a fresh machine may be absent or old.
    # shellcheck disable=SC2086
    if test -n "$missing" && ! apt_install $missing; then
        apt-get update -q < /dev/null > "$log" 2>&1
        if ! apt_install $missing; then
            tail -n 20 "$log" >&2
            rm -f "$log"
            fail "cannot install$missing"
        fi
    fi
    # shellcheck disable=SC2086
    if test -n "$optional" && ! { can_install && apt_install $optional; }; then
        echo "boot.sh: going on without$optional"
    fi
    rm -f "$log"
}

# Runs configure in _build if it has not been, or with other options, or if
# configure itself is newer or there are packages that it has not seen.
configure() {
    if test ! -e configure || test configure.ac -nt configure \
            || test Makefile.am -nt Makefile.in; then
        autoreconf --install --no-recursive > /dev/null || fail "autoreconf"
    fi
    mkdir -p _build || exit 1
    if test $# -gt 0 || test ! -e _build/options; then
        printf '%s\n' "$@" > _build/options.new
    else
        cp _build/options _build/options.new
    fi
    if test -e _build/Makefile && test -e _build/ovs/src/Makefile \
            && cmp -s _build/options _build/options.new \
            && test -z "$installed" \
            && test ! configure -nt _build/config.status; then
        rm -f _build/options.new
        return
    fi
    set --
    while IFS= read -r option; do
        test -z "$option" || set -- "$@" "$option"
    done < _build/options.new
    rm -f _build/options
    (cd _build && ../configure --silent --enable-silent-rules "$@") \
        || fail "configure failed"
    mv _build/options.new _build/options
}

action=build
case $1 in
    demo | check) action=$1; shift ;;
    -h | --help) sed -n '4,16s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -* | *=* | '') ;;
    *) fail "unknown action \"$1\" (see --help)" ;;
esac

test -n "$MAKEFLAGS" || MAKEFLAGS=-j$(nproc)
export MAKEFLAGS

installed=
install_packages
ovs/weave || exit 1
configure "$@"
make -C _build --no-print-directory || fail "make failed"

case $action in
    build) ;;
    demo) exec utilities/fabric-demo _build ;;
    check) exec make -C _build --no-print-directory check ;;
esac
