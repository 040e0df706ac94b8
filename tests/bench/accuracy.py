# SPDX-License-Identifier: Apache-2.0
"""How true what probes measure is: against relays (fabric-relay) in both
uplinks of a host, whose delay and loss are known."""

import json
import os
import re
import statistics
import time

from fabric_lab import LabError, impair
from fabric_lab.stream import wait_for
from peers import lab_up

DELAY = 1000                    # us, each way.
INTERVAL = 5                    # ms, of probes.
WINDOW = 20                     # s.
N_PATHS = 16
CASES = {
    "rtt": {"delay": DELAY, "spin": 200},
    "loss-1": {"loss": 1},
    "loss-5": {"loss": 5},
}


def healths(the_lab):
    out = the_lab.host("h1").run(["ovs-appctl", "--format", "json",
                                  "fabric/health"]).stdout
    return json.loads(out)


def answering(the_lab):
    """Do all paths answer, whatever else is wrong with them?"""
    rows = healths(the_lab)
    return (len(rows) == N_PATHS
            and all(row["state"] in ("up", "degraded") for row in rows))


def losses_known(the_lab):
    """The paths, if it is known of each what it loses: not while it is down,
    as a path is at times that loses one packet in 20."""
    rows = healths(the_lab)
    return all("loss_there_ppm" in row for row in rows) and rows


def relayed(the_lab, oneway, knobs):
    """Puts relays with 'knobs' into the uplinks of host 1, in what it sends
    only if 'oneway'."""
    impairer = impair.Impairer(the_lab)
    for link in the_lab.topo.uplinks_of("h1"):
        name = "link:h1:%s" % link.peer("h1").node
        impairer.add(dict(impair.canonical(the_lab.topo, name, oneway),
                          kind="delay", relay=knobs))
    return impairer


def lost_by_relays(the_lab):
    """Share of the frames from host 1 that the relays, which have ended,
    lost."""
    received = lost = 0
    for name in os.listdir(the_lab.dir):
        if name.startswith("relay-") and name.endswith(".log"):
            with open(os.path.join(the_lab.dir, name)) as f:
                for line in f:
                    counts = dict(re.findall(r"(\w+)=(\d+)", line))
                    if int(counts.get("lost", 0)):
                        received += int(counts["received"])
                        lost += int(counts["lost"])
    if not lost:
        raise LabError("the relays lost nothing")
    return lost / received


def measure_rtt(the_lab, results, case):
    base = []
    for row in healths(the_lab):
        base.append(row["rtt_smoothed_us"])
    relayed(the_lab, False, CASES[case])
    wait_for(lambda: answering(the_lab), 20, "all paths up again")
    time.sleep(3)
    errors = []
    for _ in range(50):
        errors += [row["rtt_smoothed_us"] - 2 * DELAY
                   for row in healths(the_lab)]
        time.sleep(0.1)
    results.add(case, "without-relay", "us", "weft", statistics.median(base))
    results.add(case, "error", "us", "weft", statistics.median(errors))
    results.add(case, "error-p90", "us", "weft",
                statistics.quantiles([abs(e) for e in errors], n=10)[-1])


def measure_loss(the_lab, results, case):
    impairer = relayed(the_lab, True, CASES[case])
    wait_for(lambda: answering(the_lab), 20, "all paths up again")
    time.sleep(WINDOW + 3)
    rows = wait_for(lambda: losses_known(the_lab), 20, "losses on all paths")
    impairer.heal()
    true = 100 * lost_by_relays(the_lab)
    there = [row["loss_there_ppm"] / 10000 for row in rows]
    back = [row["loss_back_ppm"] / 10000 for row in rows]
    either = [row["loss_ppm"] / 10000 for row in rows]
    for name, value in (
            ("true", true), ("reported", statistics.mean(there)),
            ("error", abs(statistics.mean(there) - true)),
            ("error-back", statistics.mean(back)),
            ("error-either", abs(statistics.mean(either) - true)),
            ("error-of-one-path", statistics.median(abs(t - true)
                                                    for t in there))):
        results.add(case, name, "pp", "weft", value)


def run_case(args, results, case):
    opts = dict(hosts=2, bindir=args.bindir, systems=["weft"],
                probe_interval=INTERVAL)
    with lab_up(args.lab, opts) as the_lab:
        for host in the_lab.hosts():
            host.vsctl("set", "Fabric", "fab0",
                       "probe:window=%d" % (1000 * WINDOW))
        wait_for(lambda: answering(the_lab), 20, "%d paths up" % N_PATHS)
        time.sleep(2)
        (measure_rtt if case == "rtt" else measure_loss)(the_lab, results,
                                                         case)
