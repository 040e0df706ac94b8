# SPDX-License-Identifier: Apache-2.0
"""How long flows are interrupted when an underlay path silently dies.

Two hosts, two leaves, two spines.  Some flows send a packet each ms; others
are established and send a packet now and then, so that the switch has as many
datapath flows as the case says.  Then the leaf that carries the first flow
drops everything, while all carriers stay up.

outage          the longest time that a flow which crossed that leaf was
                interrupted, less the spacing of its packets
elsewhere       packets lost by the flows that did not cross it

The case "default" has 1,000 flows and leaves the settings of probes and of BFD
alone.

Another stream before that, which does not count, sets up the datapath flows.

Every connection has an OpenFlow rule of its own, as with a policy that names
ports, so that none of the systems can cover many by one datapath flow.

ovs is upstream's own way to do it: a tunnel over each uplink, BFD on both,
and a select group whose buckets watch the tunnels."""

import time

from fabric_lab import LabError, impair, netns, switch
from fabric_lab.stream import SOURCE_PORT, Stream, Watch, wait_for
from peers import lab_up

OURS = "weft"
SPACING = 1.0
FOREGROUND = 16
BACKGROUND_MS = 4000            # Between packets of a flow, at least,
BACKGROUND_RATE = 5000          # and so long that there are at most so many.
MAX_IDLE_MS = 60000             # Flows stay for so long without packets.
WARM_LIMIT = 120                # Seconds until all have datapath flows.
STEADY_SECONDS = 6              # Until the failure, at most.
AFTER_SECONDS = 8               # A BFD session that is slow takes 3.
FLOWS_PER_PORT = 50000          # As fabric-stream has it.
MAX_FLOWS = 100000
DEFAULT_FLOWS = 1000            # Of the case "default".
VNI = 100
TUNNEL = 300                    # OpenFlow port of uplink 1's, less one.


def add_options(parser):
    parser.add_argument("--reps", type=int, default=3,
                        help="repetitions (default: 3)")
    parser.add_argument("--cases", default="1,1000,20000,100000,default",
                        help="numbers of flows, or \"default\" "
                        "(default: 1,1000,20000,100000,default)")
    parser.add_argument("--systems", default=",".join(SETUPS),
                        help="default: " + ",".join(SETUPS))
    parser.add_argument("--interval", type=int, default=3,
                        help="of probes, ms (default: 3)")
    parser.add_argument("--bfd-interval", type=int, default=10,
                        help="of BFD, ms (default: 10)")
    parser.add_argument("--multiplier", type=int, default=3,
                        help="lost probes or BFD packets that make a failure "
                        "(default: 3)")


# What sends a flow to the other host: (options for the lab, function that
# prepares the hosts, actions).

def prepare_weft(args, case, the_lab):
    pass


def prepare_ovs(args, case, the_lab):
    """Tunnels with BFD over both uplinks, and a group over both tunnels."""
    topo = the_lab.topo
    settings = [] if case == "default" else [
        "bfd:min_tx=%d" % args.bfd_interval,
        "bfd:min_rx=%d" % args.bfd_interval, "bfd:mult=%d" % args.multiplier]
    for host in the_lab.hosts():
        other = host.others()[0]
        commands, buckets = [], []
        for k in (1, 2):
            port = "bfd%d" % k
            commands += ["--", "add-port", "br-int", port, "--", "set",
                         "interface", port, "type=" + topo.opts["encap"],
                         "ofport_request=%d" % (TUNNEL + k),
                         "options:key=%d" % VNI,
                         "options:local_ip="
                         + topo.uplink_addrs(host.name)[k - 1],
                         "options:remote_ip="
                         + topo.uplink_addrs(other)[k - 1],
                         "bfd:enable=true"] + settings
            buckets.append("bucket=watch_port:%d,actions=output:%d"
                           % (TUNNEL + k, TUNNEL + k))
        # The lab's own tunnel has the same addresses.
        host.vsctl("del-port", "br-int", "vx-" + other, *commands)
        host.run(["ovs-ofctl", "-O", "OpenFlow15", "add-group", "br-int",
                  "group_id=1,type=select,selection_method=dp_hash,"
                  + ",".join(buckets)])
    for host in the_lab.hosts():
        for k in (1, 2):
            wait_for(lambda: "up" in host.vsctl(
                "get", "interface", "bfd%d" % k,
                "bfd_status:state").stdout.split(), 20, "BFD session")


SETUPS = {
    "weft": ("weft", prepare_weft,
             "fabric_output(port=%d,endpoint=2,vni=%d)"
             % (switch.OFPORT_FABRIC, VNI)),
    "ovs": ("ovs", prepare_ovs, "group:1"),
}


def add_rules(the_lab, n_flows, action):
    """One rule for each connection, and those that let the rest pass."""
    for host in the_lab.hosts():
        mine = action if host.name == "h1" else action.replace(
            "endpoint=2", "endpoint=1")
        flows = ["priority=90,in_port=1,actions=" + mine,
                 "priority=100,in_port=1,udp,actions=resubmit(,1)"]
        for port in (switch.OFPORT_FABRIC, TUNNEL + 1, TUNNEL + 2):
            flows.append("priority=100,in_port=%d,actions=output:1" % port)
        flows += ["table=1,udp,tp_src=%d,tp_dst=%d,actions=%s"
                  % (SOURCE_PORT + i % FLOWS_PER_PORT,
                     7000 + i // FLOWS_PER_PORT, mine)
                  for i in range(n_flows)]
        host.run(["ovs-ofctl", "-O", "OpenFlow15", "del-flows", "br-int"])
        host.run(["ovs-ofctl", "-O", "OpenFlow15", "add-flows", "br-int",
                  "-"], stdin="\n".join(flows) + "\n")


def cached_flows(host):
    """How many datapath flows a switch has."""
    out = host.run(["ovs-appctl", "upcall/show"]).stdout
    return sum(int(line.split("current")[1].split(")")[0])
               for line in out.splitlines() if "(current" in line)


def warm_up(stream, sender, n_flows, spacing):
    """Sends until the switch has a datapath flow for every flow, which each
    has a packet every 'spacing' ms."""
    deadline = time.monotonic() + WARM_LIMIT
    sender.vsctl("set", "Open_vSwitch", ".",
                 "other_config:max-idle=%d" % MAX_IDLE_MS)
    while True:
        # It begins with room for 10,000 and makes more as time goes by, but
        # takes it away again when setting flows up makes it slow.
        sender.run(["ovs-appctl", "upcall/set-flow-limit",
                    str(max(10000, 2 * n_flows))])
        with stream(1 + spacing / 1000) as warm:
            warm.report()
        n = cached_flows(sender)
        if n >= n_flows:
            break
        if time.monotonic() > deadline:
            raise LabError("only %d of %d datapath flows" % (n, n_flows))


def measure(args, the_lab, system, case, results):
    n_flows = number_of_flows(case)
    foreground = min(n_flows, FOREGROUND)
    background = n_flows - foreground
    _, prepare, action = SETUPS[system]
    prepare(args, case, the_lab)
    add_rules(the_lab, n_flows, action)
    the_lab.wait_ready(20)
    spacing = max(BACKGROUND_MS, 1000 * background // BACKGROUND_RATE)
    leaves = the_lab.topo.leaves
    sender = the_lab.host("h1")

    def stream(seconds):
        return Stream(the_lab, "h1-t1", "h2-t1",
                      the_lab.topo.workload_addrs("h2")[4], foreground,
                      seconds, spacing=SPACING, background=background,
                      background_spacing=spacing)

    if background:
        warm_up(stream, sender, n_flows, spacing)
    with Watch(the_lab, leaves, foreground) as watch, \
            stream(STEADY_SECONDS + AFTER_SECONDS) as measured:
        wait_for(lambda: cached_flows(sender) >= n_flows, STEADY_SECONDS - 1,
                 "%d datapath flows" % n_flows)
        wait_for(lambda: set(range(foreground)) <= set.union(
            *map(watch.seen, leaves)), 2, "all flows on a leaf")
        seen = {leaf: watch.seen(leaf) for leaf in leaves}
        victim = next(leaf for leaf in leaves if 0 in seen[leaf])
        impair.Impairer(the_lab).add({"kind": "fail", "target": victim,
                                      "sender": None})
        report = measured.report()
    account(report, seen[victim], case, system, results)


def account(report, hit, case, system, results):
    """Adds what the flows saw, of which 'hit' crossed the dead leaf."""
    outage = max(f["hole"] for f in report["flows"] if f["flow"] in hit)
    elsewhere = sum(f["lost"] for f in report["flows"]
                    if f["flow"] not in hit)
    if not report["ended"] or not outage:
        raise LabError("%s, %s: the failure hit nothing" % (system, case))
    if outage > AFTER_SECONDS * 1000 * 0.8:
        raise LabError("%s, %s: not repaired" % (system, case))
    results.add(case, "outage", "ms", system, max(outage - SPACING, 0))
    results.add(case, "elsewhere", "packets", system, elsewhere)


def number_of_flows(case):
    if case == "default":
        return DEFAULT_FLOWS
    if not case.isdigit() or not 1 <= int(case) <= MAX_FLOWS:
        raise LabError("--cases: '%s' is neither 1 to %d flows nor "
                       "\"default\"" % (case, MAX_FLOWS))
    return int(case)


def run(args, results):
    netns.need(("nft", "nftables"))
    cases = args.cases.split(",")
    for case in cases:
        number_of_flows(case)
    for system in args.systems.split(","):
        if system not in SETUPS:
            raise LabError("unknown system '%s' (one of %s)"
                           % (system, ", ".join(SETUPS)))
    for rep in range(args.reps):
        for case in cases:
            for system in args.systems.split(","):
                print("repetition %d of %d: %s, %s"
                      % (rep + 1, args.reps, system, case), flush=True)
                opts = dict(hosts=2, bindir=args.bindir, tso=False,
                            systems=[SETUPS[system][0]])
                if case != "default":
                    opts.update(probe_interval=args.interval,
                                probe_multiplier=args.multiplier)
                try:
                    with lab_up(args.lab, opts) as the_lab:
                        measure(args, the_lab, system, case, results)
                except LabError as e:
                    results.problem("%s, %s: %s" % (system, case, e))
