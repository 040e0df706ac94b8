/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fabric-stream - many UDP flows, and what became of each.
 * ========================================================
 *
 *     fabric-stream receive [--json] [--timeout=SECONDS]
 *     fabric-stream send [OPTION]... ADDRESS
 *
 * The sender sends one packet of each of its flows at every interval, and
 * packets of other, background flows so that each of those occurs once in its
 * own, longer interval.  At the end it tells the receiver how many packets it
 * sent, and the receiver reports, for each flow: packets sent, received, lost
 * and out of order, and the longest time without a packet, in ms: of all such
 * times, and of those in which a packet was lost ("hole").  On a busy machine
 * the first may be that nothing was sent.
 *
 * Flow I has source port --source-port + I % 50000 and destination port
 * --port + I / 50000.  All flows leave by one raw socket, so that there may
 * be more of them than file descriptors; that needs root.  The receiver takes
 * the kernel's receive timestamps, so its own delays do not count.
 *
 * A flow that goes silent until the end counts as a gap until the time of the
 * last packet of any flow.
 */

#include <config.h>

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fabric-tool.h"

#define MAGIC 0x66616273
#define PORT 7000
#define SOURCE_PORT 10000
#define FLOWS_PER_PORT 50000
#define MAX_FLOWS 400000
#define MAX_PORTS (MAX_FLOWS / FLOWS_PER_PORT + 1)
#define MAX_SIZE 9000
#define IDLE_MS 500             /* Silence after the end that ends it all. */

/* What a packet contains; all in network byte order.  The last packets, sent
 * as flow END, have the totals. */
struct payload {
    uint32_t magic;
    uint32_t flow;
    uint64_t seq;               /* From 0; in END, packets of each flow. */
    uint64_t background;        /* In END, all background packets. */
};
#define END UINT32_MAX

struct settings {
    unsigned flows, background, port, source_port, size, timeout;
    double interval, background_interval, duration;
    bool json;
};

static void
sleep_until(int64_t when)
{
    struct timespec ts = { when / NSEC_PER_SEC, when % NSEC_PER_SEC };

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* Sending. */

struct packet {
    struct udphdr udp;
    struct payload payload;
    uint8_t padding[MAX_SIZE];
};

/* A batch of packets towards one destination. */
struct sender {
    const struct settings *s;
    int fd;
    unsigned n;
    uint64_t failed;
    struct mmsghdr msgs[TOOL_BATCH];
    struct iovec iovs[TOOL_BATCH];
    struct packet packets[TOOL_BATCH];
};

/* Sends what 'sender' has collected.  A packet that the kernel refuses is not
 * sent again: it counts as lost, as in a full queue. */
static void
sender_flush(struct sender *sender)
{
    unsigned done = 0;

    while (done < sender->n) {
        int n = sendmmsg(sender->fd, sender->msgs + done, sender->n - done,
                         0);
        if (n <= 0) {
            if (n < 0 && errno == EINTR) {
                continue;
            }
            sender->failed++;
            n = 1;
        }
        done += n;
    }
    sender->n = 0;
}

/* Adds a packet with the ports of flow 'id', and the rest as contents. */
static void
sender_put(struct sender *sender, uint32_t id, uint32_t flow, uint64_t seq,
           uint64_t background)
{
    const struct settings *s = sender->s;
    struct packet *p = &sender->packets[sender->n++];

    /* No checksum: with IPv6 the kernel adds the one it requires. */
    p->udp = (struct udphdr) {
        .source = htons(s->source_port + id % FLOWS_PER_PORT),
        .dest = htons(s->port + id / FLOWS_PER_PORT),
        .len = htons(sizeof p->udp + s->size),
    };
    p->payload = (struct payload) {
        .magic = htonl(MAGIC),
        .flow = htonl(flow),
        .seq = htobe64(seq),
        .background = htobe64(background),
    };
    if (sender->n == TOOL_BATCH) {
        sender_flush(sender);
    }
}

static void
sender_open(struct sender *sender, const struct settings *s,
            const char *address)
{
    struct sockaddr_in sin = { .sin_family = AF_INET };
    struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
    int sndbuf = TOOL_SOCKET_BUFFER;
    int error;

    memset(sender, 0, sizeof *sender);
    sender->s = s;
    if (inet_pton(AF_INET, address, &sin.sin_addr) == 1) {
        sender->fd = socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
        error = connect(sender->fd, (struct sockaddr *) &sin, sizeof sin);
    } else if (inet_pton(AF_INET6, address, &sin6.sin6_addr) == 1) {
        int offset = offsetof(struct udphdr, check);

        sender->fd = socket(AF_INET6, SOCK_RAW, IPPROTO_UDP);
        setsockopt(sender->fd, IPPROTO_IPV6, IPV6_CHECKSUM, &offset,
                   sizeof offset);
        error = connect(sender->fd, (struct sockaddr *) &sin6, sizeof sin6);
    } else {
        tool_fatal(0, "'%s' is no IP address", address);
    }
    if (sender->fd < 0 || error) {
        tool_fatal(errno, "%s", address);
    }
    setsockopt(sender->fd, SOL_SOCKET, SO_SNDBUFFORCE, &sndbuf,
               sizeof sndbuf);
    for (int i = 0; i < TOOL_BATCH; i++) {
        sender->iovs[i] = (struct iovec) {
            &sender->packets[i], sizeof sender->packets[i].udp + s->size
        };
        sender->msgs[i].msg_hdr.msg_iov = &sender->iovs[i];
        sender->msgs[i].msg_hdr.msg_iovlen = 1;
    }
}

/* Sends packets until the time is over.  Background flows are numbered after
 * the others; they are spread evenly over time. */
static void
send_flows(const struct settings *s, const char *address)
{
    static struct sender sender;
    int64_t interval = s->interval * NSEC_PER_MSEC;
    double per_ns = s->background / (s->background_interval * NSEC_PER_MSEC);
    int64_t start, end;
    uint64_t ticks = 0, background = 0;

    sender_open(&sender, s, address);
    if (interval && !tool_become_punctual()) {
        fprintf(stderr, "fabric-stream: no real-time priority (%s)\n",
                strerror(errno));
    }
    start = tool_now(CLOCK_MONOTONIC);
    end = start + s->duration * NSEC_PER_SEC;
    for (;;) {
        int64_t now = tool_now(CLOCK_MONOTONIC);
        uint64_t due = (now - start) * per_ns;

        if (tool_stop || now >= end) {
            break;
        }
        for (uint32_t i = 0; i < s->flows; i++) {
            sender_put(&sender, i, i, ticks, 0);
        }
        ticks++;
        for (; background < due; background++) {
            uint32_t id = s->flows + background % s->background;

            sender_put(&sender, id, id, background / s->background, 0);
        }
        sender_flush(&sender);
        if (interval) {
            sleep_until(start + ticks * interval);
        }
    }
    /* Give what is queued the time to arrive first.  Say it in several flows,
     * since some may be interrupted. */
    for (uint32_t i = 0; i < 32; i++) {
        sleep_until(tool_now(CLOCK_MONOTONIC) + 10 * NSEC_PER_MSEC);
        sender_put(&sender, s->flows ? i % s->flows : i, END, ticks,
                   background);
        sender_flush(&sender);
    }
    if (sender.failed) {
        fprintf(stderr, "fabric-stream: the kernel refused %"PRIu64
                " packets\n", sender.failed);
    }
}

/* Receiving. */

struct flow {
    uint64_t received;
    uint64_t next_seq;          /* Highest sequence number + 1. */
    uint64_t late;              /* Out of order, or duplicates. */
    int64_t last;               /* Receive time, ns. */
    int64_t gap;                /* Longest time between packets so far, ns. */
    int64_t hole;               /* Likewise, with packets lost in it. */
    int64_t hole_start;
};

struct receiver {
    const struct settings *s;
    struct pollfd pfds[MAX_PORTS];
    struct flow *flows;         /* Of MAX_FLOWS elements. */
    uint32_t n_flows;           /* Highest flow number + 1. */
    int64_t first, last;        /* Of all flows. */
    uint64_t packets, bytes, strangers;
    bool ended;                 /* Has END arrived, with these? */
    uint64_t sent_each, sent_background;
};

static int
open_port(unsigned port)
{
    struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
                                 .sin6_port = htons(port) };
    int off = 0;
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);

    if (fd < 0
        || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off)
        || !tool_receive_prepare(fd)
        || bind(fd, (struct sockaddr *) &sin6, sizeof sin6)) {
        tool_fatal(errno, "port %u", port);
    }
    return fd;
}

static void
account(struct receiver *r, const struct payload *p, size_t size,
        int64_t when)
{
    uint32_t id = ntohl(p->flow);
    uint64_t seq = be64toh(p->seq);
    struct flow *flow;
    int64_t interval;

    if (size < sizeof *p || ntohl(p->magic) != MAGIC
        || (id != END && id >= MAX_FLOWS)) {
        r->strangers++;
        return;
    }
    if (id == END) {
        r->ended = true;
        r->sent_each = seq;
        r->sent_background = be64toh(p->background);
        return;
    }
    flow = &r->flows[id];
    if (!flow->received) {
        flow->last = when;
    }
    interval = when - flow->last;
    flow->gap = interval > flow->gap ? interval : flow->gap;
    if (seq > flow->next_seq && interval > flow->hole) {
        flow->hole = interval;
        flow->hole_start = flow->last;
    }
    if (seq < flow->next_seq) {
        flow->late++;
    } else {
        flow->next_seq = seq + 1;
    }
    flow->received++;
    flow->last = when;
    r->packets++;
    r->bytes += size;
    r->n_flows = id < r->n_flows ? r->n_flows : id + 1;
    r->first = r->first ? r->first : when;
    r->last = when;
}

static void
receive_batch(struct receiver *r, int fd)
{
    static uint8_t buffers[TOOL_BATCH][MAX_SIZE];
    struct tool_message messages[TOOL_BATCH];
    size_t n = tool_receive(fd, buffers[0], MAX_SIZE, messages);

    for (size_t i = 0; i < n; i++) {
        struct payload payload;

        memcpy(&payload, messages[i].data, sizeof payload);
        account(r, &payload, messages[i].size, messages[i].when);
    }
}

static double
ms(int64_t ns)
{
    return (double) ns / NSEC_PER_MSEC;
}

/* Packets sent in flow 'i' of 'r', as far as is known. */
static uint64_t
flow_sent(const struct receiver *r, uint32_t i)
{
    return r->ended ? r->sent_each : r->flows[i].next_seq;
}

static void
report_flow(const struct receiver *r, uint32_t i)
{
    const struct flow *flow = &r->flows[i];
    uint64_t sent = flow_sent(r, i);
    uint64_t lost = sent > flow->received ? sent - flow->received : 0;
    int64_t last = flow->received ? flow->last : r->first;
    int64_t tail = r->last - last;
    int64_t gap = tail > flow->gap ? tail : flow->gap;
    bool silent = flow->next_seq < sent && tail > flow->hole;
    int64_t hole = silent ? tail : flow->hole;
    int64_t hole_start = silent ? last : flow->hole_start;

    printf(r->s->json
           ? "%s{\"flow\": %"PRIu32", \"sent\": %"PRIu64
             ", \"received\": %"PRIu64", \"lost\": %"PRIu64
             ", \"late\": %"PRIu64", \"gap\": %.3f"
             ", \"hole\": %.3f, \"hole_start\": %.3f}"
           : "%sflow %"PRIu32": sent %"PRIu64" received %"PRIu64
             " lost %"PRIu64" late %"PRIu64" longest gap %.3f ms"
             " longest hole %.3f ms at %.3f ms",
           r->s->json && i ? ",\n  " : "", i, sent, flow->received, lost,
           flow->late, ms(gap), ms(hole),
           hole ? ms(hole_start - r->first) : 0);
    if (!r->s->json) {
        putchar('\n');
    }
}

static void
report(const struct receiver *r)
{
    uint64_t background = 0;
    uint32_t seen = 0;

    for (uint32_t i = r->s->flows; i < r->n_flows; i++) {
        background += r->flows[i].received;
        seen += r->flows[i].received > 0;
    }
    if (r->s->json) {
        printf("{\"packets\": %"PRIu64", \"bytes\": %"PRIu64
               ", \"duration\": %.6f, \"strangers\": %"PRIu64
               ", \"ended\": %s,\n \"background\": {\"flows\": %"PRIu32
               ", \"sent\": %"PRIu64", \"received\": %"PRIu64"},\n"
               " \"flows\": [\n  ",
               r->packets, r->bytes, ms(r->last - r->first) / 1000,
               r->strangers, r->ended ? "true" : "false", seen,
               r->sent_background, background);
    } else {
        printf("%"PRIu64" packets in %.3f s\n", r->packets,
               ms(r->last - r->first) / 1000);
    }
    for (uint32_t i = 0; i < r->s->flows; i++) {
        report_flow(r, i);
    }
    if (r->s->json) {
        printf("]}\n");
    } else if (seen) {
        printf("%"PRIu32" background flows: sent %"PRIu64
               " received %"PRIu64"\n", seen, r->sent_background, background);
    }
}

static void
receive_flows(const struct settings *s)
{
    static struct receiver r;
    unsigned n_ports = (s->flows + s->background) / FLOWS_PER_PORT + 1;
    int64_t end = tool_now(CLOCK_MONOTONIC) + s->timeout * NSEC_PER_SEC;

    r.s = s;
    r.flows = calloc(MAX_FLOWS, sizeof *r.flows);
    if (!r.flows) {
        tool_fatal(ENOMEM, "flows");
    }
    for (unsigned i = 0; i < n_ports; i++) {
        r.pfds[i] = (struct pollfd) { open_port(s->port + i), POLLIN, 0 };
    }
    /* The one line that says that packets may be sent now. */
    fprintf(stderr, "ready\n");
    while (!tool_stop && tool_now(CLOCK_MONOTONIC) < end) {
        int n = poll(r.pfds, n_ports, IDLE_MS);

        if (!n && r.ended) {
            break;
        }
        for (unsigned i = 0; i < n_ports && n > 0; i++) {
            if (r.pfds[i].revents) {
                receive_batch(&r, r.pfds[i].fd);
            }
        }
    }
    report(&r);
}

/* The command line. */

static void
usage(void)
{
    printf("fabric-stream: many UDP flows, and what became of each\n"
           "usage: fabric-stream receive [OPTION]...\n"
           "       fabric-stream send [OPTION]... ADDRESS\n"
           "Both sides:\n"
           "  --flows=N                flows (default: 16)\n"
           "  --background=N           background flows (default: 0)\n"
           "  --port=PORT              first destination port (%d)\n"
           "Sender:\n"
           "  --interval=MS            between packets of a flow (1);\n"
           "                           0 for as fast as possible\n"
           "  --background-interval=MS likewise, of background flows (5000)\n"
           "  --duration=SECONDS       (5)\n"
           "  --size=BYTES             of UDP payload (%d)\n"
           "  --source-port=PORT       first source port (%d)\n"
           "Receiver:\n"
           "  --timeout=SECONDS        report after this time even when the\n"
           "                           sender has not ended (60)\n"
           "  --json                   report as JSON; times in ms\n",
           PORT, (int) sizeof(struct payload), SOURCE_PORT);
}

static void
parse_options(int argc, char *argv[], struct settings *s)
{
    static const struct option options[] = {
        { "flows", required_argument, NULL, 'f' },
        { "background", required_argument, NULL, 'b' },
        { "port", required_argument, NULL, 'p' },
        { "interval", required_argument, NULL, 'i' },
        { "background-interval", required_argument, NULL, 'B' },
        { "duration", required_argument, NULL, 'd' },
        { "size", required_argument, NULL, 's' },
        { "source-port", required_argument, NULL, 'S' },
        { "timeout", required_argument, NULL, 't' },
        { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int c, i = 0;

    while ((c = getopt_long(argc, argv, "h", options, &i)) >= 0) {
        const char *name = options[i].name;

        switch (c) {
        case 'f':
            s->flows = tool_parse_number(name, optarg, 0, MAX_FLOWS / 2);
            break;
        case 'b':
            s->background = tool_parse_number(name, optarg, 0, MAX_FLOWS / 2);
            break;
        case 'p':
            s->port = tool_parse_number(name, optarg, 1, 65000);
            break;
        case 'i':
            s->interval = tool_parse_number(name, optarg, 0, 1e6);
            break;
        case 'B':
            s->background_interval = tool_parse_number(name, optarg, 1, 1e6);
            break;
        case 'd':
            s->duration = tool_parse_number(name, optarg, 0.001, 1e5);
            break;
        case 's':
            s->size = tool_parse_number(name, optarg, sizeof(struct payload),
                                        MAX_SIZE);
            break;
        case 'S':
            s->source_port = tool_parse_number(name, optarg, 1, 15000);
            break;
        case 't':
            s->timeout = tool_parse_number(name, optarg, 1, 1e6);
            break;
        case 'j':
            s->json = true;
            break;
        case 'h':
            usage();
            exit(EXIT_SUCCESS);
        default:
            exit(EXIT_FAILURE);
        }
    }
}

int
main(int argc, char *argv[])
{
    struct settings s = {
        .flows = 16, .port = PORT, .source_port = SOURCE_PORT,
        .size = sizeof(struct payload), .timeout = 60, .interval = 1,
        .background_interval = 5000, .duration = 5,
    };

    parse_options(argc, argv, &s);
    tool_catch_signals();
    if (argc - optind == 1 && !strcmp(argv[optind], "receive")) {
        receive_flows(&s);
    } else if (argc - optind == 2 && !strcmp(argv[optind], "send")) {
        send_flows(&s, argv[optind + 1]);
    } else {
        tool_fatal(0, "send to an address, or receive (see --help)");
    }
    return 0;
}
