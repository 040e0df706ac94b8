/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_REASON_H
#define FABRIC_KERN_REASON_H 1

/* Why the fast path leaves a packet to others.
 * ============================================
 *
 * Why packets that the programs could not deal with went on unchanged: to the
 * channel, or from the underlay to ovs-vswitchd's socket; and why they were
 * dropped where they were not whole any more.  One list feeds the enumeration,
 * the counters and what is shown of them.
 *
 * Included by the BPF programs, too. */

/* FABRIC_KERN_REASON(ENUMERATOR, name, what it means to an operator) */
#define FABRIC_KERN_HANDED_ON                                               \
    FABRIC_KERN_REASON(NO_FLOW, "no-flow",                                  \
                       "no flow that the kernel has matches")               \
    FABRIC_KERN_REASON(NOT_PARSED, "not-parsed",                            \
                       "fragment, option or protocol left to userspace")    \
    FABRIC_KERN_REASON(TAG, "tag",                                          \
                       "VLAN tag of a kind, or in a place, left to "        \
                       "userspace")                                         \
    FABRIC_KERN_REASON(NO_PATH, "no-path",                                  \
                       "endpoint is gone, or filters may cut it off")       \
    FABRIC_KERN_REASON(TOO_BIG, "too-big",                                  \
                       "does not fit on its path as it is")                 \
    FABRIC_KERN_REASON(COPIES, "copies",                                    \
                       "copied, and perhaps encapsulated by its sender")    \
    FABRIC_KERN_REASON(ENCAP, "encap-refused",                              \
                       "kernel refuses to encapsulate: encapsulated by its "\
                       "sender, or too long")                               \
    FABRIC_KERN_REASON(NO_MEMORY, "no-memory",                              \
                       "kernel has no memory for a changed copy")           \
    FABRIC_KERN_REASON(CUT, "cut",                                          \
                       "super-frame of more than 64 kB, cut in the kernel") \
    FABRIC_KERN_REASON(OUTER_IP, "outer-ip",                                \
                       "outer IP header that is left to the host to judge") \
    FABRIC_KERN_REASON(OUTER_LEN, "outer-length",                           \
                       "lengths of outer headers and packet differ")        \
    FABRIC_KERN_REASON(OUTER_CSUM, "outer-checksum",                        \
                       "outer UDP checksum not known to be right")          \
    FABRIC_KERN_REASON(RP_FILTER, "reverse-path",                           \
                       "reverse-path filter of the host's, to be asked")    \
    FABRIC_KERN_REASON(TUNNEL, "tunnel-header",                             \
                       "options or flags of VXLAN or Geneve")               \
    FABRIC_KERN_REASON(SOURCE, "unknown-source",                            \
                       "from an address that is not an endpoint's")         \
    FABRIC_KERN_REASON(CONTROL, "control",                                  \
                       "probes and BFD")                                    \
    FABRIC_KERN_REASON(SUPER_FRAME, "super-frame",                          \
                       "many packets in one, not of one inner TCP stream")  \
    FABRIC_KERN_REASON(CONGESTION, "congestion",                            \
                       "marked as congested, but is not ECN-capable")       \
    FABRIC_KERN_REASON(FAMILY, "other-family",                              \
                       "IPv6 inside IPv4, or the reverse, before Linux 6.3")\
    FABRIC_KERN_REASON(DECAP, "decap-refused",                              \
                       "kernel refuses to decapsulate")

#define FABRIC_KERN_DROPPED                                                 \
    FABRIC_KERN_REASON(CHANGE, "kern-change",                               \
                       "kernel could not finish a change to the packet")    \
    FABRIC_KERN_REASON(CHANNEL, "kern-channel",                             \
                       "kernel could not hand the packet to userspace")

enum fabric_kern_reason {
#define FABRIC_KERN_REASON(ENUM, NAME, HELP) FABRIC_KERN_REASON_##ENUM,
    FABRIC_KERN_HANDED_ON
    FABRIC_KERN_DROPPED
#undef FABRIC_KERN_REASON
    FABRIC_KERN_N_REASONS
};

#endif /* fabric-kern-reason.h */
