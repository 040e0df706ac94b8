/* SPDX-License-Identifier: Apache-2.0 */

/* ovs-fabric - looks at fabrics, and cleans up after them.
 * ========================================================
 *
 * "top" shows endpoints and paths as they are now, "map" draws them.  Both
 * only ask ovs-vswitchd.  "cleanup" removes what ovs-vswitchd has left in the
 * kernel, and asks nobody.  See ovs-fabric(8). */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command-line.h"
#include "fabric-cleanup.h"
#include "fabric-map.h"
#include "fabric-switch-view.h"
#include "fabric-top.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

/* How long ovs-vswitchd may take to reply to "map", ms. */
#define MAP_TIMEOUT 30000

struct options {
    struct top top;
    bool batch;
    unsigned int count;
    const char *output;
    bool force;
    bool dry_run;
};

OVS_NO_RETURN static void
usage(void)
{
    printf("\
%s: looks at the tunnel fabrics of this host\n\
usage: %s [OPTION]... top [[FABRIC/]ENDPOINT]\n\
       %s [OPTION]... map\n\
       %s [OPTION]... cleanup\n\
top shows endpoints, or the paths to one, as they are now:\n\
  --once                 print them once\n\
  --batch=N              print them N times\n\
  -i, --interval=SECS    seconds from one time to the next (default: 1)\n\
  -s, --sort=ORDER       one of",
           program_name, program_name, program_name, program_name);
    for (size_t i = 0; i < TOP_N_SORTS; i++) {
        printf("%s %s", i ? "," : "", top_sort_to_string(i));
    }
    printf(" (default: health)\n\
  -r, --reverse          reverse the order\n\
  -f, --filter=TEXT      only what has TEXT in its name, address or state\n\
  -b, --bad              only what is not well\n\
map draws this host, the others and the paths to them, as SVG:\n\
  -o, --output=FILE      write to FILE instead of standard output\n\
cleanup removes what an ovs-vswitchd that is gone has left in the kernel:\n\
  -n, --dry-run          only say what there is to remove\n\
      --force            also while ovs-vswitchd runs\n\
Other options:\n\
  -t, --target=TARGET    pidfile or socket of ovs-vswitchd\n\
  -h, --help             display this help message\n\
  -V, --version          display version information\n");
    vlog_usage();
    exit(EXIT_SUCCESS);
}

static long long int
parse_interval(const char *s)
{
    char *end;
    double seconds;

    errno = 0;
    seconds = strtod(s, &end);
    if (errno || end == s || *end || !(seconds >= .1 && seconds <= 3600)) {
        ovs_fatal(0, "interval \"%s\" is not a number of seconds from 0.1 to "
                  "3600", s);
    }
    return llrint(seconds * 1000);
}

static void
parse_options(int argc, char *argv[], struct options *options)
{
    enum {
        OPT_ONCE = UCHAR_MAX + 1,
        OPT_BATCH,
        OPT_FORCE,
        VLOG_OPTION_ENUMS
    };
    static const struct option long_options[] = {
        {"once", no_argument, NULL, OPT_ONCE},
        {"batch", required_argument, NULL, OPT_BATCH},
        {"interval", required_argument, NULL, 'i'},
        {"sort", required_argument, NULL, 's'},
        {"reverse", no_argument, NULL, 'r'},
        {"filter", required_argument, NULL, 'f'},
        {"bad", no_argument, NULL, 'b'},
        {"output", required_argument, NULL, 'o'},
        {"dry-run", no_argument, NULL, 'n'},
        {"force", no_argument, NULL, OPT_FORCE},
        {"target", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        VLOG_LONG_OPTIONS,
        {NULL, 0, NULL, 0},
    };
    char *short_options = ovs_cmdl_long_options_to_short_options(long_options);
    struct top *top = &options->top;

    for (;;) {
        int c = getopt_long(argc, argv, short_options, long_options, NULL);

        if (c == -1) {
            break;
        }
        switch (c) {
        case OPT_ONCE:
            options->batch = true;
            options->count = 1;
            break;
        case OPT_BATCH:
            options->batch = true;
            if (!str_to_uint(optarg, 10, &options->count)
                || !options->count) {
                ovs_fatal(0, "\"%s\" is not how many times to print", optarg);
            }
            break;
        case 'i': top->interval = parse_interval(optarg); break;
        case 's':
            if (!top_sort_from_string(optarg, &top->sort)) {
                ovs_fatal(0, "no order \"%s\" (use --help for help)", optarg);
            }
            break;
        case 'r': top->reverse = true; break;
        case 'f':
            free(top->filter);
            top->filter = *optarg ? xstrdup(optarg) : NULL;
            break;
        case 'b': top->bad_only = true; break;
        case 'o': options->output = optarg; break;
        case 'n': options->dry_run = true; break;
        case OPT_FORCE: options->force = true; break;
        case 't': top->target = optarg; break;
        case 'h': usage();
        case 'V': ovs_print_version(0, 0); exit(EXIT_SUCCESS);
        VLOG_OPTION_HANDLERS
        case '?': exit(EXIT_FAILURE);
        default: OVS_NOT_REACHED();
        }
    }
    free(short_options);
}

static void
run_top(struct options *options, const char *endpoint)
{
    struct top *top = &options->top;
    char *error;

    if (options->output) {
        ovs_fatal(0, "top: --output is an option of \"map\"");
    }
    top_read(top);
    if (top->error) {
        ovs_fatal(0, "%s", top->error);
    }
    error = endpoint ? top_open(top, endpoint) : NULL;
    if (!error && top->opened && top->view->no_paths) {
        top_read(top);
    }
    if (!error) {
        error = options->batch ? top_batch(top, options->count)
                : top_screen(top);
    }
    if (error) {
        ovs_fatal(0, "%s", error);
    }
}

/* Writes 's' to 'name' so that who reads it sees the old file or the whole new
 * one.  What is not a file, such as a pipe, is written directly. */
static void
write_file(const char *name, const struct ds *s)
{
    char *temporary = NULL;
    struct stat st;
    FILE *stream;

    if (stat(name, &st) || S_ISREG(st.st_mode)) {
        temporary = xasprintf("%s.%ld.tmp", name, (long int) getpid());
    }
    stream = fopen(temporary ? temporary : name, "w");
    if (!stream) {
        ovs_fatal(errno, "cannot write \"%s\"", name);
    }
    if (fwrite(s->string, s->length, 1, stream) != 1 || fclose(stream)
        || (temporary && rename(temporary, name))) {
        int error = errno;

        if (temporary) {
            unlink(temporary);
        }
        ovs_fatal(error, "cannot write \"%s\"", name);
    }
    free(temporary);
}

static void
run_map(const struct options *options)
{
    struct ds svg = DS_EMPTY_INITIALIZER;
    char host[256] = "";
    struct view *view;
    char *error, *now;

    if (options->batch) {
        ovs_fatal(0, "map: --once and --batch are options of \"top\"");
    }
    error = view_read(options->top.target, NULL, SIZE_MAX, MAP_TIMEOUT, &view);
    if (error) {
        ovs_fatal(0, "%s", error);
    }
    gethostname(host, sizeof host - 1);
    now = xastrftime_msec("%Y-%m-%d %H:%M:%S %Z", time_wall_msec(), false);
    map_draw(view, host, now, &svg);
    if (options->output && strcmp(options->output, "-")) {
        write_file(options->output, &svg);
    } else if (fwrite(svg.string, svg.length, 1, stdout) != 1
               || fflush(stdout)) {
        ovs_fatal(errno, "cannot write");
    }
    free(now);
    view_destroy(view);
    ds_destroy(&svg);
}

static int
run_command(int argc, char *argv[], struct options *options)
{
    const char *command = argv[0];

    if (strcmp(command, "cleanup") && (options->force || options->dry_run)) {
        ovs_fatal(0, "%s: --force and --dry-run are options of \"cleanup\"",
                  command);
    }
    if (!strcmp(command, "top") && argc <= 2) {
        run_top(options, argv[1]);
    } else if (!strcmp(command, "map") && argc == 1) {
        run_map(options);
    } else if (!strcmp(command, "cleanup") && argc == 1) {
        return cleanup(options->force, options->dry_run);
    } else if (!strcmp(command, "top") || !strcmp(command, "map")
               || !strcmp(command, "cleanup")) {
        ovs_fatal(0, "%s: unexpected argument \"%s\"", command,
                  argv[argc - 1]);
    } else {
        ovs_fatal(0, "unknown command \"%s\" (use --help for help)", command);
    }
    return EXIT_SUCCESS;
}

int
main(int argc, char *argv[])
{
    struct options options = { .batch = false };
    int status;

    set_program_name(argv[0]);
    /* What is wrong is said once, by us. */
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_OFF);
    top_init(&options.top);
    parse_options(argc, argv, &options);
    argc -= optind;
    argv += optind;
    if (!argc) {
        ovs_fatal(0, "missing command: \"top\", \"map\" or \"cleanup\" (use "
                  "--help for help)");
    }
    status = run_command(argc, argv, &options);
    top_destroy(&options.top);
    return status;
}
