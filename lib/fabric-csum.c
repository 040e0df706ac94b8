/* SPDX-License-Identifier: Apache-2.0 */

/* Both halves of each 64-bit word go to accumulators of their own, where their
 * carries have room.  Copying in the same pass is almost free: the sum waits
 * for what it reads. */

#include <config.h>
#include "fabric-csum.h"

#include <stdbool.h>
#include <string.h>

#define BLOCK 64

/* Defines function NAME, which sums 'n' blocks of BLOCK bytes at 'data' in
 * vectors of LANES bytes and, if COPY, copies them to 'dst'. */
#define DEFINE_SUM_BLOCKS(NAME, LANES, COPY)                                \
    static uint64_t                                                         \
    NAME(void *dst, const void *data, size_t n)                             \
    {                                                                       \
        typedef uint64_t lanes __attribute__((vector_size(LANES)));         \
        typedef uint64_t unaligned_lanes                                    \
            __attribute__((vector_size(LANES), aligned(1), may_alias));     \
        const unaligned_lanes *p = data;                                    \
        unaligned_lanes *q = dst;                                           \
        lanes a = { 0 }, b = a, low = a + UINT32_MAX;                       \
        uint64_t sum = 0;                                                   \
                                                                            \
        for (; n; n--) {                                                    \
            _Pragma("GCC unroll 4")                                         \
            for (size_t i = 0; i < BLOCK / LANES; i++) {                    \
                lanes w = *p++;                                             \
                                                                            \
                if (COPY) {                                                 \
                    *q++ = w;                                               \
                }                                                           \
                a += w & low;                                               \
                b += w >> 32;                                               \
            }                                                               \
        }                                                                   \
        a += b;                                                             \
        for (size_t i = 0; i < LANES / sizeof sum; i++) {                   \
            sum += a[i];                                                    \
        }                                                                   \
        return sum;                                                         \
    }

/* 16 bytes for every CPU that runs Open vSwitch: the compiler splits vectors
 * where a CPU has none. */
DEFINE_SUM_BLOCKS(sum_blocks_16, 16, false)
DEFINE_SUM_BLOCKS(copy_blocks_16, 16, true)

#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("avx2"))) DEFINE_SUM_BLOCKS(sum_blocks_32, 32, false)
__attribute__((target("avx2"))) DEFINE_SUM_BLOCKS(copy_blocks_32, 32, true)
__attribute__((target("avx512f"))) DEFINE_SUM_BLOCKS(sum_blocks_64, 64, false)
__attribute__((target("avx512f"))) DEFINE_SUM_BLOCKS(copy_blocks_64, 64, true)
#define CPU_SUPPORTS(ISA) __builtin_cpu_supports(ISA)
#else
#define sum_blocks_32 sum_blocks_16
#define copy_blocks_32 copy_blocks_16
#define sum_blocks_64 sum_blocks_16
#define copy_blocks_64 copy_blocks_16
#define CPU_SUPPORTS(ISA) false
#endif

size_t
fabric_csum_max_lanes(void)
{
    return CPU_SUPPORTS("avx512f") ? 64 : CPU_SUPPORTS("avx2") ? 32 : 16;
}

/* Sums less than a block. */
static uint64_t
sum_rest(uint64_t sum, const uint8_t *p, size_t size)
{
    for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t),
                                     p += sizeof(uint64_t)) {
        uint64_t w;

        memcpy(&w, p, sizeof w);
        sum += (w & UINT32_MAX) + (w >> 32);
    }
    if (size >= sizeof(uint32_t)) {
        uint32_t w;

        memcpy(&w, p, sizeof w);
        sum += w;
        p += sizeof w;
        size -= sizeof w;
    }
    if (size) {
        uint8_t w[4] = { p[0], size > 1 ? p[1] : 0, size > 2 ? p[2] : 0, 0 };
        uint32_t x;

        memcpy(&x, w, sizeof x);
        sum += x;
    }
    return sum;
}

static inline uint64_t
sum_blocks(size_t lanes, const void *data, size_t n)
{
    return (lanes == 64 ? sum_blocks_64(NULL, data, n)
            : lanes == 32 ? sum_blocks_32(NULL, data, n)
            : sum_blocks_16(NULL, data, n));
}

static inline uint64_t
copy_blocks(size_t lanes, void *dst, const void *data, size_t n)
{
    return (lanes == 64 ? copy_blocks_64(dst, data, n)
            : lanes == 32 ? copy_blocks_32(dst, data, n)
            : copy_blocks_16(dst, data, n));
}

uint64_t
fabric_csum_by(size_t lanes, uint64_t sum, void *dst, const void *data,
               size_t size)
{
    size_t n = size / BLOCK;
    size_t rest = size % BLOCK;
    const uint8_t *tail = (const uint8_t *) data + n * BLOCK;

    if (n) {
        sum += (dst ? copy_blocks(lanes, dst, data, n)
                : sum_blocks(lanes, data, n));
    }
    if (dst && rest) {
        memcpy((uint8_t *) dst + n * BLOCK, tail, rest);
    }
    return sum_rest(sum, tail, rest);
}

uint64_t
fabric_csum_add(uint64_t sum, const void *data, size_t size)
{
    return (size < BLOCK ? sum_rest(sum, data, size)
            : fabric_csum_by(fabric_csum_max_lanes(), sum, NULL, data, size));
}

uint64_t
fabric_csum_copy(uint64_t sum, void *dst, const void *data, size_t size)
{
    return fabric_csum_by(fabric_csum_max_lanes(), sum, dst, data, size);
}

uint16_t
fabric_csum_fold(uint64_t sum)
{
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    return (sum & UINT16_MAX) + (sum >> 16);
}
