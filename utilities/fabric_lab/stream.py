# SPDX-License-Identifier: Apache-2.0
"""Traffic between workloads, and where in the underlay it goes.

A Stream is many UDP flows made by fabric-stream.  A Watch counts, on a router,
the tunnelled packets of each flow, so that one knows beforehand which flows a
failure will hit.
"""

import contextlib
import json
import re
import subprocess
import time

from . import LabError, netns, switch, underlay

SOURCE_PORT = 10000             # Of flow 0, as in fabric-stream.
TABLE = "fabric_watch"


def popen(lab, node, args):
    return subprocess.Popen(netns.ns_args(lab.name, node) + args, text=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


@contextlib.contextmanager
def iperf_server(lab, node):
    """An iperf3 server for one test."""
    server = popen(lab, node, ["iperf3", "-s", "-1", "--forceflush"])
    try:
        while "listening" not in server.stdout.readline():
            if server.poll() is not None:
                raise LabError("iperf3 does not run in " + node)
        yield
    finally:
        server.kill()
        server.communicate()


class Stream:
    """'flows' flows, a packet each 'spacing' ms, for 'seconds', and
    'background' flows more, a packet each 'background_spacing' ms."""

    def __init__(self, lab, sender, receiver, address, flows, seconds,
                 spacing=1.0, background=0, background_spacing=5000, size=24):
        tool = switch.find_tool("fabric-stream", lab.topo.opts["bindir"])
        self.seconds = seconds
        both = ["--flows=%d" % flows, "--background=%d" % background]
        self.receiver = popen(lab, receiver, [tool, "receive", "--json",
                                              "--timeout=%d" % (seconds + 10)]
                              + both)
        if self.receiver.stderr.readline() != "ready\n":
            raise LabError("fabric-stream does not run in %s" % receiver)
        self.sender = popen(lab, sender, [
            tool, "send", "--interval=%g" % spacing, "--size=%d" % size,
            "--background-interval=%g" % background_spacing,
            "--duration=%g" % seconds, "--source-port=%d" % SOURCE_PORT,
            address] + both)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for process in (self.sender, self.receiver):
            process.kill()
            process.communicate()

    def report(self):
        """Waits for the end.  Returns what the receiver found."""
        try:
            _, errors = self.sender.communicate(timeout=self.seconds + 10)
            if self.sender.returncode:
                raise LabError(errors.strip())
            out, errors = self.receiver.communicate(timeout=20)
            return json.loads(out)
        except subprocess.TimeoutExpired:
            raise LabError("fabric-stream does not end")
        except ValueError:
            raise LabError("fabric-stream failed: " + errors.strip())


class Watch:
    """Counts the packets of 'flows' flows of a Stream on some routers, until
    the end of the context.

    The inner source port is 50 bytes into the outer UDP header: UDP, VXLAN or
    option-less Geneve, Ethernet and IPv4 headers.  Meanwhile hosts segment
    what they send, since packets of several flows may travel as one."""

    def __init__(self, lab, routers, flows):
        self.lab = lab
        self.routers = routers
        self.rules = ["table inet %s {" % TABLE, "chain c {",
                      "type filter hook prerouting priority -320;"]
        self.rules += ["meta l4proto udp @th,400,16 %d counter comment "
                       "\"flow %d\"" % (SOURCE_PORT + flow, flow)
                       for flow in range(flows)]
        self.rules += ["}", "}"]

    def __enter__(self):
        underlay.segment_early(self.lab.topo, self.lab.name, True)
        for router in self.routers:
            netns.ns_run(self.lab.name, router, ["nft", "-f", "-"],
                         stdin="\n".join(self.rules) + "\n")
        return self

    def __exit__(self, *exc):
        underlay.segment_early(self.lab.topo, self.lab.name, False)
        for router in self.routers:
            netns.ns_run(self.lab.name, router,
                         ["nft", "delete", "table", "inet", TABLE])

    def seen(self, router):
        """The set of flows that crossed 'router' so far."""
        out = netns.ns_run(self.lab.name, router,
                           ["nft", "list", "table", "inet", TABLE]).stdout
        found = re.findall(r'packets (\d+) .*comment "flow (\d+)"', out)
        return {int(flow) for packets, flow in found if int(packets)}


def wait_for(condition, timeout, what):
    """Polls 'condition' until it is true, which it returns."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise LabError("%s: not within %d s" % (what, timeout))
        time.sleep(0.05)
