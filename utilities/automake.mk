# SPDX-License-Identifier: Apache-2.0
#
# One file a line, in the order of the names.
utilities_ovs_ofctl_SOURCES += weft/utilities/fabric-ofctl-glue.h
utilities_ovs_vsctl_SOURCES += weft/utilities/fabric-vsctl-check.c
utilities_ovs_vsctl_SOURCES += weft/utilities/fabric-vsctl-check.h
utilities_ovs_vsctl_SOURCES += weft/utilities/fabric-vsctl.c

# Commands of the tree, not installed.
EXTRA_DIST += weft/utilities/fabric-demo
EXTRA_DIST += weft/utilities/fabric-lab
EXTRA_DIST += weft/utilities/fabric-lab.8
EXTRA_DIST += weft/utilities/fabric_lab/__init__.py
EXTRA_DIST += weft/utilities/fabric_lab/cli.py
EXTRA_DIST += weft/utilities/fabric_lab/impair.py
EXTRA_DIST += weft/utilities/fabric_lab/lab.py
EXTRA_DIST += weft/utilities/fabric_lab/netns.py
EXTRA_DIST += weft/utilities/fabric_lab/stream.py
EXTRA_DIST += weft/utilities/fabric_lab/switch.py
EXTRA_DIST += weft/utilities/fabric_lab/topology.py
EXTRA_DIST += weft/utilities/fabric_lab/underlay.py

man_MANS += weft/utilities/fabric-vsctl.8
man_MANS += weft/utilities/weft-fabric.7
EXTRA_DIST += weft/utilities/fabric-vsctl.8
EXTRA_DIST += weft/utilities/weft-fabric.7
