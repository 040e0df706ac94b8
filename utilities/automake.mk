# SPDX-License-Identifier: Apache-2.0
#
# One file a line, in the order of the names.
utilities_ovs_vsctl_SOURCES +=
