/* SPDX-License-Identifier: Apache-2.0 */

/* The kernel's networking programs run in RCU read-side critical sections, and
 * membarrier(2) with MEMBARRIER_CMD_GLOBAL waits for a grace period of RCU.
 * Kernels with nohz_full processors refuse that; then a pause serves, which is
 * a thousand times longer than any program runs. */

#include <config.h>

#include "fabric-grace.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "timeval.h"
#include "util.h"

/* linux/membarrier.h, Linux 4.3+. */
#define CMD_GLOBAL (1 << 0)

#define PAUSE_MS 100

void
fabric_grace_wait(void)
{
#ifdef __NR_membarrier
    if (!syscall(__NR_membarrier, CMD_GLOBAL, 0, 0)) {
        return;
    }
#endif
    xnanosleep(PAUSE_MS * 1000 * 1000ULL);
}
