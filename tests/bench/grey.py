# SPDX-License-Identifier: Apache-2.0
"""How soon failures that are not complete are found and left.

Two hosts, two leaves, spines, and data on all paths.  What crosses one link
between a leaf and a spine is then

loss-1, loss-5  lost at random, 1 % or 5 % of it
oneway          likewise, 5 % in one direction only
large           lost if it is longer than 1,000 bytes
class           lost if it has one of the two DSCPs in use, one packet in two
delay           delayed by 2 ms

detected        until the first path through that link is degraded
moved           until no path through it carries data any more
mistaken        other paths that are left by then"""

import json
import time

from fabric_lab import LabError, impair
from fabric_lab.stream import Stream, wait_for
from peers import lab_up

OURS = "weft"
LINK = "link:leaf1:spine1"
KINDS = {
    "loss-1": {"kind": "loss", "percent": 1},
    "loss-5": {"kind": "loss", "percent": 5},
    "oneway": {"kind": "loss", "percent": 5, "oneway": True},
    "large": {"kind": "loss", "percent": 100, "larger": 1000},
    "class": {"kind": "loss", "percent": 50, "dscp": 46},
    "delay": {"kind": "delay", "relay": {"delay": 1000}},
}
UNDERLAYS = {"ipv4": [4], "ipv6": [6], "dual": [4, 6]}
FLOWS = 64
SPACING = 4.0                   # ms: 1,000 packets a second on each path.
LIMIT = 60                      # Seconds to wait for a failure to be left.


def add_options(parser):
    parser.add_argument("--reps", type=int, default=3,
                        help="repetitions (default: 3)")
    parser.add_argument("--cases", default=",".join(KINDS),
                        help="default: " + ",".join(KINDS))
    parser.add_argument("--interval", type=int, default=10,
                        help="of probes, ms (default: 10)")
    parser.add_argument("--spines", type=int, default=2,
                        help="how many (default: 2)")
    parser.add_argument("--underlay", choices=UNDERLAYS, default="ipv4",
                        help="its addresses (default: ipv4)")
    parser.add_argument("--encap", choices=("vxlan", "geneve"),
                        default="vxlan", help="default: vxlan")


def paths(the_lab):
    """{(local IP, remote IP, port): row} of the paths of host 1."""
    out = the_lab.host("h1").run(["ovs-appctl", "--format", "json",
                                  "fabric/health"]).stdout
    return {(p["local_ip"], p["remote_ip"], p["src_port"]): p
            for p in json.loads(out)}


def in_state(the_lab, state):
    return {name for name, p in paths(the_lab).items()
            if p["state"] == state}


def impairment(the_lab, settings):
    settings = dict(settings)
    oneway = settings.pop("oneway", False)
    return dict(impair.canonical(the_lab.topo, LINK, oneway), **settings)


def settle(the_lab):
    """Waits until all paths are up and discovery changes none of them; returns
    their names."""
    def stable():
        before = set(paths(the_lab))
        time.sleep(3)
        return in_state(the_lab, "up") == set(paths(the_lab)) == before

    wait_for(stable, LIMIT, "paths that are up and stay")
    return set(paths(the_lab))


def affected_paths(the_lab, case):
    """The paths whose way there is through what fails: those that go down with
    it."""
    impairer = impair.Impairer(the_lab)
    failure = {"kind": "fail", "oneway": KINDS[case].get("oneway", False)}
    while True:
        before = settle(the_lab)
        impairer.add(impairment(the_lab, failure))
        wait_for(lambda: in_state(the_lab, "down"), 5, "paths down")
        time.sleep(0.5)
        affected = in_state(the_lab, "down")
        impairer.heal()
        if settle(the_lab) == before:
            return affected


def measure(args, the_lab, case, results):
    for h in the_lab.hosts():
        h.vsctl("set", "Fabric", "fab0",
                'probe:dscp="%s"' % ("0,46" if case == "class" else "0"))
    affected = affected_paths(the_lab, case)
    with Stream(the_lab, "h1-t1", "h2-t1",
                the_lab.topo.workload_addrs("h2")[4], FLOWS, LIMIT + 20,
                spacing=SPACING, size=1200):
        time.sleep(4)
        strange = in_state(the_lab, "degraded")
        if strange:
            raise LabError("%d paths are degraded before" % len(strange))
        impair.Impairer(the_lab).add(impairment(the_lab, KINDS[case]))
        start = time.monotonic()
        detected = wait_for(
            lambda: (in_state(the_lab, "degraded") & affected
                     and time.monotonic() - start), LIMIT, "detection")
        wait_for(lambda: not any(p["share_percent"] for name, p
                                 in paths(the_lab).items()
                                 if name in affected), LIMIT, "traffic moved")
        moved = time.monotonic() - start
        now = paths(the_lab)
        if not affected <= set(now):
            raise LabError("discovery has exchanged paths meanwhile")
    results.add(case, "detected", "s", "weft", detected)
    results.add(case, "moved", "s", "weft", moved)
    results.add(case, "mistaken", "paths", "weft",
                sum(not p["share_percent"] for name, p in now.items()
                    if name not in affected))


def run(args, results):
    cases = args.cases.split(",")
    for case in cases:
        if case not in KINDS:
            raise LabError("unknown case '%s' (one of %s)"
                           % (case, ", ".join(KINDS)))
    for rep in range(args.reps):
        for case in cases:
            print("repetition %d of %d: %s" % (rep + 1, args.reps, case),
                  flush=True)
            opts = dict(hosts=2, bindir=args.bindir, systems=["weft"],
                        probe_interval=args.interval, spines=args.spines,
                        encap=args.encap,
                        families=UNDERLAYS[args.underlay])
            try:
                with lab_up(args.lab, opts) as the_lab:
                    measure(args, the_lab, case, results)
            except LabError as e:
                results.problem("%s: %s" % (case, e))
