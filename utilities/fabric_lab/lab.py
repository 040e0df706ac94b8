# SPDX-License-Identifier: Apache-2.0
"""A whole lab: up, down, status; its state file and its lock.

Everything a lab consists of is in namespaces whose names begin with the lab's
name, and in one directory, ROOT/NAME.  So what an interrupted command left
behind can be found and removed without the state file.
"""

import fcntl
import json
import os
import shutil
import time

from . import LabError, netns, switch, topology, underlay

DEFAULT_ROOT = "/run/fabric-lab"


class Lock:
    """Keeps two commands from working on one lab at once.

    The short commands that we run inherit the lock, so that it outlives us
    until they have ended too, if we are killed."""

    def __init__(self, path, timeout=60):
        self.path = path
        self.timeout = timeout

    def __enter__(self):
        deadline = time.monotonic() + self.timeout
        while not self.try_lock():
            if time.monotonic() > deadline:
                raise LabError("another command is working on this lab")
            time.sleep(0.05)
        # The shell, which has to close it, knows descriptors below 10 only.
        netns.inherited_fds = (self.fd,) if self.fd < 10 else ()

    def try_lock(self):
        self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The last holder removes the file, perhaps just now.
            if os.stat(self.path).st_ino == os.fstat(self.fd).st_ino:
                return True
        except (BlockingIOError, FileNotFoundError):
            pass
        os.close(self.fd)
        return False

    def __exit__(self, *exc):
        netns.inherited_fds = ()
        os.unlink(self.path)
        os.close(self.fd)


class Lab:
    def __init__(self, name, root=None):
        if not topology.NAME_RE.fullmatch(name):
            raise LabError("a lab's name is a letter and up to 11 letters and "
                           "digits, lower case, not '%s'" % name)
        if os.geteuid() != 0:
            raise LabError("the lab needs root, for network namespaces")
        root = root or os.environ.get("FABRIC_LAB_RUNDIR") or DEFAULT_ROOT
        os.makedirs(root, exist_ok=True)
        self.name = name
        self.dir = os.path.join(os.path.abspath(root), name)
        self.state_file = os.path.join(self.dir, "state.json")
        self.replaced = False   # Did up() get as far as removing what was?

    def lock(self):
        return Lock(self.dir + ".lock")

    # State: the options of 'up', and what is impaired now.

    def load(self):
        """Reads the state; sets self.topo and self.impairments."""
        try:
            with open(self.state_file) as f:
                state = json.load(f)
        except FileNotFoundError:
            raise LabError("lab '%s' is not up" % self.name)
        except ValueError:
            raise LabError("%s is damaged; run 'down'" % self.state_file)
        if not state.get("complete"):
            raise LabError("lab '%s' did not come up completely; run 'down'"
                           % self.name)
        self.topo = topology.Topology(state["options"])
        self.impairments = state["impairments"]
        return self

    def save(self, complete=True):
        state = {"options": self.topo.opts, "complete": complete,
                 "impairments": self.impairments}
        temporary = self.state_file + ".new"
        with open(temporary, "w") as f:
            json.dump(state, f, indent=1)
        os.rename(temporary, self.state_file)

    def hosts(self):
        return [switch.Host(self.topo, self.name, name, self.dir)
                for name in self.topo.hosts]

    def host(self, name):
        return switch.Host(self.topo, self.name, name, self.dir)

    # Up and down.

    def up(self, opts):
        self.topo = topology.Topology(opts)
        self.impairments = []
        self.check_programs()
        self.remove()
        self.replaced = True
        os.makedirs(self.dir)
        self.save(complete=False)
        underlay.build(self.topo, self.name)
        underlay.configure_workloads(self.topo, self.name)
        hosts = self.hosts()
        for host in hosts:
            host.start()
        for host in hosts:
            host.attach()
        self.save()

    def check_programs(self):
        netns.need(("ip", "iproute2"), ("bridge", "iproute2"),
                   ("ping", "iputils-ping"), ("nft", "nftables"),
                   ("tc", "iproute2"), ("ethtool", "ethtool"))
        for system in set(self.topo.opts["systems"]):
            if system in topology.SWITCHES:
                programs = switch.Programs(self.topo.opts["bindir"])
                for name in ("ovs-vswitchd", "ovsdb-server", "ovs-vsctl",
                             "ovsdb-tool", "ovs-ofctl", "ovs-appctl",
                             "vswitch.ovsschema"):
                    programs.find(name)

    def wait_ready(self, timeout):
        """Waits until every workload is answered by the next host's, and (for
        raw hosts) every host by the next."""
        deadline = time.monotonic() + timeout
        topo = self.topo
        if "bare" in topo.opts["systems"]:
            return
        if topo.tenants:
            checks = [(node, topo.workload_addrs(self.next_host(host))[4])
                      for host, _, node in topo.workloads()]
        else:
            checks = [(host, topo.uplink_addrs(self.next_host(host))[0])
                      for host in topo.hosts]
        for node, addr in checks if len(topo.hosts) > 1 else ():
            while not self.ping(node, addr, deadline):
                if time.monotonic() > deadline:
                    raise LabError("%s gets no answer from %s within %d s"
                                   % (node, addr, timeout))

    def next_host(self, host):
        hosts = self.topo.hosts
        return hosts[(hosts.index(host) + 1) % len(hosts)]

    def ping(self, node, addr, deadline):
        """Pings until there is an answer, or an error, or the deadline."""
        wait = max(1, round(deadline - time.monotonic()))
        done = netns.ns_run(self.name, node,
                            ["ping", "-q", "-n", "-c", "1", "-i", "0.2",
                             "-w", str(wait), addr], check=False)
        if done.returncode > 1:
            raise LabError("ping in %s: %s" % (node, done.stderr.strip()))
        return not done.returncode

    def down(self, keep_logs=None):
        """Removes the lab, complete or not.  True if there was one."""
        existed = bool(netns.ns_list(self.name)) or os.path.exists(self.dir)
        try:
            self.load()
            for host in self.hosts():
                host.stop()
        except LabError:
            pass
        self.remove(keep_logs)
        return existed

    def remove(self, keep_logs=None):
        netns.remove(self.name)
        if keep_logs and os.path.isdir(self.dir):
            shutil.copytree(self.dir, keep_logs, dirs_exist_ok=True,
                            ignore=lambda d, names: [
                                n for n in names
                                if not (n.endswith((".log", ".json", ".db"))
                                        or os.path.isdir(
                                            os.path.join(d, n)))])
        shutil.rmtree(self.dir, ignore_errors=True)

    # Status.

    def status(self):
        """The state of the lab as a dictionary."""
        topo = self.topo
        present = netns.ns_list(self.name)
        nodes = []
        for node in topo.nodes():
            entry = {"node": node, "namespace": netns.ns_name(self.name, node),
                     "present": node in present}
            if node in topo.hosts:
                entry["system"] = topo.system(node)
                entry["addresses"] = topo.uplink_addrs(node)
                entry["daemons"] = self.host(node).daemons()
                entry["rundir"] = self.host(node).dir
            elif node not in topo.routers:
                host, tenant = node.split("-t")
                entry["addresses"] = list(topo.workload_addrs(host).values())
                entry["vni"] = topo.vni(int(tenant))
            nodes.append(entry)
        healthy = all(e["present"] and None not in e.get("daemons",
                                                         {}).values()
                      for e in nodes)
        return {"name": self.name, "healthy": healthy, "nodes": nodes,
                "options": topo.opts, "impairments": self.impairments}
