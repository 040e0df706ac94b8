# SPDX-License-Identifier: Apache-2.0
"""What a lab consists of, computed from its options alone.

    spine1   spine2          M spines, each linked to every leaf
      |   \\ /   |
      |   / \\   |
    leaf1    leaf2           L leaves
      |   \\ /   |
    h1       h2     h3 ...   N hosts, uplink K of host H goes to
                             leaf ((H - 1) * 2 + K - 1) % L + 1

With two leaves every host has uplink 1 on leaf1 and uplink 2 on leaf2, so
uplink 1 to uplink 1 crosses one leaf, and uplink 1 to uplink 2 crosses leaf1,
a spine chosen by ECMP, and leaf2.  With four leaves hosts 1, 3, ... are on
leaves 1 and 2 and hosts 2, 4, ... on leaves 3 and 4, so that everything
between neighbours crosses a spine.  With no leaves two hosts are wired back
to back.

Addresses (the same in every lab, since all is in namespaces):

    uplink K of host H   10.K.H.1/30           fd00:K:H::1/64
    its leaf's end       10.K.H.2/30           fd00:K:H::2/64
    leaf A to spine S    10.(100+A).S.1 - .2   fd00:(100+A):S::1 - ::2
    loopback of host H   10.0.0.H/32           fd00::H/128
    workload of host H   192.168.0.H/24        fd01::H/64     every tenant
                         MAC 02:00:00:00:00:HH

Tunnels end at the addresses of the uplinks, each of which has a route of its
own; with --routed at the loopback's, to and from which all uplinks lead.
"""

import re

from . import LabError

UPLINKS = 2
MAX_HOSTS = 200
MAX_LEAVES = 100
MAX_SPINES = 64
MAX_TENANTS = 32

ENCAPS = ("vxlan", "geneve")
SYSTEMS = ("weft", "bare", "ovs", "ovs-afxdp", "kernel-vxlan", "bridged",
           "raw")

# Those whose tunnels can end at the loopback's address.
ROUTED = ("weft", "bare", "kernel-vxlan", "raw")

# Those that run Open vSwitch, and those with its own tunnels.
SWITCHES = ("weft", "bare", "ovs", "ovs-afxdp")
UPSTREAM = ("ovs", "ovs-afxdp")

# Outer Ethernet is not counted: IP (20 or 40), UDP (8), VXLAN or option-less
# Geneve (8), inner Ethernet (14).
OVERHEAD = {4: 50, 6: 70}

# A workload may use IPv6, which needs 1280 bytes.
MTUS = (1280 + OVERHEAD[6], 65535)

# For AF_XDP a packet has to fit a page of 4 kB, with XDP's headroom (256), the
# Ethernet header (14) and the kernel's struct skb_shared_info (320).  A veth
# whose peer has a larger MTU refuses the program.
AFXDP_MTU = 4096 - 256 - 14 - 320

NAME_RE = re.compile(r"[a-z][a-z0-9]{0,11}")


class End:
    """One interface of a link: node, interface name, {family: address}."""

    def __init__(self, node, dev, addrs, plen):
        self.node = node
        self.dev = dev
        self.addrs = addrs
        self.plen = plen


class Link:
    """A veth pair.  'b' is always the router of the two, if one is, and the
    spine of a leaf and a spine."""

    def __init__(self, a, b, uplink=None):
        self.a = a
        self.b = b
        self.uplink = uplink

    @property
    def name(self):
        if self.uplink:
            return "link:%s:%d" % (self.a.node, self.uplink)
        return "link:%s:%s" % (self.a.node, self.b.node)

    def end(self, node):
        return self.a if self.a.node == node else self.b

    def peer(self, node):
        return self.b if self.a.node == node else self.a


class Topology:
    """Nodes and links of one lab.  'opts' is a dictionary of plain values, as
    kept in the state file: see DEFAULTS."""

    DEFAULTS = {
        "hosts": 2, "leaves": 2, "spines": 2, "tenants": 1,
        "encap": "vxlan", "families": [4], "mtu": 1500,
        "workload_mtu": None, "systems": ["weft"], "paths": None,
        "probe_interval": None, "probe_multiplier": None,
        "bindir": None, "tso": True, "fast_path": True, "options": [],
        "routed": False,
    }

    def __init__(self, opts):
        self.opts = dict(self.DEFAULTS, **opts)
        self.families = self.opts["families"]
        self._check()
        self.hosts = ["h%d" % i for i in self._range("hosts")]
        self.leaves = ["leaf%d" % i for i in self._range("leaves")]
        self.spines = ["spine%d" % i for i in self._range("spines")]
        if not self.leaves:
            self.spines = []
        self.routers = self.leaves + self.spines
        self.tenants = list(self._range("tenants"))
        self.links = self._uplinks() + self._fabric_links()

    def _range(self, what):
        return range(1, self.opts[what] + 1)

    def _check(self):
        for key, low, high in (("hosts", 1, MAX_HOSTS),
                               ("leaves", 0, MAX_LEAVES),
                               ("spines", 0, MAX_SPINES),
                               ("tenants", 0, MAX_TENANTS)):
            if not low <= self.opts[key] <= high:
                raise LabError("--%s must be %d to %d, not %d"
                               % (key, low, high, self.opts[key]))
        if self.opts["leaves"] == 0 and self.opts["hosts"] != 2:
            raise LabError("--leaves 0 wires two hosts back to back, so it "
                           "needs --hosts 2")
        systems = self.opts["systems"]
        for system in systems:
            if system not in SYSTEMS:
                raise LabError("unknown system '%s' (one of %s)"
                               % (system, ", ".join(SYSTEMS)))
            if self.opts["routed"] and system not in ROUTED:
                raise LabError("system %s cannot be used with --routed"
                               % system)
        if len(systems) not in (1, self.opts["hosts"]):
            raise LabError("--system names %d systems for %d hosts; give one, "
                           "or one for each host"
                           % (len(systems), self.opts["hosts"]))
        if "kernel-vxlan" in systems and self.opts["encap"] != "vxlan":
            raise LabError("kernel-vxlan cannot use --encap %s"
                           % self.opts["encap"])
        if "bridged" in systems and (self.opts["leaves"]
                                     or self.opts["tenants"] != 1):
            raise LabError("system bridged has no overlay, so it needs "
                           "--leaves 0 and --tenants 1")
        if ("ovs-afxdp" in systems
                and max(self.opts["mtu"], self.workload_mtu()) > AFXDP_MTU):
            raise LabError("ovs-afxdp cannot use an MTU above %d" % AFXDP_MTU)
        if "raw" in systems and self.opts["tenants"]:
            raise LabError("system raw has no overlay, so it needs "
                           "--tenants 0")

    # Links.

    def _uplinks(self):
        n_leaves = self.opts["leaves"]
        if not n_leaves:
            return [Link(End("h1", "up%d" % k, self._host_addrs(1, k),
                             {4: 16, 6: 32}),
                         End("h2", "up%d" % k, self._host_addrs(2, k),
                             {4: 16, 6: 32}), k)
                    for k in range(1, UPLINKS + 1)]
        links = []
        for h in self._range("hosts"):
            for k in range(1, UPLINKS + 1):
                leaf = ((h - 1) * UPLINKS + k - 1) % n_leaves + 1
                plen = {4: 30, 6: 64}
                links.append(Link(
                    End("h%d" % h, "up%d" % k, self._host_addrs(h, k), plen),
                    End("leaf%d" % leaf, "h%d-%d" % (h, k),
                        self._addrs("10.%d.%d.2", "fd00:%d:%d::2", k, h),
                        plen), k))
        return links

    def _fabric_links(self):
        plen = {4: 30, 6: 64}
        return [Link(End("leaf%d" % a, "spine%d" % s,
                         self._addrs("10.%d.%d.1", "fd00:%d:%d::1",
                                     100 + a, s), plen),
                     End("spine%d" % s, "leaf%d" % a,
                         self._addrs("10.%d.%d.2", "fd00:%d:%d::2",
                                     100 + a, s), plen))
                for a in range(1, len(self.leaves) + 1)
                for s in range(1, len(self.spines) + 1)]

    def _addrs(self, fmt4, fmt6, *args):
        fmts = {4: fmt4, 6: fmt6}
        return {f: fmts[f] % args for f in self.families}

    def _host_addrs(self, h, k):
        return self._addrs("10.%d.%d.1", "fd00:%d:%d::1", k, h)

    # Lookups.

    def node_index(self, node):
        return int(re.sub(r"^[a-z]+", "", node))

    def links_of(self, node):
        return [l for l in self.links if node in (l.a.node, l.b.node)]

    def uplinks_of(self, host):
        """The links of 'host' in the order of its uplinks."""
        return self.links_of(host)

    def leaves_of(self, host):
        return [l.peer(host).node for l in self.uplinks_of(host)]

    def system(self, host):
        systems = self.opts["systems"]
        return systems[(self.node_index(host) - 1) % len(systems)]

    def loopbacks(self, host):
        return self._addrs("10.0.0.%d", "fd00::%d", self.node_index(host))

    def uplink_addrs(self, host):
        """Every uplink address of 'host', uplink by uplink."""
        return [l.end(host).addrs[f] for l in self.uplinks_of(host)
                for f in self.families]

    def vteps(self, host):
        """The tunnel addresses of 'host', as its peers have to know them."""
        system = self.system(host)
        if self.opts["routed"]:
            return [self.loopbacks(host)[f] for f in self.families]
        if system in ("weft", "bare"):
            return self.uplink_addrs(host)
        if system == "kernel-vxlan":
            return [self.loopbacks(host)[self.families[0]]]
        return self.uplink_addrs(host)[:1]

    # Tenants.

    def vni(self, tenant):
        return 100 * tenant

    def workload_mac(self, host):
        return "02:00:00:00:00:%02x" % self.node_index(host)

    def workload_addrs(self, host):
        h = self.node_index(host)
        return {4: "192.168.0.%d" % h, 6: "fd01::%d" % h}

    def workload_mtu(self):
        if self.opts["workload_mtu"]:
            return self.opts["workload_mtu"]
        return self.opts["mtu"] - OVERHEAD[max(self.families)]

    def workloads(self):
        """(host, tenant, name of the workload's node) of every workload."""
        return [(host, t, "%s-t%d" % (host, t))
                for host in self.hosts for t in self.tenants]

    def nodes(self):
        return (self.hosts + self.routers
                + [node for _, _, node in self.workloads()])

    # Parsing what users type.

    def check_node(self, node):
        if node not in self.nodes():
            raise LabError("no node '%s' in this lab (it has %s)"
                           % (node, self.describe_nodes()))
        return node

    def describe_nodes(self):
        names = []
        for group in (self.hosts, self.leaves, self.spines):
            if len(group) > 1:
                names.append("%s to %s" % (group[0], group[-1]))
            else:
                names.extend(group)
        if self.tenants:
            names.append("and workloads such as h1-t1")
        return ", ".join(names)

    def find_link(self, text):
        """The Link that 'text', "link:A:B", names, and A.  B is a node or,
        when one of the two is a host, the number of its uplink."""
        parts = text.split(":")
        if len(parts) != 3 or parts[0] != "link":
            raise LabError("'%s' is no link; write link:h1:2 (host and "
                           "uplink) or link:leaf1:spine2" % text)
        first, second = parts[1:]
        for i, name in enumerate((first, second)):
            if not (name.isdigit() and (first, second)[1 - i] in self.hosts):
                self.check_node(name)
        for link in self.links:
            names = [link.a.node, link.b.node]
            uplink = str(link.uplink)
            if [first, second] in (names, names[::-1]):
                return link, first
            if [first, second] == [names[0], uplink]:
                return link, first
            if [first, second] == [uplink, names[0]]:
                return link, link.b.node
            if not self.leaves and [first, second] == [names[1], uplink]:
                return link, first
        raise LabError("there is no link between %s and %s" % (first, second))
