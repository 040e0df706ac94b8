/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_FUZZ_H
#define FABRIC_FUZZ_H 1

/* Fuzzers.
 * ========
 *
 * Each fuzz-NAME.c is a libFuzzer target: "make check-fuzz" builds and runs
 * them with clang.  In a normal build replay.c takes the place of libFuzzer,
 * so that "make check" runs each on its seeds.  Beyond reads and writes out of
 * bounds it looks for broken promises of the module's header, by FUZZ_CHECK,
 * which stops the fuzzer.
 *
 * make-seeds.py writes valid inputs to begin with.  A new target is four lines
 * in automake.mk, one in fuzz.at, and its seeds. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(CONDITION)                                           \
    do {                                                                \
        if (!(CONDITION)) {                                             \
            fprintf(stderr, "%s:%d: broken promise: %s\n",              \
                    __FILE__, __LINE__, #CONDITION);                    \
            abort();                                                    \
        }                                                               \
    } while (0)

#endif /* fuzz.h */
