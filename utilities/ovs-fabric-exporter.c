/* SPDX-License-Identifier: Apache-2.0 */

/* ovs-fabric-exporter - gives metrics of fabrics to Prometheus.
 * =============================================================
 *
 * Whoever scrapes /metrics makes it ask ovs-vswitchd, but not more often than
 * once in CACHE_MS: all scrapers in that time get the same answer.  See
 * ovs-fabric-exporter(8).  One thread. */

#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command-line.h"
#include "daemon.h"
#include "dirs.h"
#include "fabric-http.h"
#include "fabric-metrics.h"
#include "fabric-switch-view.h"
#include "fatal-signal.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_exporter);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

#define DEFAULT_PORT 9475

/* How long a collection serves, ms. */
#define CACHE_MS 1000

/* How long ovs-vswitchd may take to reply, ms; Prometheus waits 10 s. */
#define TIMEOUT_MS 3000

/* Time for a client's request and answer, s. */
#define CLIENT_TIMEOUT 20

#define MAX_CLIENTS 64

struct exporter {
    const char *target;
    char *unixctl_path;
    struct metrics_config limits;
    struct sockaddr_storage address;
    struct http_config http;

    /* The last collection. */
    bool collected;
    long long int when;         /* time_msec() at its end. */
    struct view *view;          /* Or NULL if it failed. */
    double seconds;
    unsigned long long int n_collections, n_errors;
    struct MHD_Response *responses[2]; /* Text, OpenMetrics; or NULL. */
    struct MHD_Response *index; /* The page at /. */

    bool exiting;
};

/* libmicrohttpd's callback for pages has no argument. */
static struct exporter exporter = {
    .target = "ovs-vswitchd",
    .limits = { .max_paths = 1000, .max_endpoints = 2000 },
    .http = { .deadline = CLIENT_TIMEOUT * 1000,
              .max_clients = MAX_CLIENTS },
};

/* Collecting. */

static void
forget(struct exporter *e)
{
    for (size_t i = 0; i < ARRAY_SIZE(e->responses); i++) {
        if (e->responses[i]) {
            MHD_destroy_response(e->responses[i]);
            e->responses[i] = NULL;
        }
    }
    view_destroy(e->view);
    e->view = NULL;
}

static void
collect(struct exporter *e)
{
    long long int start = time_usec();
    bool failed_before = e->collected && !e->view;
    char *error;

    forget(e);
    error = view_read(e->target, NULL,
                      MAX(e->limits.max_paths, METRICS_MAX_READ), TIMEOUT_MS,
                      &e->view);
    if (error) {
        VLOG_WARN_RL(&rl, "cannot collect: %s", error);
        free(error);
        e->n_errors++;
    } else if (failed_before) {
        VLOG_INFO_RL(&rl, "collecting again");
    }
    e->collected = true;
    e->n_collections++;
    e->seconds = (time_usec() - start) / 1e6;
    e->when = time_msec();
}

static struct MHD_Response *
make_response(const struct ds *text, const char *type)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        text->length, text->string, MHD_RESPMEM_MUST_COPY);

    if (!response) {
        ovs_abort(0, "cannot make a response");
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    return response;
}

static struct MHD_Response *
get_metrics(struct exporter *e, bool openmetrics)
{
    struct MHD_Response **response = &e->responses[openmetrics];

    if (!e->collected || time_msec() >= e->when + CACHE_MS) {
        collect(e);
    }
    if (!*response) {
        struct metrics_collection collection = {
            .view = e->view, .seconds = e->seconds, .n_errors = e->n_errors,
        };
        struct ds text = DS_EMPTY_INITIALIZER;

        metrics_format(&e->limits, &collection, openmetrics, &text);
        *response = make_response(&text, (openmetrics ? METRICS_OPENMETRICS
                                          : METRICS_TEXT));
        ds_destroy(&text);
    }
    return *response;
}

static struct MHD_Response *
get_index(struct exporter *e)
{
    if (!e->index) {
        struct ds text = DS_EMPTY_INITIALIZER;

        ds_put_cstr(&text, "<!DOCTYPE html>\n<html lang=\"en\"><head><title>"
                    "ovs-fabric-exporter</title></head>\n<body><h1>"
                    "ovs-fabric-exporter</h1>\n<p><a href=\"/metrics\">"
                    "Metrics</a></p></body></html>\n");
        e->index = make_response(&text, "text/html; charset=utf-8");
        ds_destroy(&text);
    }
    return e->index;
}

static struct MHD_Response *
get_page(const char *path, const char *accept)
{
    return (!strcmp(path, "/metrics")
            ? get_metrics(&exporter, metrics_accepts_openmetrics(accept))
            : !strcmp(path, "/") ? get_index(&exporter)
            : NULL);
}

/* Commands. */

static void
cmd_exit(struct unixctl_conn *conn, int argc OVS_UNUSED,
         const char *argv[] OVS_UNUSED, void *e_)
{
    struct exporter *e = e_;

    e->exiting = true;
    unixctl_command_reply(conn, NULL);
}

static void
cmd_reload(struct unixctl_conn *conn, int argc OVS_UNUSED,
           const char *argv[] OVS_UNUSED, void *server)
{
    char *error = http_server_reload(server);

    if (error) {
        unixctl_command_reply_error(conn, error);
        free(error);
    } else {
        VLOG_INFO("certificate and credentials read again");
        unixctl_command_reply(conn, NULL);
    }
}

static void
cmd_show(struct unixctl_conn *conn, int argc OVS_UNUSED,
         const char *argv[] OVS_UNUSED, void *server)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    char *name = http_server_name(server);

    ds_put_format(&s, "listening on %s%s\n"
                  "%llu requests, %llu collections, %llu failed, "
                  "%llu slow clients", name,
                  exporter.http.certificate ? " with TLS" : "",
                  http_server_n_requests(server), exporter.n_collections,
                  exporter.n_errors, http_server_n_slow(server));
    unixctl_command_reply(conn, ds_cstr(&s));
    ds_destroy(&s);
    free(name);
}

/* Options. */

OVS_NO_RETURN static void
usage(void)
{
    printf("\
%s: gives metrics of tunnel fabrics to Prometheus\n\
usage: %s [OPTION]...\n\
Serving:\n\
  -l, --listen=IP[:PORT]   listen here (default: 127.0.0.1:%d)\n\
  -c, --certificate=FILE   serve HTTPS with this certificate chain\n\
  -p, --private-key=FILE   and its private key\n\
  -a, --auth-file=FILE     require one of the credentials in FILE: lines\n\
                           \"bearer TOKEN\" or \"basic USER:PASSWORD\"\n\
  --client-timeout=SECS    cut off slower clients (default: %d)\n\
Metrics:\n\
  --max-paths=N            no metrics of single paths beyond (default: %"
           PRIuSIZE")\n\
  --max-endpoints=N        nor of endpoints beyond (default: %"PRIuSIZE")\n\
  --list-metrics           print what metrics there are\n",
           program_name, program_name, DEFAULT_PORT,
           CLIENT_TIMEOUT, exporter.limits.max_paths,
           exporter.limits.max_endpoints);
    daemon_usage();
    vlog_usage();
    printf("\n\
Other options:\n\
  -t, --target=TARGET      pidfile or socket of ovs-vswitchd\n\
  --unixctl=SOCKET         override default control socket name\n\
  -h, --help               display this help message\n\
  -V, --version            display version information\n");
    exit(EXIT_SUCCESS);
}

/* Parses IP[:PORT], where an IPv6 address is in brackets if there is a
 * port. */
static bool
parse_address(const char *s, struct sockaddr_storage *ss)
{
    char *copy = xstrdup(s[0] == '[' ? s + 1 : s);
    struct sockaddr_in6 *sin6 = ALIGNED_CAST(struct sockaddr_in6 *, ss);
    struct sockaddr_in *sin = ALIGNED_CAST(struct sockaddr_in *, ss);
    char *port_s = NULL;
    int port = DEFAULT_PORT;
    bool ok = true;

    memset(ss, 0, sizeof *ss);
    if (s[0] == '[') {
        char *end = strchr(copy, ']');

        ok = end && (!end[1] || end[1] == ':');
        if (ok) {
            port_s = end[1] ? end + 2 : NULL;
            *end = '\0';
        }
    } else if (strchr(copy, ':') == strrchr(copy, ':')) {
        char *colon = strchr(copy, ':');

        if (colon) {
            port_s = colon + 1;
            *colon = '\0';
        }
    }
    if (ok && port_s) {
        ok = str_to_int(port_s, 10, &port) && port >= 0 && port <= 65535;
    }
    if (ok && s[0] != '[' && ip_parse(copy, &sin->sin_addr.s_addr)) {
        sin->sin_family = AF_INET;
        sin->sin_port = htons(port);
    } else if (ok && ipv6_parse(copy, &sin6->sin6_addr)) {
        sin6->sin6_family = AF_INET6;
        sin6->sin6_port = htons(port);
    } else {
        ok = false;
    }
    free(copy);
    return ok;
}

static size_t
parse_number(const char *what, const char *s)
{
    unsigned int n;

    if (!str_to_uint(s, 10, &n) || n > INT_MAX / 1000) {
        ovs_fatal(0, "%s: \"%s\" is not a number up to %d", what, s,
                  INT_MAX / 1000);
    }
    return n;
}

static void
parse_options(int argc, char *argv[], struct exporter *e)
{
    enum {
        OPT_MAX_PATHS = UCHAR_MAX + 1,
        OPT_MAX_ENDPOINTS,
        OPT_LIST_METRICS,
        OPT_CLIENT_TIMEOUT,
        OPT_UNIXCTL,
        DAEMON_OPTION_ENUMS,
        VLOG_OPTION_ENUMS
    };
    static const struct option long_options[] = {
        {"listen", required_argument, NULL, 'l'},
        {"certificate", required_argument, NULL, 'c'},
        {"private-key", required_argument, NULL, 'p'},
        {"auth-file", required_argument, NULL, 'a'},
        {"client-timeout", required_argument, NULL, OPT_CLIENT_TIMEOUT},
        {"max-paths", required_argument, NULL, OPT_MAX_PATHS},
        {"max-endpoints", required_argument, NULL, OPT_MAX_ENDPOINTS},
        {"list-metrics", no_argument, NULL, OPT_LIST_METRICS},
        {"target", required_argument, NULL, 't'},
        {"unixctl", required_argument, NULL, OPT_UNIXCTL},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        DAEMON_LONG_OPTIONS,
        VLOG_LONG_OPTIONS,
        {NULL, 0, NULL, 0},
    };
    char *short_options = ovs_cmdl_long_options_to_short_options(long_options);
    struct ds list = DS_EMPTY_INITIALIZER;

    for (;;) {
        int c = getopt_long(argc, argv, short_options, long_options, NULL);

        if (c == -1) {
            break;
        }
        switch (c) {
        case 'l':
            if (!parse_address(optarg, &e->address)) {
                ovs_fatal(0, "--listen: \"%s\" is not IP[:PORT]", optarg);
            }
            break;
        /* A daemon has / as its working directory. */
        case 'c': e->http.certificate = abs_file_name(NULL, optarg); break;
        case 'p': e->http.private_key = abs_file_name(NULL, optarg); break;
        case 'a': e->http.auth_file = abs_file_name(NULL, optarg); break;
        case OPT_CLIENT_TIMEOUT:
            e->http.deadline
                = parse_number("--client-timeout", optarg) * 1000;
            if (!e->http.deadline) {
                ovs_fatal(0, "--client-timeout: at least 1 is needed");
            }
            break;
        case OPT_MAX_PATHS:
            e->limits.max_paths = parse_number("--max-paths", optarg);
            break;
        case OPT_MAX_ENDPOINTS:
            e->limits.max_endpoints = parse_number("--max-endpoints", optarg);
            break;
        case OPT_LIST_METRICS:
            metrics_list(&list);
            fputs(ds_cstr(&list), stdout);
            exit(EXIT_SUCCESS);
        case 't': e->target = optarg; break;
        case OPT_UNIXCTL: e->unixctl_path = optarg; break;
        case 'h': usage();
        case 'V': ovs_print_version(0, 0); exit(EXIT_SUCCESS);
        DAEMON_OPTION_HANDLERS
        VLOG_OPTION_HANDLERS
        case '?': exit(EXIT_FAILURE);
        default: OVS_NOT_REACHED();
        }
    }
    free(short_options);
    if (optind < argc) {
        ovs_fatal(0, "unexpected argument \"%s\" (use --help for help)",
                  argv[optind]);
    }
    if (!e->http.certificate != !e->http.private_key) {
        ovs_fatal(0, "--certificate and --private-key need each other");
    }
}

static bool
is_loopback(const struct sockaddr_storage *ss)
{
    if (ss->ss_family == AF_INET) {
        const struct sockaddr_in *sin
            = ALIGNED_CAST(const struct sockaddr_in *, ss);

        return ntohl(sin->sin_addr.s_addr) >> 24 == 127;
    }
    return IN6_IS_ADDR_LOOPBACK(
        &ALIGNED_CAST(const struct sockaddr_in6 *, ss)->sin6_addr);
}

int
main(int argc, char *argv[])
{
    struct unixctl_server *unixctl;
    struct http_server *server;
    char *error, *name;
    int retval;

    ovs_cmdl_proctitle_init(argc, argv);
    set_program_name(argv[0]);
    ovs_assert(parse_address("127.0.0.1", &exporter.address));
    parse_options(argc, argv, &exporter);
    fatal_ignore_sigpipe();
    daemon_become_new_user(false, false);
    daemonize_start(false, false);

    exporter.http.address = &exporter.address;
    exporter.http.get = get_page;
    error = http_server_create(&exporter.http, &server);
    if (error) {
        ovs_fatal(0, "%s", error);
    }
    retval = unixctl_server_create(exporter.unixctl_path, &unixctl);
    if (retval) {
        exit(EXIT_FAILURE);
    }
    unixctl_command_register("exit", "", 0, 0, cmd_exit, &exporter);
    unixctl_command_register("exporter/reload", "", 0, 0, cmd_reload, server);
    unixctl_command_register("exporter/show", "", 0, 0, cmd_show, server);
    daemonize_complete();

    name = http_server_name(server);
    VLOG_INFO("listening on %s%s", name,
              exporter.http.certificate ? " with TLS" : "");
    free(name);
    if (!exporter.http.certificate && !is_loopback(&exporter.address)) {
        VLOG_WARN("everyone on the network can read what is sent; use "
                  "--certificate and --private-key");
    }

    while (!exporter.exiting) {
        unixctl_server_run(unixctl);
        http_server_run(server);
        unixctl_server_wait(unixctl);
        http_server_wait(server);
        if (exporter.exiting) {
            poll_immediate_wake();
        }
        poll_block();
    }
    http_server_destroy(server);
    unixctl_server_destroy(unixctl);
    forget(&exporter);
    if (exporter.index) {
        MHD_destroy_response(exporter.index);
    }
    return 0;
}
