/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FABRIC_HTTP_H
#define FABRIC_HTTP_H 1

/* A small HTTP server for what is only read.
 * ==========================================
 *
 * On libmicrohttpd, within the poll loop of the one thread that uses it.  It
 * serves GET and HEAD, to a bounded number of clients, each of which has a
 * bounded time from connecting, or from its last request, to having taken the
 * whole answer to the next. */

#include <stdbool.h>
#include <stddef.h>

struct MHD_Response;
struct http_server;
struct sockaddr_storage;

struct http_config {
    const struct sockaddr_storage *address;
    const char *certificate, *private_key; /* File names, both or neither. */
    const char *auth_file;      /* Credentials, or NULL for everyone. */
    long long int deadline;     /* Time a client has, ms. */
    size_t max_clients;

    /* Returns the answer to a request for 'path' by a client that sent this
     * Accept header or NULL, good until the next call, or NULL if there is no
     * such page. */
    struct MHD_Response *(*get)(const char *path, const char *accept);
};

/* Starts a server.  'config' and what it refers to must remain.  Returns NULL
 * and stores the server, or an error for the caller to free. */
char *http_server_create(const struct http_config *, struct http_server **);
void http_server_destroy(struct http_server *);

/* IP and port on which it listens, for the caller to free. */
char *http_server_name(const struct http_server *);

/* Reads certificate and credentials again.  What cannot be used changes
 * nothing.  Returns NULL or an error for the caller to free. */
char *http_server_reload(struct http_server *);

void http_server_run(struct http_server *);
void http_server_wait(struct http_server *);

/* Requests answered, and clients cut off because they were too slow. */
unsigned long long int http_server_n_requests(const struct http_server *);
unsigned long long int http_server_n_slow(const struct http_server *);

#endif /* fabric-http.h */
