# SPDX-License-Identifier: Apache-2.0
"""Commands in network namespaces, and the removal of namespaces.

A node NODE of lab LAB is the namespace LAB-NODE.  Nothing here ever touches
an interface, a process or a namespace outside those of one lab.
"""

import os
import re
import select
import shutil
import signal
import subprocess
import time

from . import LabError

NETNS_DIR = "/run/netns"

# What a node may be called; only such namespaces are ever removed, so that a
# lab "x" leaves alone a namespace "x-files" of someone else.
NODE_RE = r"(h\d+(-t\d+)?|leaf\d+|spine\d+)"

# File descriptors that short commands inherit; see lab.Lock.
inherited_fds = ()


def run(args, stdin=None, check=True, timeout=120, node=None, env=None):
    """Runs 'args' and returns the CompletedProcess with text output.  'env'
    is added to the environment; 'node' is for messages only."""
    shown = " ".join(args[len(ns_args("", "")):] if node else args)
    if len(shown) > 200:
        shown = shown[:200] + "..."
    if node:
        shown = "%s: %s" % (node, shown)
    try:
        done = subprocess.run(args, input=stdin, text=True, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              pass_fds=inherited_fds,
                              env=dict(os.environ, **env) if env else None,
                              stdin=subprocess.DEVNULL if stdin is None
                              else None)
    except FileNotFoundError:
        raise LabError("%s: no such program; is its package installed?"
                       % args[0])
    except subprocess.TimeoutExpired:
        raise LabError("'%s' did not end within %d s" % (shown, timeout))
    if check and done.returncode:
        raise LabError("'%s' failed: %s" % (
            shown, " ".join(done.stderr.split()) or
            "exit status %d" % done.returncode))
    return done


def ns_name(lab, node):
    return "%s-%s" % (lab, node)


def ns_args(lab, node):
    return ["ip", "netns", "exec", ns_name(lab, node)]


def ns_run(lab, node, args, **kwargs):
    return run(ns_args(lab, node) + args, node=node, **kwargs)


def ns_list(lab):
    """The names of the nodes of 'lab' whose namespaces exist."""
    pattern = re.compile("%s-%s" % (re.escape(lab), NODE_RE))
    try:
        names = os.listdir(NETNS_DIR)
    except FileNotFoundError:
        return []
    return sorted(n[len(lab) + 1:] for n in names if pattern.fullmatch(n))


def ns_daemon(lab, node, args, **kwargs):
    """Runs in a node a command that leaves a daemon behind.  The daemon does
    not inherit what inherited_fds has, but what starts it does, until it is
    in the namespace, where it can be found."""
    close = " ".join("%d>&-" % fd for fd in inherited_fds)
    return ns_run(lab, node, ["sh", "-c", 'exec "$@" ' + close, "sh"] + args,
                  **kwargs)


class Batch:
    """Lines for ip(8), per node (None: outside the lab), run together.  Lines
    of one node keep their order, apart from those that name a family."""

    def __init__(self, lab):
        self.lab = lab
        self.lines = {}

    def add(self, node, line, family=None):
        self.lines.setdefault((node, family), []).append(line)

    def run(self):
        for (node, family), lines in self.lines.items():
            args = ["ip"] + (["-n", ns_name(self.lab, node)] if node else [])
            args += ["-%d" % family] if family else []
            args += ["-batch", "-"]
            done = run(args, stdin="\n".join(lines) + "\n", check=False)
            if done.returncode:
                where = re.search(r"-:(\d+)", done.stderr)
                line = lines[int(where.group(1)) - 1] if where else "?"
                raise LabError("%s: 'ip %s' failed: %s" % (
                    node or self.lab, line,
                    done.stderr.splitlines()[0] if done.stderr else "?"))
        self.lines = {}


def sysctl(lab, node, settings):
    """Sets 'settings', (key, value, must exist) with keys below
    /proc/sys/net, in a node.

    Values are written without a newline: of one with it Linux 6.1.192 says
    that it took the value only, and refuses the newline when the shell writes
    that, too."""
    lines = []
    for key, value, must in settings:
        path = "/proc/sys/net/" + key
        lines.append("%sprintf %%s '%s' > %s" % ("" if must else
                                         "test ! -e %s || " % path,
                                         value, path))
    ns_run(lab, node, ["sh", "-ec", "\n".join(lines)])


# Processes.

def ns_pids(lab, nodes=None):
    """{pid: node} of all processes in the namespaces of 'lab'."""
    inodes = {}
    for node in ns_list(lab) if nodes is None else nodes:
        try:
            st = os.stat(os.path.join(NETNS_DIR, ns_name(lab, node)))
        except FileNotFoundError:
            continue
        inodes[(st.st_dev, st.st_ino)] = node
    # A name whose namespace was never mounted (killed in between) is a plain
    # file, which no process can be in.
    pids = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            st = os.stat("/proc/%s/ns/net" % pid)
        except OSError:
            continue
        node = inodes.get((st.st_dev, st.st_ino))
        if node and int(pid) != os.getpid():
            pids[int(pid)] = node
    return pids


def wait_exit(pids, timeout):
    """Waits until all of 'pids' are gone; returns those that are not."""
    deadline = time.monotonic() + timeout
    left = []
    for pid in pids:
        try:
            fd = os.pidfd_open(pid)
        except OSError:
            continue
        try:
            remaining = max(0, deadline - time.monotonic())
            if not select.select([fd], [], [], remaining)[0]:
                left.append(pid)
        finally:
            os.close(fd)
    return left


def kill_all(lab, nodes=None):
    """Ends every process in the namespaces of 'lab': politely, then not."""
    for sig, timeout in ((signal.SIGTERM, 3), (signal.SIGKILL, 10),
                         (signal.SIGKILL, 10)):
        pids = ns_pids(lab, nodes)
        for pid in pids:
            try:
                os.kill(pid, sig)
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass
        wait_exit(pids, timeout)
    left = ns_pids(lab, nodes)
    if left:
        raise LabError("processes %s in %s cannot be killed" % (
            ", ".join(map(str, left)), ", ".join(set(left.values()))))


def remove(lab):
    """Ends all processes of 'lab' and deletes its namespaces, and with them
    all their interfaces."""
    for _ in range(5):
        nodes = ns_list(lab)
        if not nodes:
            return
        kill_all(lab, nodes)
        for node in nodes:
            run(["ip", "netns", "del", ns_name(lab, node)], check=False)
            # Killed between the creation of the name and its mount.
            try:
                os.unlink(os.path.join(NETNS_DIR, ns_name(lab, node)))
            except OSError:
                pass
    raise LabError("namespaces %s cannot be deleted"
                   % ", ".join(ns_name(lab, n) for n in nodes))


def need(*programs):
    """Checks that 'programs', (program, Debian package), are installed."""
    missing = [package for program, package in programs
               if not shutil.which(program)]
    if missing:
        raise LabError("missing programs; as root: apt-get install "
                       + " ".join(sorted(set(missing))))
