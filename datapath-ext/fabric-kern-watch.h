/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_KERN_WATCH_H
#define FABRIC_KERN_WATCH_H 1

/* What others on the host do to interfaces.
 * =========================================
 *
 * The kernel tells of links, also of those in other namespaces that this one
 * has a number for, of queueing disciplines and of filters.  It does not tell
 * of captures and of programs that are attached without tc(8), nor of
 * everything if it is too much, so that one has to look now and then.
 *
 * Thread-safety: main thread only. */

#include <stdbool.h>
#include <stdint.h>

/* Functions that are called with what was touched; how is for them to find
 * out. */
struct fabric_kern_watcher {
    /* Interface 'ifindex' of this namespace, perhaps by way of the other
     * end of a veth. */
    void (*interface)(uint32_t ifindex);

    /* Interface 'ifindex' of the namespace with number 'nsid'. */
    void (*foreign)(uint32_t nsid, uint32_t ifindex);

    /* All that have not been looked at for some time. */
    void (*all)(void);
};

void fabric_kern_watch_run(const struct fabric_kern_watcher *);
void fabric_kern_watch_wait(void);

/* Returns true if somebody captures what interface 'ifindex' sends. */
bool fabric_kern_watch_is_captured(uint32_t ifindex);

#endif /* fabric-kern-watch.h */
