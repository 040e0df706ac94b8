/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fabric-rr - how long one byte there and one back takes over TCP.
 * ================================================================
 *
 *     fabric-rr serve
 *     fabric-rr measure ADDRESS SECONDS
 *
 * The first serves one connection.  The second exchanges bytes with it, one at
 * a time, and prints how many exchanges there were in a second, and the median
 * and the 99th percentile of their durations, in us.
 */

#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fabric-tool.h"

#define PORT 7001
#define MAX_SECONDS 60
#define MAX_SAMPLES (4 * 1000 * 1000)

static void
set_no_delay(int fd)
{
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static int
serve(void)
{
    struct sockaddr_in6 sin6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(PORT),
    };
    int listener = socket(AF_INET6, SOCK_STREAM, 0);
    int one = 1, zero = 0;
    char byte;
    int fd;

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    if (listener < 0 || bind(listener, (struct sockaddr *) &sin6, sizeof sin6)
        || listen(listener, 1)) {
        tool_fatal(errno, "cannot listen");
    }
    fputs("ready\n", stderr);
    fd = accept(listener, NULL, NULL);
    if (fd < 0) {
        tool_fatal(errno, "cannot accept");
    }
    set_no_delay(fd);
    while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1) {
        continue;
    }
    return 0;
}

static int
connect_to(const char *address)
{
    struct sockaddr_in6 sin6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(PORT),
    };
    char mapped[INET6_ADDRSTRLEN + 8];
    int fd = socket(AF_INET6, SOCK_STREAM, 0);

    snprintf(mapped, sizeof mapped, "%s%s",
             strchr(address, ':') ? "" : "::ffff:", address);
    if (inet_pton(AF_INET6, mapped, &sin6.sin6_addr) != 1) {
        tool_fatal(0, "'%s' is no IP address", address);
    }
    if (fd < 0 || connect(fd, (struct sockaddr *) &sin6, sizeof sin6)) {
        tool_fatal(errno, "%s", address);
    }
    set_no_delay(fd);
    return fd;
}

static int
compare(const void *a_, const void *b_)
{
    const uint32_t *a = a_, *b = b_;

    return *a < *b ? -1 : *a > *b;
}

static int
measure(const char *address, double seconds)
{
    int64_t start, end, now, last;
    uint32_t *samples = malloc(MAX_SAMPLES * sizeof *samples);
    int fd = connect_to(address);
    size_t n = 0;
    char byte = 0;

    if (!samples) {
        tool_fatal(ENOMEM, "samples");
    }
    start = last = tool_now(CLOCK_MONOTONIC);
    end = start + seconds * NSEC_PER_SEC;
    do {
        if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1) {
            tool_fatal(errno, "the connection ended");
        }
        now = tool_now(CLOCK_MONOTONIC);
        samples[n++] = now - last;
        last = now;
    } while (now < end && n < MAX_SAMPLES);
    qsort(samples, n, sizeof *samples, compare);
    printf("%.0f %.2f %.2f\n", n / ((now - start) / (double) NSEC_PER_SEC),
           samples[n / 2] / 1000.0, samples[n * 99 / 100] / 1000.0);
    free(samples);
    return 0;
}

int
main(int argc, char *argv[])
{
    if (argc == 2 && !strcmp(argv[1], "serve")) {
        return serve();
    }
    if (argc == 4 && !strcmp(argv[1], "measure")) {
        return measure(argv[2], tool_parse_number("SECONDS", argv[3], 0.1,
                                                  MAX_SECONDS));
    }
    fputs("usage: fabric-rr serve | measure ADDRESS SECONDS\n", stderr);
    return EXIT_FAILURE;
}
