# SPDX-License-Identifier: Apache-2.0
"""The systems that benches compare, and labs that run them."""

import contextlib

from fabric_lab import lab

# What a system is called in results, and the lab's options for it.  raw-veth
# is the hosts themselves and one veth pair between them; the others have a
# workload on each host, behind a veth pair of its own, which in bridged-veth
# a bridge joins to the same wire without any tunnel.
SYSTEMS = {
    "weft": {"systems": ["weft"]},
    "weft-userspace": {"systems": ["weft"], "fast_path": False},
    "raw-veth": {"systems": ["raw"], "tenants": 0, "tso": False},
    "bridged-veth": {"systems": ["bridged"], "tso": False},
    "kernel-vxlan": {"systems": ["kernel-vxlan"], "tso": False},
    "ovs": {"systems": ["ovs"], "tso": False},
    "ovs-tso": {"systems": ["ovs"], "tso": True},
    "ovs-afxdp": {"systems": ["ovs-afxdp"], "tso": False},
}


@contextlib.contextmanager
def lab_up(name, opts):
    """A lab with 'opts' that is up for as long as the context."""
    the_lab = lab.Lab(name)
    with the_lab.lock():
        try:
            the_lab.up(opts)
            the_lab.wait_ready(30)
            yield the_lab
        finally:
            if the_lab.replaced:
                the_lab.down()


def end_points(the_lab):
    """(node that sends, node that receives, its address): workloads on hosts
    1 and 2, or these hosts themselves where there is no overlay."""
    topo = the_lab.topo
    if not topo.tenants:
        return "h1", "h2", topo.uplink_addrs("h2")[0]
    return "h1-t1", "h2-t1", topo.workload_addrs("h2")[4]
