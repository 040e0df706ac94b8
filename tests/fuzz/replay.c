/* SPDX-License-Identifier: Apache-2.0 */

/* Stands in for libFuzzer where there is none: runs a fuzz target on each file
 * given as an argument.  Each input is copied to memory of its exact size, for
 * the address sanitizer to see the first byte read beyond it. */

#include <config.h>

#include "fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "util.h"

int
main(int argc, char *argv[])
{
    static uint8_t buffer[1 << 20];

    set_program_name(argv[0]);
    for (int i = 1; i < argc; i++) {
        FILE *stream = fopen(argv[i], "rb");
        if (!stream) {
            ovs_fatal(errno, "%s: open failed", argv[i]);
        }

        size_t size = fread(buffer, 1, sizeof buffer, stream);
        uint8_t *data = xmemdup(buffer, MAX(size, 1));
        LLVMFuzzerTestOneInput(data, size);
        free(data);
        fclose(stream);
    }
    printf("%d inputs\n", argc - 1);
    return 0;
}
