/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_CHECK_H
#define FABRIC_CHECK_H 1

/* Checks for unit tests.
 * ======================
 *
 * A check that fails says where, what was expected and what was found, and
 * ends the program with status 1.  A property that holds prints a dot. */

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "openvswitch/compiler.h"
#include "util.h"

/* Compares integers. */
#define CHECK_EQ(ACTUAL, EXPECTED)              \
    fabric_check_eq__(__FILE__, __LINE__, #ACTUAL, ACTUAL, EXPECTED)

#define CHECK_TRUE(ACTUAL) CHECK_EQ(!!(ACTUAL), 1)
#define CHECK_FALSE(ACTUAL) CHECK_EQ(!!(ACTUAL), 0)

/* Compares 'SIZE' bytes. */
#define CHECK_BYTES(ACTUAL, EXPECTED, SIZE)                             \
    fabric_check_bytes__(__FILE__, __LINE__, #ACTUAL, ACTUAL, EXPECTED, \
                         SIZE)

static inline void
fabric_check_eq__(const char *file, int line, const char *what,
                  uint64_t actual, uint64_t expected)
{
    if (actual != expected) {
        printf("\n%s:%d: %s is %"PRIu64" (%#"PRIx64"), "
               "expected %"PRIu64" (%#"PRIx64")\n",
               file, line, what, actual, actual, expected, expected);
        exit(1);
    }
}

static inline void
fabric_check_bytes__(const char *file, int line, const char *what,
                     const void *actual_, const void *expected_, size_t size)
{
    const uint8_t *actual = actual_;
    const uint8_t *expected = expected_;

    for (size_t i = 0; i < size; i++) {
        if (actual[i] != expected[i]) {
            printf("\n%s:%d: byte %"PRIuSIZE" of %"PRIuSIZE" of %s is %#x, "
                   "expected %#x\n",
                   file, line, i, size, what, actual[i], expected[i]);
            exit(1);
        }
    }
}

/* Runs 'PROPERTY', a function without arguments. */
#define CHECK_PROPERTY(PROPERTY)                \
    do {                                        \
        PROPERTY();                             \
        putchar('.');                           \
        fflush(stdout);                         \
    } while (0)

#endif /* fabric-check.h */
