/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFP_FABRIC_MSG_H
#define OFP_FABRIC_MSG_H 1

/* OpenFlow messages of the fabric: wire format and text.
 * ======================================================
 *
 * Experimenter messages of WEFT_VENDOR_ID, in all versions of OpenFlow:
 *
 *     OFPRAW_WEFTT_FABRIC_MONITOR         controller subscribes to
 *     OFPRAW_WEFTT_PATH_STATUS            what the switch tells of paths
 *     OFPRAW_WEFTST_FABRIC_PATHS_REQUEST  state and statistics of paths
 *     OFPRAW_WEFTST_FABRIC_PATHS_REPLY
 *
 * Every body is a fixed part and properties (type, length, value), padded with
 * zeros to a multiple of 8 bytes; see Documentation/topics/fabric-openflow.rst
 * for the layout.  Statistics are properties of their own, so that there can
 * be more of them later: receivers skip types that they do not know, and what
 * was not measured is absent.
 *
 * Decoding checks every length before it reads.  Requests are decoded
 * strictly.  The errors are:
 *
 *     OFPBRC_BAD_LEN         the message or a record in it is cut off
 *     OFPBRC_BAD_PORT        a number that no port can have
 *     OFPMOFC_BAD_FLAGS      unknown events or flags
 *     OFPBPC_BAD_LEN         a property does not fit its length
 *     OFPBPC_BAD_TYPE        unknown property in a request
 *     OFPBPC_DUP_TYPE        property given twice
 *     OFPBPC_BAD_VALUE       value out of range
 *     OFPBPC_TOO_MANY        too many thresholds
 *     NXBRC_BAD_REASON       unknown reason in PATH_STATUS
 *     NXBRC_MUST_BE_ZERO     reserved bytes or padding not zero
 *
 * Thread-safety: pure functions, any thread. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fabric-types.h"
#include "openvswitch/compiler.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/types.h"

struct ds;
struct fabric_path_info;
struct ofp_header;
struct ofpbuf;
struct ofputil_port_map;
struct ovs_list;

/* Statistics of a path: (enumerator, type on the wire, name with unit, value
 * from 'const struct fabric_path_info *info', negative if it is absent).
 *
 * Types are below FABRIC_MSG_PROP_NAME and never used again: append only. */
#define FABRIC_MSG_STATS                                                    \
    FABRIC_MSG_STAT(AGE, 1, "age_ms", time_msec() - info->last_change)      \
    FABRIC_MSG_STAT(SHARE, 2, "share_ppm", info->total_slots                \
                    ? info->n_slots * 1000000LL / info->total_slots : 0)    \
    FABRIC_MSG_STAT(TX_PACKETS, 3, "tx_packets", info->tx_packets)          \
    FABRIC_MSG_STAT(TX_BYTES, 4, "tx_bytes", info->tx_bytes)                \
    FABRIC_MSG_STAT(PROBE_TX, 5, "probe_tx", info->probe_tx)                \
    FABRIC_MSG_STAT(PROBE_RX, 6, "probe_rx", info->probe_rx)                \
    FABRIC_MSG_STAT(PROBE_LOST, 7, "probe_lost", info->probe_lost)          \
    FABRIC_MSG_STAT(N_DOWN, 8, "n_down", info->n_down)                      \
    FABRIC_MSG_STAT(RTT, 9, "rtt_us", info->rtt_us)                         \
    FABRIC_MSG_STAT(RTT_MIN, 10, "rtt_min_us", info->rtt_min_us)            \
    FABRIC_MSG_STAT(RTT_SMOOTHED, 11, "rtt_smoothed_us",                    \
                    info->rtt_smoothed_us)                                  \
    FABRIC_MSG_STAT(RTT_P99, 12, "rtt_p99_us", info->health.rtt_p99)        \
    FABRIC_MSG_STAT(JITTER, 13, "jitter_us", info->health.jitter)           \
    FABRIC_MSG_STAT(LOSS, 14, "loss_ppm", info->health.loss)                \
    FABRIC_MSG_STAT(LOSS_THERE, 15, "loss_there_ppm",                       \
                    info->health.loss_way[FABRIC_WAY_THERE])                \
    FABRIC_MSG_STAT(LOSS_BACK, 16, "loss_back_ppm",                         \
                    info->health.loss_way[FABRIC_WAY_BACK])                 \
    FABRIC_MSG_STAT(LOSS_LARGE, 17, "loss_large_ppm",                       \
                    info->health.loss_large)                                \
    FABRIC_MSG_STAT(DATA_LOSS_THERE, 18, "data_loss_there_ppm",             \
                    info->health.data_loss[FABRIC_WAY_THERE])               \
    FABRIC_MSG_STAT(DATA_LOSS_BACK, 19, "data_loss_back_ppm",               \
                    info->health.data_loss[FABRIC_WAY_BACK])                \
    FABRIC_MSG_STAT(REORDERED, 20, "reordered_ppm", info->health.reordered) \
    FABRIC_MSG_STAT(CE_THERE, 21, "ce_there_ppm",                           \
                    info->health.ce[FABRIC_WAY_THERE])                      \
    FABRIC_MSG_STAT(CE_BACK, 22, "ce_back_ppm",                             \
                    info->health.ce[FABRIC_WAY_BACK])                       \
    FABRIC_MSG_STAT(N_DEGRADED, 23, "n_degraded", info->health.n_degraded)  \
    FABRIC_MSG_STAT(UPTIME, 24, "uptime_ms", info->health.uptime)           \
    FABRIC_MSG_STAT(RX_PACKETS, 25, "rx_packets", info->rx_packets)         \
    FABRIC_MSG_STAT(RX_BYTES, 26, "rx_bytes", info->rx_bytes)               \
    FABRIC_MSG_STAT(WEIGHT, 27, "weight_ppm",                               \
                    info->weight * 1000000LL / FABRIC_TABLE_FULL_WEIGHT)    \
    FABRIC_MSG_STAT(MTU, 28, "mtu", info->mtu ? (int64_t) info->mtu : -1)

enum fabric_msg_stat {
#define FABRIC_MSG_STAT(ENUM, TYPE, NAME, VALUE) FABRIC_MSG_STAT_##ENUM,
    FABRIC_MSG_STATS
#undef FABRIC_MSG_STAT
    FABRIC_MSG_N_STATS
};

/* Types of other properties. */
#define FABRIC_MSG_PROP_NAME 0x8000     /* Name of the endpoint. */
#define FABRIC_MSG_PROP_THRESHOLD 0x8001
#define FABRIC_MSG_PROP_DEGRADED 0x8002 /* Why the path is degraded. */
#define FABRIC_MSG_PROP_HOPS 0x8003     /* Routers on the path. */

/* Why a PATH_STATUS is sent: (enumerator, number on the wire, name, event that
 * asks for it). */
#define FABRIC_MSG_REASONS                                              \
    FABRIC_MSG_REASON(INITIAL, 0, "initial", 0)                         \
    FABRIC_MSG_REASON(ADDED, 1, "added", FABRIC_MSG_PATHS)              \
    FABRIC_MSG_REASON(REMOVED, 2, "removed", FABRIC_MSG_PATHS)          \
    FABRIC_MSG_REASON(STATE, 3, "state", FABRIC_MSG_STATES)             \
    FABRIC_MSG_REASON(THRESHOLD, 4, "threshold", FABRIC_MSG_THRESHOLDS) \
    FABRIC_MSG_REASON(SYNCED, 5, "synced", 0)                           \
    FABRIC_MSG_REASON(RESTART, 6, "restart", 0)

enum fabric_msg_reason {
#define FABRIC_MSG_REASON(ENUM, NUMBER, NAME, EVENT) \
    FABRIC_MSG_##ENUM = NUMBER,
    FABRIC_MSG_REASONS
#undef FABRIC_MSG_REASON
};

/* What a subscription asks for: bits of 'events'. */
#define FABRIC_MSG_PATHS (1u << 0)      /* Paths are added and removed. */
#define FABRIC_MSG_STATES (1u << 1)     /* Paths change state. */
#define FABRIC_MSG_THRESHOLDS (1u << 2) /* Statistics cross thresholds. */
#define FABRIC_MSG_EVENTS \
    (FABRIC_MSG_PATHS | FABRIC_MSG_STATES | FABRIC_MSG_THRESHOLDS)

/* Bits of 'flags'. */
#define FABRIC_MSG_WANT_INITIAL (1u << 0)   /* All paths as they are, first. */
#define FABRIC_MSG_FLAGS FABRIC_MSG_WANT_INITIAL

/* A statistic that is told of when it reaches 'rise', and again when it has
 * fallen below 'fall', which is 1...'rise'. */
struct fabric_msg_threshold {
    enum fabric_msg_stat stat;
    bool above;                 /* In PATH_STATUS: reached, or fallen? */
    uint64_t rise, fall;
};
#define FABRIC_MSG_MAX_THRESHOLDS 8

/* FABRIC_MONITOR, which replaces the connection's subscription. */
struct fabric_msg_monitor {
    ofp_port_t port;            /* Of one fabric, or OFPP_ANY. */
    uint16_t events;            /* 0: no subscription any more. */
    uint16_t flags;
    uint32_t rate;              /* Messages a second at most, not 0. */
    struct fabric_msg_threshold thresholds[FABRIC_MSG_MAX_THRESHOLDS];
    size_t n_thresholds;
};
#define FABRIC_MSG_DEFAULT_RATE 1000
#define FABRIC_MSG_MAX_RATE 1000000

/* State of a path on the wire: 0 if there is no such path, otherwise 1 + enum
 * fabric_path_state. */
#define FABRIC_MSG_NO_PATH 0
#define FABRIC_MSG_STATE(STATE) ((STATE) + 1)

/* Absent statistic. */
#define FABRIC_MSG_ABSENT UINT64_MAX

/* One path. */
struct fabric_msg_path {
    ofp_port_t port;            /* The fabric's. */
    uint32_t endpoint;          /* ID. */
    const char *name;           /* Endpoint's name, */
    size_t name_len;            /* without a null at the end. */
    struct in6_addr local_ip, remote_ip;
    uint16_t src_port;          /* Host byte order. */
    uint8_t state;              /* FABRIC_MSG_STATE(). */
    uint8_t old_state;          /* Likewise, in PATH_STATUS. */
    uint32_t degraded;          /* Bitmap of enum fabric_health_reason. */
    struct fabric_hops hops;    /* "reached" is not in messages. */
    uint64_t stats[FABRIC_MSG_N_STATS];     /* Or FABRIC_MSG_ABSENT. */
};
#define FABRIC_MSG_MAX_NAME 255 /* Longer names are cut. */

/* PATH_STATUS. */
struct fabric_msg_status {
    enum fabric_msg_reason reason;
    bool has_path;              /* Always but for SYNCED and RESTART. */
    struct fabric_msg_path path;
    struct fabric_msg_threshold thresholds[FABRIC_MSG_MAX_THRESHOLDS];
    size_t n_thresholds;        /* What was crossed. */
};

/* FABRIC_PATHS request. */
struct fabric_msg_selection {
    ofp_port_t port;            /* Of one fabric, or OFPP_ANY. */
    uint32_t endpoint;          /* ID of one endpoint, or 0. */
    const char *name;           /* Name of one endpoint, or NULL. */
    size_t name_len;
};

/* Sets what 'info' tells in '*path'. */
void fabric_msg_path_from_info(const struct fabric_path_info *info,
                               struct fabric_msg_path *path);

const char *fabric_msg_stat_name(enum fabric_msg_stat);
const char *fabric_msg_reason_name(enum fabric_msg_reason);

/* The event that asks for 'reason', 0 if none has to. */
unsigned int fabric_msg_reason_event(enum fabric_msg_reason reason);

/* Encoding.  'version' is the OpenFlow version. */
struct ofpbuf *fabric_msg_encode_monitor(const struct fabric_msg_monitor *,
                                         uint8_t version);
struct ofpbuf *fabric_msg_encode_status(const struct fabric_msg_status *,
                                        uint8_t version);
struct ofpbuf *fabric_msg_encode_selection(
    const struct fabric_msg_selection *, uint8_t version);

/* Appends 'path' to 'replies', see ofpmp_init(). */
void fabric_msg_append_path(const struct fabric_msg_path *path,
                            struct ovs_list *replies);

/* Decoding.  What is decoded points into the message. */
enum ofperr fabric_msg_decode_monitor(const struct ofp_header *,
                                      struct fabric_msg_monitor *);
enum ofperr fabric_msg_decode_status(const struct ofp_header *,
                                     struct fabric_msg_status *);
enum ofperr fabric_msg_decode_selection(const struct ofp_header *,
                                        struct fabric_msg_selection *);

/* Pulls one path off 'msg', a FABRIC_PATHS reply; initially 'msg->header' is
 * NULL and the whole message is there.  Returns EOF if there is none left. */
int fabric_msg_decode_path(struct ofpbuf *msg, struct fabric_msg_path *);

/* Text.  Parsing changes 's' and returns NULL or an error message that the
 * caller must free.
 *
 * A monitor is a list of "port=PORT", "!paths", "!states", "!initial",
 * "rate=N" and "threshold=STAT:RISE[:FALL]"; it may be empty.
 *
 * A selection is a list of "port=PORT" and "endpoint=ENDPOINT", or one word
 * that names a port or else an endpoint.  An endpoint is a name or an ID; the
 * result may point into 's'. */
char *fabric_msg_parse_monitor(char *s, const struct ofputil_port_map *,
                               struct fabric_msg_monitor *)
    OVS_WARN_UNUSED_RESULT;
char *fabric_msg_parse_selection(char *s, const struct ofputil_port_map *,
                                 struct fabric_msg_selection *)
    OVS_WARN_UNUSED_RESULT;

#endif /* ofp-fabric-msg.h */
