# SPDX-License-Identifier: Apache-2.0
"""Throughput and its cost between two hosts wired back to back.

tcp-1, tcp-8    iperf3 with 1 and 8 streams: throughput at the receiver, and
                CPU seconds of the whole machine, iperf3's included, for each
                GB received
udp-64          64-byte UDP payloads of one flow as fast as the sender can:
                packets received per second
rr              one byte there and one back over TCP, again and again

The systems take turns, each in a lab of its own that is alone on the machine,
and each repetition runs all of them.  What is counted is what a receiver
received and, for UDP, recognised as ours."""

import json
import math
import os

from fabric_lab import LabError, netns, switch
from fabric_lab.stream import Stream, iperf_server, popen
from peers import SYSTEMS, end_points, lab_up

OURS = "weft"


def add_options(parser):
    parser.add_argument("--reps", type=int, default=5,
                        help="repetitions (default: 5)")
    parser.add_argument("--seconds", type=float, default=3,
                        help="of each measurement, rounded up for TCP "
                        "(default: 3)")
    parser.add_argument("--systems", default=",".join(SYSTEMS),
                        help="default: " + ",".join(SYSTEMS))
    parser.add_argument("--cases", default=",".join(CASES),
                        help="default: " + ",".join(CASES))
    parser.add_argument("--ipv6", action="store_true",
                        help="an IPv6 underlay")
    parser.add_argument("--mtu", type=int, default=1500,
                        help="of the underlay (default: 1500)")


def busy_seconds():
    """CPU time the machine has spent on anything since it started."""
    with open("/proc/stat") as f:
        user, nice, system, _, _, irq, softirq = map(
            int, f.readline().split()[1:8])
    return ((user + nice + system + irq + softirq)
            / os.sysconf("SC_CLK_TCK"))


def tcp(case, streams):
    def measure(the_lab, args, system, results):
        client, server, address = end_points(the_lab)
        with iperf_server(the_lab, server):
            before = busy_seconds()
            done = netns.ns_run(the_lab.name, client, [
                "iperf3", "-J", "-c", address, "-P", str(streams),
                "-t", "%d" % math.ceil(args.seconds)], check=False,
                timeout=args.seconds + 20)
            cpu = busy_seconds() - before
        try:
            end = json.loads(done.stdout)["end"]["sum_received"]
            received = end["bytes"]
        except (ValueError, KeyError):
            raise LabError("%s, %s: iperf3 failed" % (system, case))
        if end["seconds"] < args.seconds * 0.9 or not received:
            raise LabError("%s, %s: %d bytes in %.1f s" % (
                system, case, received, end["seconds"]))
        results.add(case, "throughput", "Gbit/s", system,
                    received * 8 / end["seconds"] / 1e9)
        results.add(case, "cpu", "s/GB", system, cpu / (received / 1e9))
    return measure


def udp_64(the_lab, args, system, results):
    sender, receiver, address = end_points(the_lab)
    with Stream(the_lab, sender, receiver, address, 1, args.seconds,
                spacing=0, size=64) as stream:
        report = stream.report()
    if (not report["packets"] or report["strangers"]
            or report["bytes"] != 64 * report["packets"]):
        raise LabError("%s, udp-64: %d packets with %d bytes, %d strange"
                       % (system, report["packets"], report["bytes"],
                          report["strangers"]))
    results.add("udp-64", "rate", "kpps", system,
                report["packets"] / args.seconds / 1000)


def rr(the_lab, args, system, results):
    client, server, address = end_points(the_lab)
    tool = switch.find_tool("fabric-rr", the_lab.topo.opts["bindir"])
    serving = popen(the_lab, server, [tool, "serve"])
    try:
        if serving.stderr.readline() != "ready\n":
            raise LabError("fabric-rr does not run in " + server)
        out = netns.ns_run(the_lab.name, client, [
            tool, "measure", address, "%g" % args.seconds]).stdout
    finally:
        serving.kill()
        serving.communicate()
    rate, median, p99 = map(float, out.split())
    results.add("rr", "rate", "1/s", system, rate)
    results.add("rr", "median", "us", system, median)
    results.add("rr", "p99", "us", system, p99)


CASES = {"tcp-1": tcp("tcp-1", 1), "tcp-8": tcp("tcp-8", 8),
         "udp-64": udp_64, "rr": rr}


def run(args, results):
    netns.need(("iperf3", "iperf3"))
    chosen = {}
    for kind, text, known in (("system", args.systems, SYSTEMS),
                              ("case", args.cases, CASES)):
        chosen[kind] = text.split(",")
        for name in chosen[kind]:
            if name not in known:
                raise LabError("unknown %s '%s' (one of %s)"
                               % (kind, name, ", ".join(known)))
    broken = set()
    for rep in range(args.reps):
        for system in chosen["system"]:
            if system in broken:
                continue
            print("repetition %d of %d: %s" % (rep + 1, args.reps, system),
                  flush=True)
            opts = dict(hosts=2, leaves=0, mtu=args.mtu, bindir=args.bindir,
                        families=[6 if args.ipv6 else 4], **SYSTEMS[system])
            try:
                with lab_up(args.lab, opts) as the_lab:
                    for case in chosen["case"]:
                        CASES[case](the_lab, args, system, results)
            except LabError as e:
                results.problem("%s: %s" % (system, e))
                broken.add(system)
