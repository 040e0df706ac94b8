# SPDX-License-Identifier: Apache-2.0
"""What established flows lose while ovs-vswitchd is killed and comes back.

Two hosts wired back to back, and flows of a packet each 50 ms, every one with
a rule of its own.  In the middle ovs-vswitchd of the sender is killed with
signal 9 and started again as ovs-ctl does: with flow-restore-wait, until the
rules are there again.

lost            packets lost by all flows
silence         the longest time in which a flow lost packets"""

import os
import signal

from fabric_lab import LabError, netns
from fabric_lab.stream import Stream, wait_for
from failover import SETUPS, add_rules, cached_flows
from peers import SYSTEMS, lab_up

OURS = "weft"
SPACING = 50.0
SECONDS = 12
SETTLED = 3                     # Seconds of the stream before the kill.


def add_options(parser):
    parser.add_argument("--reps", type=int, default=3,
                        help="repetitions (default: 3)")
    parser.add_argument("--cases", default="1000",
                        help="numbers of flows (default: 1000)")
    parser.add_argument("--systems", default="weft,weft-userspace",
                        help="default: weft,weft-userspace")


def restart(host):
    """Kills ovs-vswitchd of 'host' and starts it again."""
    rules = host.run(["ovs-ofctl", "-O", "OpenFlow15", "dump-flows",
                      "--no-stats", "br-int"]).stdout
    pid = host.daemons()["ovs-vswitchd"]
    os.kill(pid, signal.SIGKILL)
    netns.wait_exit([pid], 5)
    host.vsctl("--no-wait", "set", "Open_vSwitch", ".",
               "other_config:flow-restore-wait=true")
    host.start_vswitchd()
    wait_for(lambda: host.run(["ovs-ofctl", "show", "br-int"],
                              check=False).returncode == 0, 10, "br-int")
    host.run(["ovs-ofctl", "-O", "OpenFlow15", "add-flows", "br-int", "-"],
             stdin=rules)
    host.vsctl("remove", "Open_vSwitch", ".", "other_config",
               "flow-restore-wait")


def measure(the_lab, system, n_flows, results):
    host = the_lab.host("h1")
    add_rules(the_lab, n_flows, SETUPS["weft"][2])
    the_lab.wait_ready(20)
    with Stream(the_lab, "h1-t1", "h2-t1",
                the_lab.topo.workload_addrs("h2")[4], n_flows, SECONDS,
                spacing=SPACING) as stream:
        wait_for(lambda: cached_flows(host) >= n_flows, SETTLED,
                 "%d datapath flows" % n_flows)
        restart(host)
        report = stream.report()
    if not report["ended"]:
        raise LabError("%s: the stream did not end" % system)
    case = str(n_flows)
    results.add(case, "lost", "packets", system,
                sum(f["lost"] for f in report["flows"]))
    results.add(case, "silence", "ms", system,
                max(f["hole"] for f in report["flows"]))


def run(args, results):
    try:
        cases = [int(case) for case in args.cases.split(",")]
    except ValueError:
        raise LabError("--cases: '%s' is not a list of numbers" % args.cases)
    systems = args.systems.split(",")
    for system in systems:
        if not system.startswith("weft") or system not in SYSTEMS:
            raise LabError("unknown system '%s'" % system)
    for rep in range(args.reps):
        for case in cases:
            for system in systems:
                print("repetition %d of %d: %s, %d flows"
                      % (rep + 1, args.reps, system, case), flush=True)
                opts = dict(hosts=2, leaves=0, bindir=args.bindir,
                            **SYSTEMS[system])
                try:
                    with lab_up(args.lab, opts) as the_lab:
                        measure(the_lab, system, case, results)
                except LabError as e:
                    results.problem("%s, %d flows: %s" % (system, case, e))
