/* SPDX-License-Identifier: Apache-2.0 */

/* OpenFlow messages of the fabric. */

#include <config.h>
#undef NDEBUG
#include "ofp-fabric-msg.h"

#include <errno.h>

#include "fabric-check.h"
#include "fabric-registry.h"
#include "fabric-table.h"
#include "flow.h"
#include "openflow/openflow-common.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/ofp-prop.h"
#include "openvswitch/ofpbuf.h"
#include "ovstest.h"
#include "packets.h"
#include "random.h"
#include "timeval.h"
#include "util.h"

#define FOR_EACH_VERSION(VERSION) \
    for (uint8_t VERSION = OFP10_VERSION; VERSION <= OFP15_VERSION; VERSION++)

static void
random_path(struct fabric_msg_path *path)
{
    static const char name[] = "an endpoint\n\"of this name\"";

    *path = (struct fabric_msg_path) {
        .port = u16_to_ofp(1 + random_range(0xfe00)),
        .endpoint = random_uint32() & FABRIC_MAX_ENDPOINT_ID,
        .name = name,
        .name_len = 1 + random_range(strlen(name)),
        .src_port = random_uint16(),
        .state = 1 + random_range(FABRIC_N_PATH_STATES),
        .old_state = random_range(1 + FABRIC_N_PATH_STATES),
        .degraded = random_range(1u << FABRIC_N_HEALTH_REASONS),
    };
    random_bytes(&path->local_ip, sizeof path->local_ip);
    random_bytes(&path->remote_ip, sizeof path->remote_ip);
    path->hops.n = random_range(4) ? random_range(FABRIC_MAX_HOPS + 1) : 0;
    random_bytes(path->hops.ip, path->hops.n * sizeof path->hops.ip[0]);
    for (size_t i = 0; i < FABRIC_MSG_N_STATS; i++) {
        path->stats[i] = (random_range(3) ? random_uint64() >> 1
                          : FABRIC_MSG_ABSENT);
    }
}

static void
check_path(const struct fabric_msg_path *a, const struct fabric_msg_path *b)
{
    CHECK_EQ(ofp_to_u16(a->port), ofp_to_u16(b->port));
    CHECK_EQ(a->endpoint, b->endpoint);
    CHECK_EQ(a->name_len, b->name_len);
    CHECK_BYTES(a->name, b->name, b->name_len);
    CHECK_BYTES(&a->local_ip, &b->local_ip, sizeof b->local_ip);
    CHECK_BYTES(&a->remote_ip, &b->remote_ip, sizeof b->remote_ip);
    CHECK_EQ(a->src_port, b->src_port);
    CHECK_EQ(a->state, b->state);
    CHECK_EQ(a->old_state, b->old_state);
    CHECK_EQ(a->degraded, b->degraded);
    CHECK_EQ(a->hops.n, b->hops.n);
    CHECK_BYTES(a->hops.ip, b->hops.ip, b->hops.n * sizeof b->hops.ip[0]);
    for (size_t i = 0; i < FABRIC_MSG_N_STATS; i++) {
        CHECK_EQ(a->stats[i], b->stats[i]);
    }
}

static void
random_thresholds(struct fabric_msg_threshold *t, size_t n)
{
    for (; n; t++, n--) {
        t->stat = random_range(FABRIC_MSG_N_STATS);
        t->above = random_range(2);
        t->fall = 1 + random_range(1000);
        t->rise = t->fall + random_range(1000);
    }
}

static void
check_thresholds(const struct fabric_msg_threshold *a,
                 const struct fabric_msg_threshold *b, size_t n)
{
    for (; n; a++, b++, n--) {
        CHECK_EQ(a->stat, b->stat);
        CHECK_EQ(a->above, b->above);
        CHECK_EQ(a->fall, b->fall);
        CHECK_EQ(a->rise, b->rise);
    }
}

static void
test_status(void)
{
    FOR_EACH_VERSION (version) {
        for (int reason = FABRIC_MSG_INITIAL; reason <= FABRIC_MSG_RESTART;
             reason++) {
            struct fabric_msg_status a = { .reason = reason }, b;
            struct ofpbuf *msg;

            a.has_path = reason <= FABRIC_MSG_THRESHOLD;
            if (a.has_path) {
                random_path(&a.path);
                a.n_thresholds = random_range(FABRIC_MSG_MAX_THRESHOLDS + 1);
                random_thresholds(a.thresholds, a.n_thresholds);
            }
            msg = fabric_msg_encode_status(&a, version);
            CHECK_EQ(msg->size % 8, 0);
            CHECK_EQ(fabric_msg_decode_status(msg->data, &b), 0);
            CHECK_EQ(b.reason, a.reason);
            CHECK_EQ(b.has_path, a.has_path);
            CHECK_EQ(b.n_thresholds, a.n_thresholds);
            check_thresholds(b.thresholds, a.thresholds, a.n_thresholds);
            if (a.has_path) {
                check_path(&b.path, &a.path);
            }
            ofpbuf_delete(msg);
        }
    }
}

static void
test_monitor(void)
{
    FOR_EACH_VERSION (version) {
        struct fabric_msg_monitor a = {
            .port = version & 1 ? OFPP_ANY : u16_to_ofp(7),
            .events = FABRIC_MSG_STATES | FABRIC_MSG_THRESHOLDS,
            .flags = version & 1 ? FABRIC_MSG_WANT_INITIAL : 0,
            .rate = 1 + random_range(FABRIC_MSG_MAX_RATE),
            .n_thresholds = 1 + random_range(FABRIC_MSG_MAX_THRESHOLDS),
        };
        struct fabric_msg_monitor b;
        struct ofpbuf *msg;

        random_thresholds(a.thresholds, a.n_thresholds);
        msg = fabric_msg_encode_monitor(&a, version);
        CHECK_EQ(fabric_msg_decode_monitor(msg->data, &b), 0);
        CHECK_EQ(ofp_to_u16(b.port), ofp_to_u16(a.port));
        CHECK_EQ(b.events, a.events);
        CHECK_EQ(b.flags, a.flags);
        CHECK_EQ(b.rate, a.rate);
        CHECK_EQ(b.n_thresholds, a.n_thresholds);
        check_thresholds(b.thresholds, a.thresholds, a.n_thresholds);
        ofpbuf_delete(msg);
    }
}

/* Many paths become several replies, in the order in which they came. */
static void
test_replies(void)
{
    FOR_EACH_VERSION (version) {
        enum { N = 500 };
        static struct fabric_msg_path paths[N];
        struct fabric_msg_selection a = {
            .port = u16_to_ofp(version), .name = "two", .name_len = 3,
        };
        struct fabric_msg_selection b;
        struct fabric_msg_path path;
        struct ovs_list replies;
        struct ofpbuf *request, *reply;
        size_t n = 0, n_replies = 0;

        request = fabric_msg_encode_selection(&a, version);
        CHECK_EQ(fabric_msg_decode_selection(request->data, &b), 0);
        CHECK_EQ(ofp_to_u16(b.port), version);
        CHECK_EQ(b.endpoint, 0);
        CHECK_EQ(b.name_len, 3);
        CHECK_BYTES(b.name, "two", 3);

        ofpmp_init(&replies, request->data);
        for (size_t i = 0; i < N; i++) {
            random_path(&paths[i]);
            fabric_msg_append_path(&paths[i], &replies);
        }
        LIST_FOR_EACH_POP (reply, list_node, &replies) {
            struct ofpbuf body;
            int error;

            ofpmsg_update_length(reply);
            body = ofpbuf_const_initializer(reply->data, reply->size);
            while (!(error = fabric_msg_decode_path(&body, &path))) {
                check_path(&path, &paths[n++]);
            }
            CHECK_EQ(error, EOF);
            CHECK_EQ(ofpmp_more(reply->data), n < N);
            n_replies++;
            ofpbuf_delete(reply);
        }
        CHECK_EQ(n, N);
        CHECK_TRUE(n_replies > 1);
        ofpbuf_delete(request);
    }
}

/* Returns a STATE message, with 'path' in it. */
static struct ofpbuf *
make_status(struct fabric_msg_path *path)
{
    struct fabric_msg_status status = {
        .reason = FABRIC_MSG_STATE, .has_path = true,
    };

    random_path(path);
    status.path = *path;
    return fabric_msg_encode_status(&status, OFP13_VERSION);
}

/* Gives the record in 'msg', at byte 24, the length that it has. */
static enum ofperr
redecode(struct ofpbuf *msg, struct fabric_msg_status *status)
{
    ovs_be16 *len = ofpbuf_at_assert(msg, 24, sizeof *len);

    *len = htons(msg->size - 24);
    ofpmsg_update_length(msg);
    return fabric_msg_decode_status(msg->data, status);
}

/* What is not known is passed over, what is not there is absent. */
static void
test_extension(void)
{
    struct fabric_msg_status status;
    struct fabric_msg_path path;
    struct ofpbuf *msg = make_status(&path);

    ofpprop_put_u64(msg, 0x7001, 1);
    ofpprop_put(msg, 0x9001, "unknown", 7);
    CHECK_EQ(redecode(msg, &status), 0);
    check_path(&status.path, &path);

    ofpprop_put_u64(msg, 0x7001, 1);
    ofpprop_put(msg, FABRIC_MSG_PROP_NAME, "twice", 5);
    CHECK_EQ(redecode(msg, &status), OFPERR_OFPBPC_DUP_TYPE);
    ofpbuf_delete(msg);

    msg = make_status(&path);
    ofpprop_put_u32(msg, FABRIC_MSG_PROP_DEGRADED, 1u << 31);
    if (path.degraded) {
        CHECK_EQ(redecode(msg, &status), OFPERR_OFPBPC_DUP_TYPE);
    } else {
        CHECK_EQ(redecode(msg, &status), 0);
        CHECK_EQ(status.path.degraded, 1u << 31);
    }
    ofpbuf_delete(msg);
}

/* Lists of routers that are none. */
static void
test_hops(void)
{
    static const uint8_t zeros[(FABRIC_MAX_HOPS + 1) * 16];
    static const size_t lengths[] = { 0, 15, 17, sizeof zeros, 16 };

    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        bool twice = lengths[i] == 16;
        struct fabric_msg_status status = {
            .reason = FABRIC_MSG_STATE, .has_path = true,
        };
        struct ofpbuf *msg;

        random_path(&status.path);
        status.path.hops.n = twice;
        msg = fabric_msg_encode_status(&status, OFP13_VERSION);
        ofpprop_put(msg, FABRIC_MSG_PROP_HOPS, zeros, lengths[i]);
        CHECK_EQ(redecode(msg, &status), (twice ? OFPERR_OFPBPC_DUP_TYPE
                                          : OFPERR_OFPBPC_BAD_LEN));
        ofpbuf_delete(msg);
    }
}

/* A message that ends early is refused wherever it ends. */
static void
test_truncation(void)
{
    struct fabric_msg_path path;
    struct ofpbuf *msg = make_status(&path);

    for (size_t size = 16; size < msg->size; size += 8) {
        struct ofp_header *oh = xmemdup(msg->data, size);
        struct fabric_msg_status status;

        oh->length = htons(size);
        CHECK_TRUE(fabric_msg_decode_status(oh, &status));
        free(oh);
    }
    ofpbuf_delete(msg);
}

static void
test_info(void)
{
    struct fabric_path_info info = {
        .src_port = 61440,
        .state = FABRIC_PATH_DEGRADED,
        .n_slots = 64,
        .total_slots = 256,
        .tx_packets = 12,
        .rtt_us = -1,
        .rtt_min_us = 0,
        .weight = FABRIC_TABLE_FULL_WEIGHT / 2,
        .reasons = 1u << FABRIC_HEALTH_LOSS,
        .health = { .loss = 12000, .jitter = -1 },
        .last_change = time_msec(),
    };
    struct fabric_msg_path path;

    fabric_msg_path_from_info(&info, &path);
    CHECK_EQ(path.state, FABRIC_MSG_STATE(FABRIC_PATH_DEGRADED));
    CHECK_EQ(path.stats[FABRIC_MSG_STAT_SHARE], 250000);
    CHECK_EQ(path.stats[FABRIC_MSG_STAT_TX_PACKETS], 12);
    CHECK_EQ(path.stats[FABRIC_MSG_STAT_RTT], FABRIC_MSG_ABSENT);
    CHECK_EQ(path.stats[FABRIC_MSG_STAT_RTT_MIN], 0);
    CHECK_EQ(path.degraded, 1u << FABRIC_HEALTH_LOSS);
    CHECK_EQ(path.stats[FABRIC_MSG_STAT_LOSS], 12000);
    CHECK_EQ(path.stats[FABRIC_MSG_STAT_WEIGHT], 500000);
    CHECK_EQ(path.stats[FABRIC_MSG_STAT_JITTER], FABRIC_MSG_ABSENT);
}

static void
check_monitor_text(const char *text, const char *expected)
{
    struct fabric_msg_monitor m;
    char *copy = xstrdup(text);
    char *error = fabric_msg_parse_monitor(copy, NULL, &m);

    if (strcmp(error ? error : "", expected)) {
        printf("\n%s: %s, expected %s\n", text, error, expected);
        exit(1);
    }
    free(error);
    free(copy);
}

static void
test_text(void)
{
    check_monitor_text("", "");
    check_monitor_text("port=7,!initial,!paths rate=5,threshold=rtt_us:9", "");
    check_monitor_text("threshold=rtt_us:9:9", "");
    check_monitor_text("!paths,!states", "nothing to monitor");
    check_monitor_text("port=x", "unknown port \"x\"");
    check_monitor_text("rate=0", "rate \"0\" is not a number from 1 to "
                       "1000000");
    check_monitor_text("states", "unknown keyword \"states\"");
    check_monitor_text("threshold", "unknown statistic \"\"");
    check_monitor_text("threshold=rtt:5", "unknown statistic \"rtt\"");
    check_monitor_text("threshold=rtt_us", "threshold \"\" is not a number "
                       "from 1 to 9223372036854775807");
    check_monitor_text("threshold=rtt_us:9:10", "threshold \"10\" is not a "
                       "number from 1 to 9");
}

static void
test_fabric_msg_main(int argc OVS_UNUSED, char *argv[] OVS_UNUSED)
{
    CHECK_PROPERTY(test_status);
    CHECK_PROPERTY(test_monitor);
    CHECK_PROPERTY(test_replies);
    CHECK_PROPERTY(test_extension);
    CHECK_PROPERTY(test_hops);
    CHECK_PROPERTY(test_truncation);
    CHECK_PROPERTY(test_info);
    CHECK_PROPERTY(test_text);
    printf("\n");
}

OVSTEST_REGISTER("test-fabric-msg", test_fabric_msg_main);
