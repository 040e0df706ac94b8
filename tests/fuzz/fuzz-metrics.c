/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes what ovs-fabric-exporter reads: headers of clients and replies of
 * ovs-vswitchd.  Input: a byte that chooses, then text. */

#include <config.h>
#include "fabric-auth.h"
#include "fabric-metrics.h"
#include "fabric-switch-view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

static struct auth *
make_auth(void)
{
    static const char lines[] = "bearer token\nbasic user:password\n";
    char name[] = "fuzz-metrics-XXXXXX";
    struct auth *auth;
    int fd = mkstemp(name);

    FUZZ_CHECK(fd >= 0 && write(fd, lines, strlen(lines)) > 0);
    FUZZ_CHECK(!auth_read(name, &auth));
    close(fd);
    unlink(name);
    return auth;
}

static void
fuzz_authorization(const char *header)
{
    static struct auth *auth;

    if (!auth) {
        auth = make_auth();
    }
    FUZZ_CHECK(!auth_check(auth, header)
               || !strcmp(strrchr(header, ' '), " token")
               || !strcmp(strrchr(header, ' '), " dXNlcjpwYXNzd29yZA=="));
}

static void
fuzz_reply(const char *text, int which)
{
    const struct metrics_config config = { 4, 4 };
    struct metrics_collection collection = { .seconds = 1 };
    struct ds s = DS_EMPTY_INITIALIZER;
    struct json *replies[4] = { NULL };
    struct view *view;

    replies[which] = json_from_string(text);
    view = view_from_json(replies[0], replies[1], replies[2], replies[3]);
    collection.view = view;
    metrics_format(&config, &collection, which & 1, &s);
    FUZZ_CHECK(s.length && s.string[s.length - 1] == '\n');
    ds_destroy(&s);
    view_destroy(view);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size) {
        char *text = xmemdup0((const char *) data + 1, size - 1);

        switch (data[0] % 6) {
        case 0: fuzz_authorization(text); break;
        case 1: metrics_accepts_openmetrics(text); break;
        default: fuzz_reply(text, data[0] % 6 - 2); break;
        }
        free(text);
    }
    return 0;
}
