/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes the OpenFlow action.  Input: a byte that chooses the OpenFlow
 * version, then what follows the vendor in the action or, if the byte has its
 * high bit set, the text of the action's arguments. */

#include <config.h>
#include "ofp-fabric.h"

#include "fabric-hooks.h"
#include "fuzz.h"
#include "openflow/openflow-common.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "util.h"

static void
decode(struct ofpbuf *openflow, enum ofp_version version,
       struct ofpbuf *ofpacts, enum ofperr *error)
{
    uint64_t tlv_bitmap = 0;

    ofpbuf_init(ofpacts, 0);
    *error = ofpacts_pull_openflow_actions(openflow, openflow->size, version,
                                           NULL, &tlv_bitmap, ofpacts);
}

static bool
same(const struct ofpbuf *a, const struct ofpbuf *b)
{
    return ofpacts_equal(a->data, a->size, b->data, b->size);
}

/* Checks that 'ofpacts' survives being printed and parsed. */
static void
check_text(const struct ofpbuf *ofpacts)
{
    enum ofputil_protocol protocols = OFPUTIL_P_ANY;
    struct ds s = DS_EMPTY_INITIALIZER;
    struct ofpact_format_params fp = { .s = &s };
    struct ofpbuf again;
    struct ofpact_parse_params pp = {
        .ofpacts = &again,
        .usable_protocols = &protocols,
    };
    char *error;

    ofpbuf_init(&again, 0);
    ofpacts_format(ofpacts->data, ofpacts->size, &fp);
    error = ofpacts_parse_actions(ds_cstr(&s), &pp);
    FUZZ_CHECK(!error);
    FUZZ_CHECK(same(ofpacts, &again));
    ofpbuf_uninit(&again);
    ds_destroy(&s);
}

/* Checks that 'ofpacts' survives being encoded and decoded. */
static void
check_wire(const struct ofpbuf *ofpacts, enum ofp_version version)
{
    struct ofpbuf openflow, again;
    enum ofperr error;

    ofpbuf_init(&openflow, 0);
    ofpacts_put_openflow_actions(ofpacts->data, ofpacts->size, &openflow,
                                 version);
    decode(&openflow, version, &again, &error);
    FUZZ_CHECK(!error);
    FUZZ_CHECK(same(ofpacts, &again));
    ofpbuf_uninit(&again);
    ofpbuf_uninit(&openflow);
}

static void
fuzz_wire(const uint8_t *data, size_t size, enum ofp_version version)
{
    size_t len = ROUND_UP(8 + size, 8);
    struct ofpbuf openflow, ofpacts;
    enum ofperr error;
    struct {
        ovs_be16 type, len;
        ovs_be32 vendor;
    } header = {
        htons(0xffff), htons(len), htonl(WEFT_VENDOR_ID),
    };

    ofpbuf_init(&openflow, 0);
    ofpbuf_put(&openflow, &header, sizeof header);
    ofpbuf_put(&openflow, data, size);
    ofpbuf_put_zeros(&openflow, len - openflow.size);
    decode(&openflow, version, &ofpacts, &error);
    if (!error) {
        check_text(&ofpacts);
        check_wire(&ofpacts, version);
    }
    ofpbuf_uninit(&ofpacts);
    ofpbuf_uninit(&openflow);
}

static void
fuzz_text(const uint8_t *data, size_t size, enum ofp_version version)
{
    enum ofputil_protocol protocols = OFPUTIL_P_ANY;
    char *text = xmemdup0((const char *) data, size);
    struct ofpbuf ofpacts;
    struct ofpact_parse_params pp = {
        .ofpacts = &ofpacts,
        .usable_protocols = &protocols,
    };
    char *error;

    ofpbuf_init(&ofpacts, 0);
    error = fabric_action_parse(text, &pp);
    FUZZ_CHECK(error ? !ofpacts.size : ofpacts.size);
    if (!error) {
        check_text(&ofpacts);
        check_wire(&ofpacts, version);
    }
    free(error);
    free(text);
    ofpbuf_uninit(&ofpacts);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum ofp_version version;

    if (!size || size > 4096) {
        return 0;
    }
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    version = OFP10_VERSION + (data[0] & 0x7f) % 6;
    if (data[0] & 0x80) {
        fuzz_text(data + 1, size - 1, version);
    } else {
        fuzz_wire(data + 1, size - 1, version);
    }
    return 0;
}
