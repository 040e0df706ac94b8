/* SPDX-License-Identifier: Apache-2.0 */

/* A credential is kept as a client sends it, so nothing that is received has
 * to be decoded, only compared. */

#include <config.h>

#include "fabric-auth.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Longer ones are refused. */
#define MAX_CREDENTIAL 512

struct credential {
    const char *scheme;         /* "Basic" or "Bearer". */
    char value[MAX_CREDENTIAL]; /* The rest is zeros. */
};

struct auth {
    struct credential *credentials;
    size_t n, allocated;
};

void
auth_destroy(struct auth *auth)
{
    if (auth) {
        free(auth->credentials);
        free(auth);
    }
}

/* RFC 4648, section 4. */
static void
put_base64(struct ds *s, const char *data)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        "abcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = strlen(data);

    for (size_t i = 0; i < n; i += 3) {
        size_t left = MIN(n - i, 3);
        uint32_t bits = 0;

        for (size_t j = 0; j < 3; j++) {
            bits = bits << 8 | (j < left ? (uint8_t) data[i + j] : 0);
        }
        for (size_t j = 0; j < 4; j++) {
            ds_put_char(s, (j <= left ? digits[bits >> (18 - 6 * j) & 63]
                            : '='));
        }
    }
}

/* Appends a credential.  Returns false if it is too long or empty. */
static bool
add(struct auth *auth, const char *scheme, const char *value)
{
    struct credential *credential;

    if (!*value || strlen(value) >= MAX_CREDENTIAL) {
        return false;
    }
    if (auth->n == auth->allocated) {
        auth->credentials = x2nrealloc(auth->credentials, &auth->allocated,
                                       sizeof *auth->credentials);
    }
    credential = &auth->credentials[auth->n++];
    memset(credential, 0, sizeof *credential);
    credential->scheme = scheme;
    ovs_strlcpy(credential->value, value, sizeof credential->value);
    return true;
}

static bool
parse_line(struct auth *auth, char *line)
{
    char *save_ptr = NULL;
    char *scheme = strtok_r(line, " \t", &save_ptr);
    char *value = strtok_r(NULL, "", &save_ptr);
    struct ds s = DS_EMPTY_INITIALIZER;
    bool ok = false;

    if (!scheme || scheme[0] == '#') {
        return true;
    }
    value = value ? value + strspn(value, " \t") : NULL;
    if (value && !strcasecmp(scheme, "bearer") && !strpbrk(value, " \t")) {
        ok = add(auth, "Bearer", value);
    } else if (value && !strcasecmp(scheme, "basic") && strchr(value, ':')) {
        put_base64(&s, value);
        ok = add(auth, "Basic", ds_cstr(&s));
    }
    ds_destroy(&s);
    return ok;
}

char *
auth_read(const char *file, struct auth **authp)
{
    struct ds line = DS_EMPTY_INITIALIZER;
    struct auth *auth;
    char *error = NULL;
    struct stat st;
    FILE *stream;

    *authp = NULL;
    stream = fopen(file, "r");
    if (!stream || fstat(fileno(stream), &st)) {
        error = xasprintf("cannot read \"%s\" (%s)", file,
                          ovs_strerror(errno));
        if (stream) {
            fclose(stream);
        }
        return error;
    }
    if (S_ISREG(st.st_mode) && st.st_mode & S_IRWXO) {
        fclose(stream);
        return xasprintf("everyone may read or write \"%s\": use chmod o= "
                         "and choose other credentials", file);
    }
    auth = xzalloc(sizeof *auth);
    for (int n = 1; !error && !ds_get_line(&line, stream); n++) {
        ds_chomp(&line, '\r');
        if (!parse_line(auth, ds_cstr(&line))) {
            error = xasprintf("%s:%d: neither \"bearer TOKEN\" nor \"basic "
                              "USER:PASSWORD\"", file, n);
        }
    }
    if (!error && !auth->n) {
        error = xasprintf("no credentials in \"%s\"", file);
    }
    ds_destroy(&line);
    fclose(stream);
    if (error) {
        auth_destroy(auth);
    } else {
        *authp = auth;
    }
    return error;
}

bool
auth_has_scheme(const struct auth *auth, const char *scheme)
{
    for (size_t i = 0; i < auth->n; i++) {
        if (!strcmp(auth->credentials[i].scheme, scheme)) {
            return true;
        }
    }
    return false;
}

/* Compares all of it whatever differs. */
static bool
is_equal(const char a[MAX_CREDENTIAL], const char b[MAX_CREDENTIAL])
{
    volatile unsigned char difference = 0;

    for (size_t i = 0; i < MAX_CREDENTIAL; i++) {
        difference |= a[i] ^ b[i];
    }
    return !difference;
}

bool
auth_check(const struct auth *auth, const char *authorization)
{
    size_t length = authorization ? strcspn(authorization, " ") : 0;
    char sent[MAX_CREDENTIAL] = "";
    const char *value;
    bool ok = false;

    if (!length) {
        return false;
    }
    value = &authorization[length + strspn(&authorization[length], " ")];
    if (strlen(value) >= sizeof sent) {
        return false;
    }
    strcpy(sent, value);
    for (size_t i = 0; i < auth->n; i++) {
        const struct credential *c = &auth->credentials[i];

        ok |= (length == strlen(c->scheme)
               && !strncasecmp(authorization, c->scheme, length)
               && is_equal(c->value, sent));
    }
    return ok;
}
