/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_CSUM_H
#define FABRIC_CSUM_H 1

/* Internet checksums, RFC 1071, of whole super-frames.
 * ====================================================
 *
 * Sums are kept in 64 bits in the order in which the bytes lie in memory
 * (section 2 (B)), so 2**32 words fit before the carries have to be folded.
 *
 * Thread-safety: pure functions, any thread. */

#include <stddef.h>
#include <stdint.h>

/* Adds the 'size' bytes at 'data', as 16-bit words in the order of memory, to
 * the ones' complement sum 'sum'.  Only the last piece of data may have an odd
 * size. */
uint64_t fabric_csum_add(uint64_t sum, const void *data, size_t size);

/* Likewise, and copies the data to 'dst', which must not overlap it. */
uint64_t fabric_csum_copy(uint64_t sum, void *dst, const void *data,
                          size_t size);

/* Folds 'sum' to 16 bits, in the order of memory and not complemented. */
uint16_t fabric_csum_fold(uint64_t sum);

/* The widest vectors, in bytes, that this CPU has: 16, 32 or 64; and the two
 * functions above with vectors of 'lanes' bytes, at most as many, 'dst' NULL
 * for the first.  For tests. */
size_t fabric_csum_max_lanes(void);
uint64_t fabric_csum_by(size_t lanes, uint64_t sum, void *dst,
                        const void *data, size_t size);

#endif /* fabric-csum.h */
