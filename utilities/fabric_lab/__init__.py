# SPDX-License-Identifier: Apache-2.0
"""The parts of fabric-lab, one noun to a file.

topology    what a lab consists of: nodes, links, addresses (no side effects)
netns       commands in network namespaces, and their removal
underlay    kernel routers: addresses, policy routing, ECMP
switch      the virtual switch of one host: daemons, tunnels, flows
impair      failures, loss, rate, delay, and their removal
lab         a whole lab: up, down, status; its state and its lock
stream      traffic between workloads, and where it goes
cli         the command line

Each file uses only the ones above it.
"""


class LabError(Exception):
    """Something the user can understand and act upon, in one line."""
