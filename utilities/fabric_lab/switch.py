# SPDX-License-Identifier: Apache-2.0
"""The virtual switch of one host: its daemons, its tunnels, its flows.

The same logical network, whatever the system: the workload of tenant T is on
port T of br-int, the workloads of a tenant reach each other and nobody else.
Nothing is learned; where each MAC address lives is written into the flows (or
the forwarding table of the kernel's VXLAN device).
"""

import os
import re

from . import LabError, netns, topology, underlay

OFPORT_FABRIC = 100             # The fabric port, or the ...
OFPORT_TUNNEL = 200             # ... tunnel to host H is port 200 + H.

DST_PORT = {"vxlan": 4789, "geneve": 6081}

TREE = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))

# Where programs may be: below an installation prefix, or below a build
# directory of Open vSwitch, which our own build directory contains.
INSTALLED = ("", "sbin", "bin", "share/openvswitch")
BUILT = ("", "vswitchd", "ovsdb", "utilities", "weft/tests")


def source_dir(build):
    """The source directory of the build directory 'build', if it is one."""
    try:
        with open(os.path.join(build, "Makefile")) as f:
            for line in f:
                if line.startswith("abs_srcdir = "):
                    return line.split(" = ")[1].strip()
    except OSError:
        pass
    return build


class Programs:
    """Where the programs of one Open vSwitch are: a build directory or an
    installation prefix, given or guessed."""

    def __init__(self, bindir=None):
        if bindir:
            roots = [os.path.abspath(bindir)]
        else:
            roots = [os.environ.get("FABRIC_BINDIR"),
                     os.path.join(TREE, "_build"), TREE, "/usr"]
        self.roots = [r for r in roots if r and os.path.isdir(r)]
        if not self.roots:
            raise LabError("no directory '%s'" % bindir)

    def places(self):
        for root in self.roots:
            for sub in INSTALLED:
                yield os.path.join(root, sub)
            for build in (root, os.path.join(root, "ovs/src")):
                for sub in BUILT:
                    yield os.path.join(build, sub)
                # What is not built is where the sources are.
                yield os.path.join(source_dir(build), "vswitchd")

    def find(self, name):
        for place in self.places():
            path = os.path.join(place, name)
            if os.path.isfile(path):
                return path
        raise LabError("no %s below %s; build the tree first, or give "
                       "--bindir" % (name, " or ".join(self.roots)))

    def path(self):
        """A value for $PATH that finds these programs first."""
        dirs = []
        for name in ("ovs-vswitchd", "ovsdb-server", "ovs-vsctl"):
            directory = os.path.dirname(self.find(name))
            if directory not in dirs:
                dirs.append(directory)
        return ":".join(dirs + [os.environ.get("PATH", "/usr/bin:/bin")])


def find_tool(name, bindir):
    """A program of ours that need not be where the switch is."""
    try:
        return Programs(bindir).find(name)
    except LabError:
        return Programs().find(name)


class Host:
    """One host of the lab 'lab', whose files are in 'rundir'/HOST."""

    def __init__(self, topo, lab, name, rundir):
        self.topo = topo
        self.lab = lab
        self.name = name
        self.system = topo.system(name)
        self.dir = os.path.join(rundir, name)

    @property
    def has_ovs(self):
        return self.system in topology.SWITCHES

    @property
    def has_afxdp(self):
        return self.system == "ovs-afxdp"

    @property
    def tso(self):
        """Does the switch take super-frames?  From AF_XDP it cannot."""
        return self.topo.opts["tso"] and not self.has_afxdp

    def env(self):
        """The environment in which the OVS tools talk to this host."""
        if not self.has_ovs:
            return {}
        programs = Programs(self.topo.opts["bindir"])
        return {"OVS_RUNDIR": self.dir, "OVS_LOGDIR": self.dir,
                "OVS_DBDIR": self.dir, "OVS_SYSCONFDIR": self.dir,
                "PATH": programs.path()}

    def run(self, args, **kwargs):
        return netns.ns_run(self.lab, self.name, args, env=self.env(),
                            **kwargs)

    def daemon(self, args):
        netns.ns_daemon(self.lab, self.name, args, env=self.env())

    # Coming up.

    def start(self):
        """Starts the switch, and configures the uplinks, which may then
        belong to it."""
        os.makedirs(self.dir, exist_ok=True)
        if self.has_ovs:
            self.start_ovsdb()
            self.start_vswitchd()
        if self.has_afxdp:
            self.check_afxdp()
        devs = [link.end(self.name).dev
                for link in self.topo.uplinks_of(self.name)]
        if self.system in topology.UPSTREAM:
            devs = self.add_br_phy(devs)
        underlay.configure_host(self.topo, self.lab, self.name, devs)

    def start_ovsdb(self):
        programs = Programs(self.topo.opts["bindir"])
        conf = os.path.join(self.dir, "conf.db")
        if not os.path.exists(conf):
            netns.run([programs.find("ovsdb-tool"), "create", conf,
                       programs.find("vswitch.ovsschema")])
        self.daemon([programs.find("ovsdb-server"), conf, "--detach",
                     "--no-chdir", "--pidfile", "--log-file",
                     "-vconsole:off", "-vsyslog:off",
                     "--remote=punix:%s/db.sock" % self.dir])
        settings = []
        if self.tso:
            settings.append("other_config:userspace-tso-enable=true")
        if self.has_afxdp:
            settings.append("other_config:pmd-cpu-mask=%x"
                            % (1 << self.own_cpu()))
        settings += self.topo.opts["options"]
        self.vsctl("--no-wait", "init")
        if settings:
            self.vsctl("--no-wait", "set", "Open_vSwitch", ".", *settings)

    def start_vswitchd(self):
        programs = Programs(self.topo.opts["bindir"])
        self.daemon([programs.find("ovs-vswitchd"), "--detach", "--no-chdir",
                     "--pidfile", "--log-file", "--disable-system",
                     "-vconsole:off", "-vsyslog:off",
                     "unix:%s/db.sock" % self.dir])

    def own_cpu(self):
        """The CPU for the thread that polls this host's AF_XDP ports.

        Every host has one, while there are enough.  All switches would
        otherwise poll on the same one, by default: half the throughput, and a
        transaction waits for two ticks of the scheduler."""
        cpus = sorted(os.sched_getaffinity(0))
        return cpus[(self.topo.node_index(self.name) - 1) % len(cpus)]

    def check_afxdp(self):
        types = self.vsctl("get", "Open_vSwitch", ".", "iface_types").stdout
        if "afxdp" not in re.findall(r"[\w-]+", types):
            raise LabError("this Open vSwitch is built without AF_XDP (which "
                           "needs libxdp and libnuma)")

    def vsctl(self, *args):
        return self.run(["ovs-vsctl", "--timeout=30"] + list(args))

    def add_br_phy(self, devs):
        """Upstream's native tunnels need the NIC to belong to a bridge, and
        the host's address to be on that bridge."""
        bridges = []
        for k, dev in enumerate(devs, 1):
            bridge = "br-phy%d" % k
            self.vsctl("add-br", bridge, "--", "set", "bridge", bridge,
                       "datapath_type=netdev", *self.add_port(bridge, dev))
            self.no_offload(bridge)
            bridges.append(bridge)
        for link in self.topo.uplinks_of(self.name):
            peer = link.peer(self.name)
            self.no_offload(peer.dev, peer.node)
        return bridges

    def add_port(self, bridge, dev):
        """Arguments for vsctl() that add the NIC or workload 'dev'."""
        args = ["--", "add-port", bridge, dev]
        # A veth has a single queue and no zero copy.  "afxdp-nonpmd", which
        # sleeps, has three quarters of the TCP throughput and half the
        # transactions; pmd-sleep-max a few percent more throughput than
        # polling all the time, but a quarter of the transactions.
        if self.has_afxdp:
            args += ["--", "set", "interface", dev, "type=afxdp",
                     "options:xdp-mode=native"]
        return args

    def no_offload(self, dev, node=None):
        """Without userspace TSO, OVS takes checksums as it finds them, so
        whoever sends to it has to fill them in."""
        if not self.tso:
            netns.ns_run(self.lab, node or self.name,
                         ["ethtool", "-K", dev, "tx", "off"])

    def attach(self):
        """Connects the workloads and the other hosts."""
        if not self.topo.tenants:
            return
        if self.system == "kernel-vxlan":
            self.attach_kernel()
        elif self.system == "bridged":
            self.attach_bridged()
        elif self.has_ovs:
            self.attach_ovs()

    def others(self):
        return [h for h in self.topo.hosts if h != self.name]

    # Open vSwitch, ours or upstream's.

    def attach_ovs(self):
        if self.system == "bare":
            for t in self.topo.tenants:
                self.no_offload("eth0", "%s-t%d" % (self.name, t))
            return
        args = ["add-br", "br-int", "--", "set", "bridge", "br-int",
                "datapath_type=netdev", "fail_mode=secure"]
        for t in self.topo.tenants:
            args += self.add_port("br-int", "t%d" % t)
            args += ["--", "set", "interface", "t%d" % t,
                     "ofport_request=%d" % t]
            self.no_offload("eth0", "%s-t%d" % (self.name, t))
        self.vsctl(*args)
        if self.system == "weft":
            self.add_fabric()
        else:
            self.add_tunnels()
        self.run(["ovs-ofctl", "add-flows", "br-int", "-"],
                 stdin="\n".join(self.flows()) + "\n")

    def add_fabric(self):
        opts = self.topo.opts
        args = ["add-fabric", "br-int", "fab0",
                "local_ips=" + ",".join(self.topo.vteps(self.name)),
                "encap=" + opts["encap"]]
        if opts["paths"]:
            args.append("paths_per_remote=%d" % opts["paths"])
        if not opts["fast_path"]:
            args.append("other_config:fast-path=false")
        for key in ("interval", "multiplier"):
            if opts["probe_" + key]:
                args.append("probe:%s=%d" % (key, opts["probe_" + key]))
        args += ["--", "set", "interface", "fab0",
                 "ofport_request=%d" % OFPORT_FABRIC]
        for host in self.others():
            args += ["--", "add-endpoint", "fab0", host,
                     ",".join(self.topo.vteps(host)),
                     "--", "set", "Fabric_Endpoint", host,
                     "id=%d" % self.topo.node_index(host)]
        self.vsctl(*args)

    def add_tunnels(self):
        opts = self.topo.opts
        args = []
        local = self.topo.vteps(self.name)[0]
        for host in self.others():
            for k, remote in enumerate(self.remotes(host)):
                port = "vx-%s" % host + ("-%d" % (k + 1) if k else "")
                args += ["--", "add-port", "br-int", port,
                         "--", "set", "interface", port,
                         "type=" + opts["encap"],
                         "ofport_request=%d" % self.tunnel_ofport(host, k),
                         "options:key=flow", "options:local_ip=" + local,
                         "options:remote_ip=" + remote]
        if args:
            self.vsctl(*args[1:])

    def remotes(self, host):
        """The addresses that 'host' sends from.  A tunnel port receives from
        one, so there is a port for each; the first also sends."""
        local = self.topo.vteps(self.name)[0]
        return [remote for remote in self.topo.vteps(host)
                if (":" in remote) == (":" in local)]

    def tunnel_ofport(self, host, k=0):
        return (OFPORT_TUNNEL + self.topo.node_index(host)
                + k * topology.MAX_HOSTS)

    def flows(self):
        flows = []
        for t in self.topo.tenants:
            vni = self.topo.vni(t)
            for host in self.others():
                flows.append("priority=100,in_port=%d,dl_dst=%s,actions=%s" % (
                    t, self.topo.workload_mac(host), self.output(host, vni)))
            flood = [self.output(host, vni) for host in self.others()]
            flows.append("priority=90,in_port=%d,"
                         "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00,"
                         "actions=%s" % (t, ",".join(flood) or "drop"))
            for port in self.tunnel_ports():
                flows.append("priority=100,in_port=%d,tun_id=%d,"
                             "actions=output:%d" % (port, vni, t))
        return flows

    def tunnel_ports(self):
        if self.system == "weft":
            return [OFPORT_FABRIC]
        return [self.tunnel_ofport(host, k) for host in self.others()
                for k in range(len(self.remotes(host)))]

    def output(self, host, vni):
        if self.system == "weft":
            return "fabric_output(port=%d,endpoint=%d,vni=%d)" % (
                OFPORT_FABRIC, self.topo.node_index(host), vni)
        return "set_field:%d->tun_id,output:%d" % (vni,
                                                   self.tunnel_ofport(host))

    # The kernel.

    def attach_bridged(self):
        """No tunnel: the workload and the first uplink on one bridge."""
        self.no_bridge_filter()
        uplink = self.topo.uplinks_of(self.name)[0].end(self.name).dev
        batch = netns.Batch(self.lab)
        batch.add(self.name, "link add br-t1 type bridge mcast_snooping 0")
        for dev in ("t1", uplink):
            batch.add(self.name, "link set %s master br-t1" % dev)
        batch.add(self.name, "link set br-t1 up")
        batch.run()

    def no_bridge_filter(self):
        """Packets on bridges need not pass the firewall's hooks."""
        netns.sysctl(self.lab, self.name, [
            ("bridge/bridge-nf-call-%stables" % family, 0, False)
            for family in ("ip", "ip6", "arp")])

    def attach_kernel(self):
        self.no_bridge_filter()
        batch = netns.Batch(self.lab)
        local = self.topo.vteps(self.name)[0]
        fdb = []
        for t in self.topo.tenants:
            bridge, vxlan = "br-t%d" % t, "vx-t%d" % t
            mtu = self.topo.workload_mtu()
            batch.add(self.name, "link add %s mtu %d type bridge "
                      "mcast_snooping 0" % (bridge, mtu))
            batch.add(self.name, "link add %s mtu %d type vxlan id %d "
                      "local %s dstport %d nolearning" % (
                          vxlan, mtu, self.topo.vni(t), local,
                          DST_PORT["vxlan"]))
            for dev in (vxlan, "t%d" % t):
                batch.add(self.name, "link set %s master %s" % (dev, bridge))
                batch.add(self.name, "link set %s up" % dev)
            batch.add(self.name, "link set %s up" % bridge)
            for host in self.others():
                remote = self.topo.vteps(host)[0]
                fdb.append("fdb replace %s dev %s dst %s self static" % (
                    self.topo.workload_mac(host), vxlan, remote))
                fdb.append("fdb append 00:00:00:00:00:00 dev %s dst %s self "
                           "permanent" % (vxlan, remote))
        batch.run()
        if fdb:
            netns.ns_run(self.lab, self.name, ["bridge", "-batch", "-"],
                         stdin="\n".join(fdb) + "\n")

    # Looking, and going down.

    def daemons(self):
        """{daemon: pid, or None if it does not run}."""
        found = {}
        for name in ("ovsdb-server", "ovs-vswitchd") if self.has_ovs else ():
            found[name] = None
            try:
                with open(os.path.join(self.dir, name + ".pid")) as f:
                    pid = int(f.read())
            except (OSError, ValueError):
                continue
            if pid in netns.ns_pids(self.lab, [self.name]):
                found[name] = pid
        return found

    def stop(self):
        """Asks the switch to exit by itself, so that it may say what it still
        has to say (a leak report, for example)."""
        pid = self.daemons().get("ovs-vswitchd")
        if pid:
            ctl = os.path.join(self.dir, "ovs-vswitchd.%d.ctl" % pid)
            self.run(["ovs-appctl", "-T", "5", "-t", ctl, "exit"],
                     check=False)
            netns.wait_exit([pid], 5)
