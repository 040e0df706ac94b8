/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fabric-uplink.h"

#include <errno.h>
#include <string.h>

#include "ovs-atomic.h"
#include "ovs-rcu.h"
#include "util.h"

#define MAX_CLASSES 4

/* Uplinks that wait for a grace period to be closed. */
static atomic_count n_closing;

static const struct fabric_uplink_class *classes[MAX_CLASSES] = {
    &fabric_uplink_udp_class,
};

const struct fabric_uplink_class *
fabric_uplink_class_lookup(const char *name)
{
    for (size_t i = 0; i < MAX_CLASSES && classes[i]; i++) {
        if (!strcmp(classes[i]->name, name)) {
            return classes[i];
        }
    }
    return NULL;
}

/* Main thread only, before any uplink is opened. */
void
fabric_uplink_class_register(const struct fabric_uplink_class *class)
{
    for (size_t i = 0; i < MAX_CLASSES; i++) {
        if (!classes[i] || classes[i] == class) {
            classes[i] = class;
            return;
        }
    }
    OVS_NOT_REACHED();
}

static void
uplink_destroy(struct fabric_uplink *up)
{
    up->class->destroy(up);
}

static void
uplink_close_now(struct fabric_uplink *up)
{
    uplink_destroy(up);
    atomic_count_dec(&n_closing);
}

static void
set_settings(struct fabric_uplink *up,
             const struct fabric_uplink_settings *settings)
{
    atomic_store_relaxed(&up->ttl, settings->ttl);
    atomic_store_relaxed(&up->csum, settings->csum);
}

struct fabric_uplink *
fabric_uplink_create(const struct fabric_uplink_class *class,
                     const struct fabric_uplink_config *config,
                     const struct fabric_uplink_settings *settings)
{
    struct fabric_uplink *up = class->alloc();

    up->class = class;
    up->config = *config;
    set_settings(up, settings);
    return up;
}

void
fabric_uplink_inherit(struct fabric_uplink *up, struct fabric_uplink *old)
{
    if (up->class->inherit) {
        up->class->inherit(up, old);
    }
}

char *
fabric_uplink_open(struct fabric_uplink *up)
{
    char *error;

    /* One of those may have the address and ports still. */
    if (atomic_count_get(&n_closing)) {
        ovsrcu_barrier();
    }

    error = up->class->open(up);
    if (error) {
        uplink_destroy(up);
    }
    return error;
}

void
fabric_uplink_configure(struct fabric_uplink *up,
                        const struct fabric_uplink_settings *settings)
{
    set_settings(up, settings);
    up->class->configure(up);
}

uint8_t
fabric_uplink_ttl(const struct fabric_uplink *up_)
{
    struct fabric_uplink *up = CONST_CAST(struct fabric_uplink *, up_);
    uint8_t ttl;

    atomic_read_relaxed(&up->ttl, &ttl);
    return ttl;
}

bool
fabric_uplink_csum(const struct fabric_uplink *up_)
{
    struct fabric_uplink *up = CONST_CAST(struct fabric_uplink *, up_);
    bool csum;

    atomic_read_relaxed(&up->csum, &csum);
    return csum;
}

char *
fabric_uplink_set_n_ports(struct fabric_uplink *up, unsigned int n)
{
    while (up->n_ports < n) {
        unsigned int i = up->n_ports;
        uint16_t port = (i ? up->src_ports[i - 1] + 1
                         : up->config.src_port_base);
        char *error = up->class->add_port(up, i, &port);

        if (error) {
            return error;
        }
        up->src_ports[i] = port;
        up->n_ports++;
    }
    return NULL;
}

void
fabric_uplink_close(struct fabric_uplink *up)
{
    if (up) {
        atomic_count_inc(&n_closing);
        ovsrcu_postpone(uplink_close_now, up);
    }
}

bool
fabric_uplink_is_unreachable(int error)
{
    return (error == ENETUNREACH || error == EHOSTUNREACH
            || error == ENETDOWN || error == EADDRNOTAVAIL);
}

int
fabric_datagram_send_singly(
    const struct fabric_datagram *d,
    int (*send_one)(const struct fabric_datagram *, void *aux), void *aux)
{
    struct iovec *iov = xmalloc(d->n_iov * sizeof *iov);
    size_t left_in_iov = d->n_iov ? d->iov[0].iov_len : 0;
    size_t left = d->size;
    int retval = 0;
    size_t i = 0;

    while (left) {
        struct fabric_datagram one = *d;
        size_t want = MIN(left, d->gso_size ? d->gso_size : left);

        one.iov = iov;
        one.n_iov = 0;
        one.size = want;
        one.gso_size = 0;
        left -= want;
        while (want) {
            size_t n = MIN(want, left_in_iov);
            const struct iovec *src = &d->iov[i];

            iov[one.n_iov].iov_base = ((uint8_t *) src->iov_base
                                       + src->iov_len - left_in_iov);
            iov[one.n_iov++].iov_len = n;
            want -= n;
            left_in_iov -= n;
            if (!left_in_iov && ++i < d->n_iov) {
                left_in_iov = d->iov[i].iov_len;
            }
        }

        int error = send_one(&one, aux);
        if (error) {
            retval = error;
        }
    }
    free(iov);
    return retval;
}
