/* SPDX-License-Identifier: Apache-2.0 */

/* HMAC (RFC 2104) on top of OpenSSL's SHA-256, rather than OpenSSL's HMAC: the
 * latter's context belongs to a key, and taking it back to the start, which
 * every packet needs, allocates memory inside of OpenSSL 3.0, while a digest
 * context serves all keys and is taken back for free.  A key is never longer
 * than a block, so that it need not be hashed first. */

#include <config.h>
#include "fabric-stamp-auth.h"

#ifdef HAVE_OPENSSL
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_stamp_auth);

#define BLOCK_LEN 64            /* Of SHA-256. */
#define DIGEST_LEN 32

BUILD_ASSERT_DECL(FABRIC_STAMP_MAX_KEY_LEN == BLOCK_LEN);

static void
free_context(void *ctx)
{
    EVP_MD_CTX_free(ctx);
}

/* Returns this thread's context for SHA-256, null if there can be none. */
static EVP_MD_CTX *
get_context(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;
    static ovsthread_key_t key;
    EVP_MD_CTX *ctx;

    if (ovsthread_once_start(&once)) {
        ovsthread_key_create(&key, free_context);
        ovsthread_once_done(&once);
    }

    ctx = ovsthread_getspecific(key);
    if (!ctx) {
        ctx = EVP_MD_CTX_new();
        if (!ctx || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL)) {
            static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);

            VLOG_ERR_RL(&rl, "OpenSSL has no SHA-256 for probes");
            EVP_MD_CTX_free(ctx);
            return NULL;
        }
        ovsthread_setspecific(key, ctx);
    }
    return ctx;
}

static void
xor_key(uint8_t *pad, const struct fabric_stamp_key *key, uint8_t with)
{
    memset(pad, with, BLOCK_LEN);
    for (size_t i = 0; i < key->len; i++) {
        pad[i] ^= key->key[i];
    }
}

static bool
hmac_sha256(const struct fabric_stamp_key *key,
            const struct fabric_stamp_message *m, uint8_t digest[DIGEST_LEN])
{
    EVP_MD_CTX *ctx = get_context();
    uint8_t outer[BLOCK_LEN + DIGEST_LEN];
    uint8_t inner[BLOCK_LEN];

    if (!ctx || key->len > BLOCK_LEN) {
        return false;
    }
    xor_key(inner, key, 0x36);
    xor_key(outer, key, 0x5c);

    /* A null type takes the context back to the start. */
    return (EVP_DigestInit_ex(ctx, NULL, NULL)
            && EVP_DigestUpdate(ctx, inner, BLOCK_LEN)
            && EVP_DigestUpdate(ctx, m->data[0], m->len[0])
            && (!m->len[1] || EVP_DigestUpdate(ctx, m->data[1], m->len[1]))
            && EVP_DigestFinal_ex(ctx, outer + BLOCK_LEN, NULL)
            && EVP_DigestInit_ex(ctx, NULL, NULL)
            && EVP_DigestUpdate(ctx, outer, sizeof outer)
            && EVP_DigestFinal_ex(ctx, digest, NULL));
}

bool
fabric_stamp_auth_supported(const char **reason)
{
    bool supported = get_context() != NULL;

    *reason = supported ? NULL : "OpenSSL has no SHA-256";
    return supported;
}

bool
fabric_stamp_mac_compute(const struct fabric_stamp_key *key,
                         const struct fabric_stamp_message *m,
                         uint8_t mac[FABRIC_STAMP_MAC_LEN])
{
    uint8_t digest[DIGEST_LEN];

    if (!hmac_sha256(key, m, digest)) {
        return false;
    }
    memcpy(mac, digest, FABRIC_STAMP_MAC_LEN);
    return true;
}

bool
fabric_stamp_mac_verify(const struct fabric_stamp_key *key,
                        const struct fabric_stamp_message *m,
                        const uint8_t mac[FABRIC_STAMP_MAC_LEN])
{
    uint8_t digest[DIGEST_LEN];

    return (hmac_sha256(key, m, digest)
            && !CRYPTO_memcmp(digest, mac, FABRIC_STAMP_MAC_LEN));
}

#else  /* !HAVE_OPENSSL */

bool
fabric_stamp_auth_supported(const char **reason)
{
    *reason = "probes cannot be authenticated: built without OpenSSL";
    return false;
}

bool
fabric_stamp_mac_compute(const struct fabric_stamp_key *key OVS_UNUSED,
                         const struct fabric_stamp_message *m OVS_UNUSED,
                         uint8_t mac[FABRIC_STAMP_MAC_LEN] OVS_UNUSED)
{
    return false;
}

bool
fabric_stamp_mac_verify(const struct fabric_stamp_key *key OVS_UNUSED,
                        const struct fabric_stamp_message *m OVS_UNUSED,
                        const uint8_t mac[FABRIC_STAMP_MAC_LEN] OVS_UNUSED)
{
    return false;
}

#endif  /* !HAVE_OPENSSL */
