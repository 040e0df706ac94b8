# SPDX-License-Identifier: Apache-2.0
"""What probing costs.

A case ENDPOINTSxPATHS is a fabric with that many endpoints, and one program
that answers for all of them from a namespace of its own.  With "-idle" behind
it nothing is ever sent to the endpoints, which are probed slowly once that has
been noticed; otherwise they are probed at the full rate.

cpu             of a core, by the thread that probes.  Here it also does the
                kernel's work of receiving at the other end of the veth pair.
cpu-all         likewise, by the whole of ovs-vswitchd
rate            probes per second that were answered
lost            share of the probes that were not
memory          bytes of ovs-vswitchd for each path

The cases rtt, loss-1 and loss-5 are about what probes tell: two hosts with 16
paths, and relays in them that delay by 1 ms each way, or lose 1 % or 5 % of
what one host sends.

error               of the RTT (smoothed), median of all paths; of the loss
                    on the way there, all paths together, against what the
                    relays counted (percentage points)
error-p90           90 % of the absolute errors of RTTs are smaller
error-back          loss told of the way on which nothing was lost
error-either        of the loss that does not tell the way
error-of-one-path   median of the absolute errors of single paths, which have
                    a sample of 4,000 probes each"""

import os
import time

import accuracy
from fabric_lab import LabError, netns, switch
from fabric_lab.stream import popen, wait_for
from peers import lab_up

OURS = "weft"
PREFIX = "10.64.0.0/14"
BATCH = 500                     # Endpoints in one command.
CASES = "1000x8,10000x4-idle,rtt,loss-1,loss-5"


def add_options(parser):
    parser.add_argument("--reps", type=int, default=1,
                        help="repetitions (default: 1)")
    parser.add_argument("--cases", default=CASES, help="default: " + CASES)
    parser.add_argument("--interval", type=int, default=100,
                        help="of probes, ms (default: 100)")
    parser.add_argument("--seconds", type=float, default=10,
                        help="of each measurement (default: 10)")


def parse_case(case):
    try:
        n, paths = case.replace("-idle", "").split("x")
        return int(n), int(paths), case.endswith("-idle")
    except ValueError:
        raise LabError("case '%s' is not ENDPOINTSxPATHS[-idle]" % case)


def address(i):
    return "10.%d.%d.%d" % (64 + i // 50000, i // 250 % 200, i % 250 + 1)


def start_peers(the_lab):
    """Has host 2 answer for every address of the prefix."""
    dev = the_lab.topo.uplinks_of("h1")[0].end("h1").dev
    via = the_lab.topo.uplink_addrs("h2")[0]
    netns.ns_run(the_lab.name, "h1",
                 ["ip", "route", "add", PREFIX, "via", via, "dev", dev])
    netns.ns_run(the_lab.name, "h2",
                 ["ip", "route", "add", "local", PREFIX, "dev", "lo"])
    tool = switch.find_tool("fabric-peers", the_lab.topo.opts["bindir"])
    peers = popen(the_lab, "h2", [tool])
    if peers.stderr.readline() != "ready\n":
        raise LabError("fabric-peers does not run in h2")
    return peers


def add_fabric(the_lab, host, n, paths, idle, interval):
    idle_after = 1000 if idle else 86400000
    host.vsctl("add-br", "br-int", "--", "set", "bridge", "br-int",
               "datapath_type=netdev", "--", "add-fabric", "br-int", "fab0",
               "local_ips=" + the_lab.topo.uplink_addrs("h1")[0],
               "paths_per_remote=%d" % paths, "probe:interval=%d" % interval,
               "probe:idle_after=%d" % idle_after)
    for first in range(0, n, BATCH):
        args = []
        for i in range(first, min(n, first + BATCH)):
            args += ["--", "add-endpoint", "fab0", "e%d" % i, address(i)]
        host.vsctl("--no-wait", *args[1:])


def coverage(host, counter):
    out = host.run(["ovs-appctl", "coverage/read-counter", counter]).stdout
    return int(out)


def cpu_seconds(pid, thread=None):
    """CPU time of a process, or of its threads of one name."""
    total = 0
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/stat" % (pid, task)) as f:
            text = f.read()
        name = text[text.index("(") + 1:text.rindex(")")]
        fields = text[text.rindex(")") + 2:].split()
        if thread is None or name.startswith(thread):
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def memory(pid):
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024


def sample(host, pid):
    return {"time": time.monotonic(),
            "cpu": cpu_seconds(pid, "fabric_prober"),
            "cpu-all": cpu_seconds(pid),
            "sent": coverage(host, "fabric_probe_sent"),
            "answered": coverage(host, "fabric_probe_answered")}


def settled(the_lab, n_paths):
    """Are all paths up?"""
    out = the_lab.host("h1").run(["ovs-appctl", "fabric/show"]).stdout
    return "(%d up)" % n_paths in out


def measure(args, the_lab, case, results):
    n, paths, idle = parse_case(case)
    host = the_lab.host("h1")
    pid = host.daemons()["ovs-vswitchd"]
    before = memory(pid)
    peers = start_peers(the_lab)
    try:
        add_fabric(the_lab, host, n, paths, idle, args.interval)
        wait_for(lambda: settled(the_lab, n * paths), 120, "all paths up")
        if idle:
            wait_for(lambda: coverage(host, "fabric_endpoint_idle") >= n, 60,
                     "idle endpoints")
        time.sleep(2)
        start = sample(host, pid)
        time.sleep(args.seconds)
        end = sample(host, pid)
    finally:
        peers.kill()
        peers.communicate()
    seconds = end["time"] - start["time"]
    sent = end["sent"] - start["sent"]
    answered = end["answered"] - start["answered"]
    for name in ("cpu", "cpu-all"):
        results.add(case, name, "%", "weft",
                    100 * (end[name] - start[name]) / seconds)
    results.add(case, "rate", "1/s", "weft", answered / seconds)
    results.add(case, "lost", "%", "weft",
                100 * max(0, sent - answered) / max(sent, 1))
    results.add(case, "memory", "bytes", "weft",
                (memory(pid) - before) / (n * paths))


def run_case(args, results, case):
    if case in accuracy.CASES:
        accuracy.run_case(args, results, case)
        return
    opts = dict(hosts=2, leaves=0, tenants=0, bindir=args.bindir,
                systems=["weft", "kernel-vxlan"])
    with lab_up(args.lab, opts) as the_lab:
        measure(args, the_lab, case, results)


def run(args, results):
    cases = args.cases.split(",")
    for case in cases:
        if case not in accuracy.CASES:
            parse_case(case)
    for rep in range(args.reps):
        for case in cases:
            print("repetition %d of %d: %s" % (rep + 1, args.reps, case),
                  flush=True)
            try:
                run_case(args, results, case)
            except LabError as e:
                results.problem("%s: %s" % (case, e))
