/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes the datapath action.  Input: a byte that chooses, then the payload of
 * an action or, if the byte is odd, the text of one after "fabric(". */

#include <config.h>
#include "fabric-odp.h"

#include "fabric-hooks.h"
#include "fuzz.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

/* Prints 'action' and checks that parsing gives it back. */
static void
check_text(const struct ofpbuf *action)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct ofpbuf again;

    ofpbuf_init(&again, 0);
    fabric_odp_format(&s, action->data, NULL);
    FUZZ_CHECK(fabric_odp_parse(ds_cstr(&s), NULL, &again) == s.length);
    FUZZ_CHECK(again.size == action->size);
    FUZZ_CHECK(!memcmp(again.data, action->data, again.size));
    ofpbuf_uninit(&again);
    ds_destroy(&s);
}

static void
fuzz_text(const uint8_t *data, size_t size)
{
    char *text = xasprintf("fabric(%.*s", (int) size, (const char *) data);
    struct ofpbuf action;
    int n;

    ofpbuf_init(&action, 0);
    n = fabric_odp_parse(text, NULL, &action);
    FUZZ_CHECK(n < 0 ? !action.size : n <= strlen(text) && action.size);
    if (n > 0) {
        const struct nlattr *a = action.data;

        FUZZ_CHECK(fabric_odp_get_output(a) || fabric_odp_get_drop(a));
        check_text(&action);
    }
    ofpbuf_uninit(&action);
    free(text);
}

static void
fuzz_payload(const uint8_t *data, size_t size)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct ofpbuf action;
    const struct nlattr *a;

    ofpbuf_init(&action, 0);
    nl_msg_put_unspec(&action, OVS_ACTION_ATTR_FABRIC, data,
                      MIN(size, 4096));
    a = action.data;
    fabric_odp_format(&s, a, NULL);
    if (fabric_odp_get_output(a) || fabric_odp_get_drop(a)) {
        check_text(&action);
    }
    FUZZ_CHECK(fabric_odp_is_output(a) == (fabric_odp_get_output(a) != NULL));
    ofpbuf_uninit(&action);
    ds_destroy(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size) {
        return 0;
    }
    if (data[0] & 1) {
        fuzz_text(data + 1, size - 1);
    } else {
        fuzz_payload(data + 1, size - 1);
    }
    return 0;
}
