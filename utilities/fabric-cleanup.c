/* SPDX-License-Identifier: Apache-2.0 */

/* Whether ovs-vswitchd uses the fast path is told by its tap interface, which
 * the kernel removes when the process ends in whatever way.  A tap that is
 * there and that can be opened has been made persistent by someone, and has no
 * process. */

#include <config.h>

#include "fabric-cleanup.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fabric-filters.h"
#include "svec.h"
#include "util.h"

enum tap_state {
    TAP_NOT_OURS,
    TAP_IN_USE,
    TAP_LEFT,
    TAP_UNKNOWN                 /* With errno. */
};

/* Whether 'name' is one that the fast path gives to its tap. */
static bool
is_tap_name(const char *name)
{
    if (strncmp(name, "weft", 4) || !name[4]) {
        return false;
    }
    for (name += 4; *name; name++) {
        if (!isdigit((unsigned char) *name)) {
            return false;
        }
    }
    return true;
}

/* Finds out about interface 'name' by opening it, and deletes it if 'delete'
 * and it has no process. */
static enum tap_state
probe_tap(const char *name, bool delete)
{
    struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    enum tap_state state = TAP_LEFT;
    int error = 0;

    if (fd < 0) {
        return TAP_UNKNOWN;
    }
    ovs_strlcpy(ifr.ifr_name, name, sizeof ifr.ifr_name);
    if (ioctl(fd, TUNSETIFF, &ifr)) {
        error = errno;
        state = (error == EBUSY ? TAP_IN_USE
                 : error == EINVAL ? TAP_NOT_OURS : TAP_UNKNOWN);
    } else if (delete && ioctl(fd, TUNSETPERSIST, 0)) {
        error = errno;
        state = TAP_UNKNOWN;
    }
    /* Without persistence, this deletes it. */
    close(fd);
    errno = error;
    return state;
}

/* Whether process 'pid' has opened tap 'name'. */
static bool
process_has_tap(const char *pid, const char *name)
{
    char *dir_name = xasprintf("/proc/%s/fdinfo", pid);
    char *wanted = xasprintf("iff:\t%s\n", name);
    DIR *dir = opendir(dir_name);
    struct dirent *entry;
    bool found = false;

    while (dir && !found && (entry = readdir(dir))) {
        char *file_name = xasprintf("%s/%s", dir_name, entry->d_name);
        FILE *stream = fopen(file_name, "r");
        char line[128];

        while (stream && !found && fgets(line, sizeof line, stream)) {
            found = !strcmp(line, wanted);
        }
        if (stream) {
            fclose(stream);
        }
        free(file_name);
    }
    if (dir) {
        closedir(dir);
    }
    free(wanted);
    free(dir_name);
    return found;
}

static bool
same_netns(const char *pid)
{
    char *file_name = xasprintf("/proc/%s/ns/net", pid);
    struct stat ours, theirs;
    bool same = (!stat("/proc/self/ns/net", &ours)
                 && !stat(file_name, &theirs)
                 && ours.st_dev == theirs.st_dev
                 && ours.st_ino == theirs.st_ino);

    free(file_name);
    return same;
}

/* Returns the number of the process that has opened tap 'name', as a string
 * that the caller must free, or NULL if that cannot be seen. */
static char *
find_process(const char *name)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    char *pid = NULL;

    while (dir && !pid && (entry = readdir(dir))) {
        if (isdigit((unsigned char) entry->d_name[0])
            && same_netns(entry->d_name)
            && process_has_tap(entry->d_name, name)) {
            pid = xstrdup(entry->d_name);
        }
    }
    if (dir) {
        closedir(dir);
    }
    return pid;
}

/* Stores the names of all taps in '*taps'.  Returns 0 or a positive errno. */
static int
list_taps(struct svec *taps)
{
    struct if_nameindex *ifs = if_nameindex();

    if (!ifs) {
        return errno;
    }
    for (size_t i = 0; ifs[i].if_index; i++) {
        if (is_tap_name(ifs[i].if_name)) {
            svec_add(taps, ifs[i].if_name);
        }
    }
    if_freenameindex(ifs);
    return 0;
}

/* Says that a process uses 'name'. */
static void
report_use(const char *name, bool force)
{
    char *pid = find_process(name);

    if (force) {
        printf("%s: kept, %s%s has it\n", name,
               pid ? "process " : "a process", pid ? pid : "");
    } else {
        fprintf(stderr, "%s: %s%s forwards packets by way of %s; stop it "
                "first, or use --force\n", program_name,
                pid ? "process " : "a process", pid ? pid : "", name);
    }
    free(pid);
}

/* Looks for processes that use the fast path. */
static bool
is_in_use(const struct svec *taps, bool force)
{
    bool in_use = false;
    const char *name;
    size_t i;

    SVEC_FOR_EACH (i, name, taps) {
        if (probe_tap(name, false) == TAP_IN_USE) {
            report_use(name, force);
            in_use = true;
        }
    }
    return in_use && !force;
}

static bool
remove_taps(const struct svec *taps, bool dry_run)
{
    const char *name;
    bool ok = true;
    size_t i;

    SVEC_FOR_EACH (i, name, taps) {
        switch (probe_tap(name, !dry_run)) {
        case TAP_LEFT:
            printf("%s: %s this tap, which has no process\n", name,
                   dry_run ? "would remove" : "removed");
            break;
        case TAP_UNKNOWN:
            fprintf(stderr, "%s: %s cannot be opened (%s)\n", program_name,
                    name, ovs_strerror(errno));
            ok = false;
            break;
        case TAP_IN_USE:
        case TAP_NOT_OURS:
            break;
        }
    }
    return ok;
}

static bool
remove_filters(bool dry_run)
{
    struct svec log = SVEC_EMPTY_INITIALIZER;
    int error = fabric_filters_remove_all(NULL, dry_run, &log);
    const char *line;
    size_t i;

    SVEC_FOR_EACH (i, line, &log) {
        puts(line);
    }
    svec_destroy(&log);
    if (error) {
        fprintf(stderr, "%s: not everything could be removed (%s)\n",
                program_name, ovs_strerror(error));
    }
    return !error;
}

enum cleanup_result
cleanup(bool force, bool dry_run)
{
    struct svec taps = SVEC_EMPTY_INITIALIZER;
    enum cleanup_result result = CLEANUP_OK;
    int error = list_taps(&taps);

    if (error) {
        ovs_fatal(error, "cannot list interfaces");
    }
    if (is_in_use(&taps, force)) {
        result = CLEANUP_IN_USE;
    } else {
        bool filters_ok = remove_filters(dry_run);
        bool taps_ok = remove_taps(&taps, dry_run);

        result = filters_ok && taps_ok ? CLEANUP_OK : CLEANUP_FAILED;
    }
    svec_destroy(&taps);
    return result;
}
