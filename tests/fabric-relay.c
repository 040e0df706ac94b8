/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fabric-relay - carries frames between two interfaces, late.
 * ============================================================
 *
 *     fabric-relay [OPTION]... A B
 *
 * What arrives on interface A leaves by B and the other way round, each
 * direction with its own delay, jitter, loss and reordering.  It stands in
 * for the netem queueing discipline, which not every kernel has.  Frames keep
 * their offload state (virtio-net header), so a TCP super-frame passes as one.
 *
 * One thread.  A frame's due time is computed from the time the kernel
 * received it, so that our own scheduling delay is not added to the delay
 * asked for; "spin" also spares frames the time that waking up takes, for
 * measurements.  Frames wait in one heap per direction, ordered by due time,
 * of a bounded number of frames and bytes; what does not fit is dropped and
 * counted.  Jitter alone does not reorder: a frame is never due before the
 * frame ahead of it.  A frame chosen for reordering is due at once.
 *
 * Limits: VLAN tags are not carried.  Loss and reordering apply to what the
 * interface hands over: turn segmentation offload off at the sender if wire
 * packets are meant.
 */

#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fabric-tool.h"

#define FRAME_MAX (65536 + 128)
#define MAX_BYTES (256ull * 1024 * 1024)
#define MAX_FRAMES 1000000

/* Impairments of one direction, as given by the user:
 *
 *     NAME, unit, lowest, highest, what it is.
 */
#define RELAY_KNOBS                                                         \
    KNOB(DELAY,   "delay",   0, 60e6,       "microseconds of delay")        \
    KNOB(JITTER,  "jitter",  0, 60e6,       "up to so much more or less")   \
    KNOB(LOSS,    "loss",    0, 100,        "percentage of frames lost")    \
    KNOB(REORDER, "reorder", 0, 100,        "percentage sent without delay")\
    KNOB(LIMIT,   "limit",   1, MAX_FRAMES, "frames that may wait")         \
    KNOB(SPIN,    "spin",    0, 1000,       "microseconds awake before due")

enum knob {
#define KNOB(NAME, STRING, LOW, HIGH, HELP) KNOB_##NAME,
    RELAY_KNOBS
#undef KNOB
    N_KNOBS
};

static const struct {
    const char *name;
    double low, high;
    const char *help;
} knobs[N_KNOBS] = {
#define KNOB(NAME, STRING, LOW, HIGH, HELP) { STRING, LOW, HIGH, HELP },
    RELAY_KNOBS
#undef KNOB
};

#define RELAY_COUNTERS              \
    COUNTER(received)               \
    COUNTER(sent)                   \
    COUNTER(lost)                   \
    COUNTER(reordered)              \
    COUNTER(dropped_queue)          \
    COUNTER(dropped_size)           \
    COUNTER(dropped_send)

struct frame {
    int64_t due;                /* CLOCK_MONOTONIC, ns. */
    uint64_t seq;               /* Keeps equal due times in order. */
    size_t size;                /* Of 'data', virtio-net header included. */
    uint8_t *data;              /* Owned. */
};

/* One direction: received on 'rx_fd', sent by 'tx_fd'. */
struct direction {
    int rx_fd, tx_fd;
    double knob[N_KNOBS];
    int64_t last_due;
    uint64_t next_seq;
    struct frame *heap;         /* Of knob[KNOB_LIMIT] elements. */
    size_t n;
    uint64_t bytes;
#define COUNTER(NAME) uint64_t NAME;
    RELAY_COUNTERS
#undef COUNTER
};

static uint64_t random_state = 0x9e3779b97f4a7c15ull;

/* Returns a number in [0, 1), from xorshift64* (Marsaglia 2003, Vigna 2016):
 * the same sequence for the same seed. */
static double
random_fraction(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (random_state * 0x2545f4914f6cdd1dull >> 11) * 0x1p-53;
}

/* The heap. */

static bool
frame_before(const struct frame *a, const struct frame *b)
{
    return a->due != b->due ? a->due < b->due : a->seq < b->seq;
}

static void
heap_push(struct direction *d, struct frame frame)
{
    size_t i = d->n++;

    while (i && frame_before(&frame, &d->heap[(i - 1) / 2])) {
        d->heap[i] = d->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    d->heap[i] = frame;
    d->bytes += frame.size;
}

static struct frame
heap_pop(struct direction *d)
{
    struct frame top = d->heap[0];
    struct frame last = d->heap[--d->n];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= d->n) {
            break;
        }
        if (child + 1 < d->n
            && frame_before(&d->heap[child + 1], &d->heap[child])) {
            child++;
        }
        if (!frame_before(&d->heap[child], &last)) {
            break;
        }
        d->heap[i] = d->heap[child];
        i = child;
    }
    d->heap[i] = last;
    d->bytes -= top.size;
    return top;
}

/* Receiving and sending. */

/* Queues the 'size' bytes at 'data', which the kernel received at 'arrival'
 * (CLOCK_MONOTONIC). */
static void
enqueue(struct direction *d, const uint8_t *data, size_t size,
        int64_t arrival)
{
    struct frame frame = { .size = size };
    double delay = d->knob[KNOB_DELAY];

    d->received++;
    if (d->knob[KNOB_LOSS] > 100 * random_fraction()) {
        d->lost++;
        return;
    }
    if (d->n >= d->knob[KNOB_LIMIT] || d->bytes + size > MAX_BYTES) {
        d->dropped_queue++;
        return;
    }
    if (d->knob[KNOB_JITTER] > 0) {
        delay += d->knob[KNOB_JITTER] * (2 * random_fraction() - 1);
        if (delay < 0) {
            delay = 0;
        }
    }
    if (d->knob[KNOB_REORDER] > 100 * random_fraction()) {
        d->reordered++;
        frame.due = arrival;
    } else {
        frame.due = arrival + (int64_t) (delay * NSEC_PER_USEC);
        if (frame.due < d->last_due) {
            frame.due = d->last_due;
        }
        d->last_due = frame.due;
    }
    frame.seq = d->next_seq++;
    frame.data = malloc(size);
    if (!frame.data) {
        d->dropped_queue++;
        return;
    }
    memcpy(frame.data, data, size);
    heap_push(d, frame);
}

static void
receive(struct direction *d)
{
    static uint8_t buffers[TOOL_BATCH][FRAME_MAX];
    struct tool_message messages[TOOL_BATCH];
    /* 0 while the interface is down (ENETDOWN): frames come again later. */
    size_t n = tool_receive(d->rx_fd, buffers[0], FRAME_MAX, messages);
    int64_t now_real = tool_now(CLOCK_REALTIME);
    int64_t now = tool_now(CLOCK_MONOTONIC);

    for (size_t i = 0; i < n; i++) {
        const struct tool_message *m = &messages[i];

        if (m->truncated || m->size <= sizeof(struct virtio_net_hdr)) {
            d->dropped_size++;
        } else {
            int64_t age = now_real - m->when;

            /* The wall clock may have been set in between. */
            age = age < 0 || age > NSEC_PER_SEC ? 0 : age;
            enqueue(d, m->data, m->size, now - age);
        }
    }
}

/* Sends all frames of 'd' that are due.  Returns when the next one is, or
 * INT64_MAX. */
static int64_t
transmit(struct direction *d)
{
    while (d->n) {
        struct frame frame;

        if (d->heap[0].due > tool_now(CLOCK_MONOTONIC)) {
            return d->heap[0].due;
        }
        frame = heap_pop(d);
        if (send(d->tx_fd, frame.data, frame.size, 0) < 0) {
            d->dropped_send++;
        } else {
            d->sent++;
        }
        free(frame.data);
    }
    return INT64_MAX;
}

/* Relays until a signal sets 'tool_stop'.  Signals arrive only while waiting,
 * with 'wait_mask' in force, so that none is overlooked. */
static void
run(struct direction dirs[2], const sigset_t *wait_mask)
{
    while (!tool_stop) {
        struct pollfd pfds[2];
        struct timespec timeout;
        int64_t next = INT64_MAX;

        for (int i = 0; i < 2; i++) {
            int64_t due = transmit(&dirs[i]);

            if (due != INT64_MAX) {
                due -= (int64_t) (dirs[i].knob[KNOB_SPIN] * NSEC_PER_USEC);
            }
            next = due < next ? due : next;
            pfds[i] = (struct pollfd) { .fd = dirs[i].rx_fd,
                                        .events = POLLIN };
        }
        if (next != INT64_MAX) {
            int64_t left = next - tool_now(CLOCK_MONOTONIC);

            left = left < 0 ? 0 : left;
            timeout.tv_sec = left / NSEC_PER_SEC;
            timeout.tv_nsec = left % NSEC_PER_SEC;
        }
        if (ppoll(pfds, 2, next == INT64_MAX ? NULL : &timeout,
                  wait_mask) > 0) {
            for (int i = 0; i < 2; i++) {
                if (pfds[i].revents) {
                    receive(&dirs[i]);
                }
            }
        }
    }
}

/* Setting up. */

/* Returns a socket for all frames that arrive on interface 'name', whoever
 * they are for. */
static int
open_interface(const char *name)
{
    struct sockaddr_ll sll = { .sll_family = AF_PACKET,
                               .sll_protocol = htons(ETH_P_ALL) };
    struct packet_mreq mreq = { .mr_type = PACKET_MR_PROMISC };
    int on = 1;
    int fd;

    sll.sll_ifindex = mreq.mr_ifindex = if_nametoindex(name);
    if (!sll.sll_ifindex) {
        tool_fatal(errno, "%s", name);
    }
    fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (fd < 0) {
        tool_fatal(errno, "cannot open a packet socket");
    }
    if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on)
        || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on)
        || setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq,
                      sizeof mreq)
        || !tool_receive_prepare(fd)
        || bind(fd, (struct sockaddr *) &sll, sizeof sll)) {
        tool_fatal(errno, "%s: cannot set up a packet socket", name);
    }
    return fd;
}

/* Parses 's', "delay=5000,loss=0.5", into 'd'. */
static void
parse_direction(char *s, struct direction *d)
{
    char *token, *save = NULL;

    for (token = strtok_r(s, ",", &save); token;
         token = strtok_r(NULL, ",", &save)) {
        char *value = strchr(token, '=');
        int i;

        if (!value) {
            tool_fatal(0, "'%s' is not KEY=NUMBER", token);
        }
        *value++ = '\0';
        for (i = 0; i < N_KNOBS && strcmp(token, knobs[i].name); i++) {
            continue;
        }
        if (i == N_KNOBS) {
            tool_fatal(0, "unknown impairment '%s'", token);
        }
        d->knob[i] = tool_parse_number(token, value,
                                       knobs[i].low, knobs[i].high);
    }
}

static void
usage(void)
{
    printf("fabric-relay: carries frames between two interfaces, late\n"
           "usage: fabric-relay [OPTION]... A B\n"
           "  --ab=KEY=NUMBER,...  impairments from A to B\n"
           "  --ba=KEY=NUMBER,...  impairments from B to A\n"
           "  --seed=NUMBER        of all that is random\n"
           "  --pidfile=FILE       write the process id to FILE\n"
           "  --detach             go to the background once running\n"
           "  --log=FILE           output from there (default: /dev/null)\n"
           "Impairments:\n");
    for (int i = 0; i < N_KNOBS; i++) {
        printf("  %-8s %s\n", knobs[i].name, knobs[i].help);
    }
    printf("When told to end (SIGTERM) it prints its counters.\n");
}

static void
write_pidfile(const char *name, pid_t pid)
{
    FILE *file = fopen(name, "w");

    if (!file || fprintf(file, "%ld\n", (long) pid) < 0 || fclose(file)) {
        tool_fatal(errno, "%s", name);
    }
}

/* Goes on in the background, with 'log' for output.  The process that was
 * started ends, successfully, when the relay works and its pidfile is
 * complete. */
static void
go_to_background(const char *pidfile, const char *log)
{
    pid_t pid = fork();

    if (pid < 0) {
        tool_fatal(errno, "cannot fork");
    } else if (pid) {
        if (pidfile) {
            write_pidfile(pidfile, pid);
        }
        _exit(EXIT_SUCCESS);
    }
    setsid();
    if (!freopen("/dev/null", "r", stdin)
        || !freopen(log, "a", stdout)
        || !freopen(log, "a", stderr)) {
        exit(EXIT_FAILURE);
    }
}

static void
print_counters(const char *name, const struct direction *d)
{
    printf("%s:", name);
#define COUNTER(NAME) printf(" "#NAME"=%"PRIu64, d->NAME);
    RELAY_COUNTERS
#undef COUNTER
    putchar('\n');
}

int
main(int argc, char *argv[])
{
    enum { OPT_AB = 256, OPT_BA, OPT_SEED, OPT_PIDFILE, OPT_DETACH,
           OPT_LOG };
    static const struct option options[] = {
        { "ab", required_argument, NULL, OPT_AB },
        { "ba", required_argument, NULL, OPT_BA },
        { "seed", required_argument, NULL, OPT_SEED },
        { "pidfile", required_argument, NULL, OPT_PIDFILE },
        { "detach", no_argument, NULL, OPT_DETACH },
        { "log", required_argument, NULL, OPT_LOG },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct direction dirs[2];
    sigset_t mask, old_mask;
    const char *pidfile = NULL;
    const char *log = "/dev/null";
    bool detach = false;
    int c;

    memset(dirs, 0, sizeof dirs);
    dirs[0].knob[KNOB_LIMIT] = dirs[1].knob[KNOB_LIMIT] = 100000;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
        switch (c) {
        case OPT_AB:
        case OPT_BA:
            parse_direction(optarg, &dirs[c == OPT_BA]);
            break;
        case OPT_SEED:
            random_state += 2 * strtoull(optarg, NULL, 0);
            break;
        case OPT_PIDFILE:
            pidfile = optarg;
            break;
        case OPT_DETACH:
            detach = true;
            break;
        case OPT_LOG:
            log = optarg;
            break;
        case 'h':
            usage();
            return 0;
        default:
            return EXIT_FAILURE;
        }
    }
    if (argc - optind != 2) {
        tool_fatal(0, "two interfaces are needed (see --help)");
    }

    dirs[0].rx_fd = dirs[1].tx_fd = open_interface(argv[optind]);
    dirs[1].rx_fd = dirs[0].tx_fd = open_interface(argv[optind + 1]);
    for (int i = 0; i < 2; i++) {
        dirs[i].heap = calloc(dirs[i].knob[KNOB_LIMIT],
                              sizeof *dirs[i].heap);
        if (!dirs[i].heap) {
            tool_fatal(ENOMEM, "queue");
        }
    }
    tool_catch_signals();
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    sigprocmask(SIG_BLOCK, &mask, &old_mask);
    if (detach) {
        go_to_background(pidfile, log);
    } else if (pidfile) {
        write_pidfile(pidfile, getpid());
    }
    /* Being late is our only job: nobody else may decide by how much. */
    tool_become_punctual();
    mlockall(MCL_CURRENT);
    run(dirs, &old_mask);
    print_counters("ab", &dirs[0]);
    print_counters("ba", &dirs[1]);
    return 0;
}
