# SPDX-License-Identifier: Apache-2.0
"""The underlay of a lab: namespaces, links, addresses and routes.

Routes are static and what a routing protocol would have come to with all links
up: a silent failure stays silent.  A link without carrier is left out of ECMP
by its own end at once (ignore_routes_with_linkdown), and by nobody else.
"""

from . import netns

# What lets several packets cross the underlay as one.
OFFLOADS = ("tso", "tx-udp-segmentation", "tx-udp_tnl-segmentation",
            "tx-udp_tnl-csum-segmentation")

PREFIX = {4: 32, 6: 128}
ANY = {4: "0.0.0.0/0", 6: "::/0"}


def sysctls(topo, node):
    """Settings made before there are links, so that they inherit them."""
    router = node in topo.routers
    settings = []
    for conf in ("ipv4/conf/all/", "ipv4/conf/default/"):
        settings += [(conf + "rp_filter", 0, True),
                     (conf + "ignore_routes_with_linkdown", 1, True)]
    for conf in ("ipv6/conf/all/", "ipv6/conf/default/"):
        settings += [(conf + "accept_dad", 0, True),
                     (conf + "accept_ra", 0, True),
                     (conf + "keep_addr_on_down", 1, True),
                     (conf + "ignore_routes_with_linkdown", 1, True),
                     (conf + "disable_ipv6",
                      0 if 6 in topo.families else 1, True),
                     (conf + "forwarding", int(router), True)]
    # Policy 1 hashes the five-tuple.  Every node gets a hash seed of its own,
    # as real routers do, so that one choice does not decide the next; and
    # always the same, so that a run can be repeated.
    seed = 1 + topo.nodes().index(node)
    # A router answers from the address that a packet came to, as most do; what
    # Linux does otherwise looks like several routers where there are several
    # ways back.
    settings += [("ipv4/icmp_errors_use_inbound_ifaddr", 1, True),
                 ("ipv4/ip_forward", int(router), True),
                 ("ipv4/fib_multipath_hash_policy", 1, True),
                 ("ipv6/fib_multipath_hash_policy", 1, True),
                 ("ipv4/fib_multipath_hash_seed", seed, False)]
    return settings


def build(topo, lab):
    """Makes the namespaces and links of 'topo', and configures everything
    but the uplinks of hosts, which configure_host() does."""
    batch = netns.Batch(lab)
    for node in topo.nodes():
        batch.add(None, "netns add " + netns.ns_name(lab, node))
    batch.run()

    for node in topo.hosts + topo.routers:
        netns.sysctl(lab, node, sysctls(topo, node))
        batch.add(node, "link set lo up")
    for link in topo.links:
        batch.add(link.a.node, "link add %s mtu %d type veth peer name %s "
                  "mtu %d netns %s" % (link.a.dev, topo.opts["mtu"],
                                       link.b.dev, topo.opts["mtu"],
                                       netns.ns_name(lab, link.b.node)))
    batch.run()

    for link in topo.links:
        for end in (link.a, link.b):
            batch.add(end.node, "link set %s up" % end.dev)
    for host in topo.hosts:
        for addr in topo.loopbacks(host).values():
            batch.add(host, "addr replace %s dev lo" % addr)
    batch.run()
    for router in topo.routers:
        configure_router(topo, lab, router)


def add_addrs(batch, end, dev):
    for family, addr in end.addrs.items():
        batch.add(end.node, "addr replace %s/%d dev %s%s" % (
            addr, end.plen[family], dev, " nodad" if family == 6 else ""))


def route(prefix, nexthops, table=""):
    """A line for ip(8) that routes 'prefix' over all of 'nexthops',
    (address, device)."""
    hops = ["via %s dev %s" % hop for hop in nexthops]
    if len(hops) > 1:
        hops = ["nexthop " + hop for hop in hops]
    return "route replace %s %s%s" % (prefix, table, " ".join(hops))


def configure_router(topo, lab, router, devices=None, down=()):
    """Sets the addresses and routes of a leaf or spine.  May be repeated: a
    device that was down has lost some of them.  'devices' maps the names of
    devices to those that stand in for them now; links whose name is in 'down'
    are left out."""
    devices = devices or {}
    batch = netns.Batch(lab)
    links = [l for l in topo.links_of(router) if l.name not in down]
    for link in links:
        end = link.end(router)
        add_addrs(batch, end, devices.get(end.dev, end.dev))
    batch.run()
    for family in topo.families:
        for host in topo.hosts:
            for prefix, owner, peers in host_prefixes(topo, router, host):
                hops = [(l.peer(router).addrs[family],
                         devices.get(l.end(router).dev, l.end(router).dev))
                        for l in links if l.peer(router).node in peers]
                if hops and owner != router:
                    batch.add(router, route(prefix[family], hops))
    batch.run()


def host_prefixes(topo, router, host):
    """({family: prefix}, leaf that owns it, nodes that are the next hops from
    'router') for everything that belongs to 'host'."""
    leaves = topo.leaves_of(host)
    for link in topo.uplinks_of(host):
        leaf, end = link.b.node, link.b
        yield ({f: "%s/%d" % (network(end.addrs[f], end.plen[f]), end.plen[f])
                for f in topo.families}, leaf,
               [leaf] if router in topo.spines else topo.spines)
    yield ({f: "%s/%d" % (addr, PREFIX[f])
            for f, addr in topo.loopbacks(host).items()}, None,
           [host] if router in leaves else
           leaves if router in topo.spines else topo.spines)


def network(addr, plen):
    """The network of one of our addresses, whose host parts are small."""
    if plen == 32:
        return ":".join(addr.split(":")[:2]) + "::"
    if plen == 64:
        return addr[:addr.index("::") + 2]
    octets = addr.split(".")
    return ".".join(octets[:plen // 8] + ["0"] * (4 - plen // 8))


def configure_host(topo, lab, host, devs):
    """Gives the uplinks of 'host', whose addresses belong on the interfaces
    'devs', their addresses, policy routing by source address, and a default
    route over all of them."""
    batch = netns.Batch(lab)
    links = topo.uplinks_of(host)
    for link, dev in zip(links, devs):
        batch.add(host, "link set %s mtu %d up" % (dev, topo.opts["mtu"]))
        add_addrs(batch, link.end(host), dev)
    for family in topo.families:
        for link, dev in zip(links, devs):
            end, peer = link.end(host), link.peer(host)
            table = "table %d " % (100 + link.uplink)
            batch.add(host, "rule add from %s lookup %d priority %d"
                      % (end.addrs[family], 100 + link.uplink,
                         1000 + link.uplink), family)
            if topo.leaves:
                batch.add(host, route(ANY[family],
                                      [(peer.addrs[family], dev)], table))
            else:
                plen = end.plen[family]
                batch.add(host, "route replace %s/%d %sdev %s" % (
                    network(end.addrs[family], plen), plen, table, dev))
        hops = [(link.peer(host).addrs[family], dev)
                for link, dev in zip(links, devs)]
        if topo.leaves:
            batch.add(host, route(ANY[family], hops))
        else:
            other = links[0].peer(host).node
            batch.add(host, route("%s/%d" % (topo.loopbacks(other)[family],
                                             PREFIX[family]), hops))
    batch.run()


def segment_early(topo, lab, early):
    """Makes the hosts segment what they send, so that routers see packets as
    they would be on a wire, or lets them not ('early' false)."""
    args = []
    for offload in OFFLOADS:
        args += [offload, "off" if early else "on"]
    for link in topo.links:
        if link.uplink:
            netns.ns_run(lab, link.a.node, ["ethtool", "-K", link.a.dev]
                         + args)


def configure_workloads(topo, lab):
    """Makes the workloads: one namespace for each host and tenant, with eth0
    whose other end, tT, awaits the virtual switch of the host."""
    batch = netns.Batch(lab)
    mtu = topo.workload_mtu()
    for host, tenant, node in topo.workloads():
        netns.sysctl(lab, node,
                     [("ipv6/conf/default/accept_dad", 0, True)])
        batch.add(host, "link add t%d mtu %d type veth peer name eth0 "
                  "address %s mtu %d netns %s" % (
                      tenant, mtu, topo.workload_mac(host), mtu,
                      netns.ns_name(lab, node)))
        batch.add(host, "link set t%d up" % tenant)
        batch.add(node, "link set lo up")
        batch.add(node, "link set eth0 up")
        addrs = topo.workload_addrs(host)
        batch.add(node, "addr replace %s/24 dev eth0" % addrs[4])
        batch.add(node, "addr replace %s/64 dev eth0 nodad" % addrs[6])
    batch.run()
    for host in topo.hosts:
        netns.sysctl(lab, host, [("ipv6/conf/t%d/disable_ipv6" % t, 1, True)
                                 for t in topo.tenants])
