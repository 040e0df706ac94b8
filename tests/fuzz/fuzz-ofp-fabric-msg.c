/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes the fabric's OpenFlow messages.  Input: a byte that chooses the
 * OpenFlow version and one that chooses the message, then the body of the
 * message; or, if the second has its high bit set, the text of a monitor or
 * selection. */

#include <config.h>
#include "ofp-fabric-msg.h"

#include <errno.h>

#include "fabric-hooks.h"
#include "fuzz.h"
#include "openflow/openflow-common.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "util.h"

static const enum ofpraw raws[] = {
    OFPRAW_WEFTT_FABRIC_MONITOR,
    OFPRAW_WEFTT_PATH_STATUS,
    OFPRAW_WEFTST_FABRIC_PATHS_REQUEST,
    OFPRAW_WEFTST_FABRIC_PATHS_REPLY,
};

/* Checks that 'a' and 'b' have the same text but for their 'xid's. */
static void
check_same(struct ofpbuf *a, struct ofpbuf *b)
{
    struct ds as = DS_EMPTY_INITIALIZER, bs = DS_EMPTY_INITIALIZER;

    FUZZ_CHECK(!fabric_msg_format(&as, a->data, NULL));
    FUZZ_CHECK(!fabric_msg_format(&bs, b->data, NULL));
    FUZZ_CHECK(!strcmp(ds_cstr(&as), ds_cstr(&bs)));
    ds_destroy(&as);
    ds_destroy(&bs);
}

static struct ofpbuf *
recode_paths(struct ofpbuf *msg, uint8_t version)
{
    struct ofpbuf body = ofpbuf_const_initializer(msg->data, msg->size);
    struct ofpbuf *request = fabric_msg_encode_selection(
        &(struct fabric_msg_selection) { .port = OFPP_ANY }, version);
    struct fabric_msg_path path;
    struct ovs_list replies;
    struct ofpbuf *reply;

    ofpmp_init(&replies, request->data);
    while (!fabric_msg_decode_path(&body, &path)) {
        fabric_msg_append_path(&path, &replies);
    }
    ofpbuf_delete(request);
    reply = ofpbuf_from_list(ovs_list_pop_front(&replies));
    FUZZ_CHECK(ovs_list_is_empty(&replies));
    ofpmsg_update_length(reply);
    return reply;
}

/* Returns what 'msg' was decoded to, encoded again; NULL if it was refused. */
static struct ofpbuf *
recode(struct ofpbuf *msg, enum ofpraw raw, uint8_t version)
{
    struct fabric_msg_selection selection;
    struct fabric_msg_monitor monitor;
    struct fabric_msg_status status;

    switch ((int) raw) {
    case OFPRAW_WEFTT_FABRIC_MONITOR:
        return (fabric_msg_decode_monitor(msg->data, &monitor) ? NULL
                : fabric_msg_encode_monitor(&monitor, version));
    case OFPRAW_WEFTT_PATH_STATUS:
        return (fabric_msg_decode_status(msg->data, &status) ? NULL
                : fabric_msg_encode_status(&status, version));
    case OFPRAW_WEFTST_FABRIC_PATHS_REQUEST:
        return (fabric_msg_decode_selection(msg->data, &selection) ? NULL
                : fabric_msg_encode_selection(&selection, version));
    default:
        return recode_paths(msg, version);
    }
}

static void
fuzz_wire(const uint8_t *data, size_t size, enum ofpraw raw, uint8_t version)
{
    struct ofpbuf *msg = ofpraw_alloc(raw, version, size);
    struct ds s = DS_EMPTY_INITIALIZER;
    enum ofpraw decoded;
    struct ofpbuf *again;
    enum ofperr error;

    ofpbuf_put(msg, data, size);
    ofpmsg_update_length(msg);
    error = ofpraw_decode(&decoded, msg->data);
    FUZZ_CHECK(!error == !(size % 8));
    if (!error) {
        FUZZ_CHECK(decoded == raw);
        error = fabric_msg_format(&s, msg->data, NULL);
        again = recode(msg, raw, version);
        if (!error) {
            FUZZ_CHECK(again);
            check_same(msg, again);
        }
        ofpbuf_delete(again);
    }
    ds_destroy(&s);
    ofpbuf_delete(msg);
}

static void
fuzz_text(const uint8_t *data, size_t size, bool is_monitor, uint8_t version)
{
    char *text = xmemdup0((const char *) data, size);
    struct fabric_msg_selection selection;
    struct fabric_msg_monitor monitor;
    struct ofpbuf *msg;
    char *error;

    error = (is_monitor ? fabric_msg_parse_monitor(text, NULL, &monitor)
             : fabric_msg_parse_selection(text, NULL, &selection));
    if (!error) {
        msg = (is_monitor ? fabric_msg_encode_monitor(&monitor, version)
               : fabric_msg_encode_selection(&selection, version));
        FUZZ_CHECK(is_monitor
                   ? !fabric_msg_decode_monitor(msg->data, &monitor)
                   : !fabric_msg_decode_selection(msg->data, &selection));
        ofpbuf_delete(msg);
    }
    free(error);
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t version;

    if (size < 2 || size > 8192) {
        return 0;
    }
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    version = OFP10_VERSION + data[0] % 6;
    if (data[1] & 0x80) {
        fuzz_text(data + 2, size - 2, data[1] & 1, version);
    } else {
        fuzz_wire(data + 2, size - 2, raws[data[1] % ARRAY_SIZE(raws)],
                  version);
    }
    return 0;
}
