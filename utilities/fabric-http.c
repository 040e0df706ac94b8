/* SPDX-License-Identifier: Apache-2.0 */

/* libmicrohttpd's own timeout is for clients that do nothing; one that sends
 * or takes a byte now and then would keep its place.  So each connection has a
 * deadline here, and one that misses it is shut down, which libmicrohttpd then
 * notices.  So is the oldest connection of whichever address has the most when
 * there are nearly as many as are served at a time: an address that holds
 * connections loses its own, and one that asks gets its answer at once.  The
 * listening socket is ours and outlives a change of the
 * certificate, for which libmicrohttpd has to be started anew. */

#include <config.h>

#include "fabric-http.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fabric-auth.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "socket-util.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fabric_http);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

/* Memory of a client, bytes: a request's header must fit. */
#define CLIENT_MEMORY (16 * 1024)

/* TLS 1.2 and later, with what GnuTLS thinks of as secure. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct http_server {
    const struct http_config *config;
    struct MHD_Daemon *daemon;
    char *certificate, *key;    /* Their contents, or NULL. */
    struct auth *auth;          /* Or NULL. */
    int listener;
    struct ovs_list clients;    /* Contains "struct client"s, oldest first. */
    size_t n_clients;
    bool again;                 /* Run once more before waiting. */
    unsigned long long int n_requests, n_slow;
};

struct client {
    struct ovs_list node;       /* In http_server's 'clients'. */
    struct http_server *server;
    int fd;
    struct in6_addr ip;         /* All zero if not known. */
    long long int since;        /* Connected or last answered, time_msec(). */
    bool cut_off;
};

/* Clients. */

static struct in6_addr
client_ip(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *sa = info ? info->client_addr : NULL;
    struct in6_addr ip = in6addr_any;

    if (sa && sa->sa_family == AF_INET6) {
        ip = ALIGNED_CAST(const struct sockaddr_in6 *, sa)->sin6_addr;
    } else if (sa && sa->sa_family == AF_INET) {
        const struct sockaddr_in *sin
            = ALIGNED_CAST(const struct sockaddr_in *, sa);

        in6_addr_set_mapped_ipv4(&ip, sin->sin_addr.s_addr);
    }
    return ip;
}

static void
cut_off(struct client *client)
{
    client->cut_off = true;
    client->server->n_slow++;
    shutdown(client->fd, SHUT_RDWR);
}

/* Returns how many connections of the address of 'client' are not cut off. */
static size_t
count_same(const struct http_server *server, const struct client *client)
{
    const struct client *other;
    size_t n = 0;

    LIST_FOR_EACH (other, node, &server->clients) {
        n += (!other->cut_off
              && ipv6_addr_equals(&other->ip, &client->ip));
    }
    return n;
}

/* Makes room for the next connection at the expense of who has the most. */
static void
make_room(struct http_server *server)
{
    struct client *client, *victim = NULL;
    size_t n_total = 0, most = 0;

    LIST_FOR_EACH (client, node, &server->clients) {
        size_t n = client->cut_off ? 0 : count_same(server, client);

        n_total += !client->cut_off;
        if (n > most) {
            victim = client;
            most = n;
        }
    }
    if (victim && n_total >= server->config->max_clients * 3 / 4) {
        cut_off(victim);
    }
}

static void
notify_connection(void *server_, struct MHD_Connection *connection,
                  void **context, enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = server_;
    struct client *client = *context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(
            connection, MHD_CONNECTION_INFO_CONNECTION_FD);

        client = xmalloc(sizeof *client);
        *client = (struct client) {
            .server = server,
            .fd = info ? info->connect_fd : -1,
            .ip = client_ip(connection),
            .since = time_msec(),
        };
        ovs_list_push_back(&server->clients, &client->node);
        server->n_clients++;
        *context = client;
        make_room(server);
    } else if (client) {
        ovs_list_remove(&client->node);
        server->n_clients--;
        free(client);
        *context = NULL;
    }
}

/* The client has taken an answer, and its time begins anew. */
static void
notify_completed(void *server_, struct MHD_Connection *connection,
                 void **request OVS_UNUSED,
                 enum MHD_RequestTerminationCode code)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct client *client = info ? info->socket_context : NULL;
    struct http_server *server = server_;

    if (client && code == MHD_REQUEST_TERMINATED_COMPLETED_OK) {
        server->n_requests++;
        client->since = time_msec();
        ovs_list_remove(&client->node);
        ovs_list_push_back(&server->clients, &client->node);
    }
}

static void
cut_off_slow_clients(struct http_server *server)
{
    long long int limit = time_msec() - server->config->deadline;
    struct client *client;

    LIST_FOR_EACH (client, node, &server->clients) {
        if (client->since > limit) {
            break;
        }
        if (!client->cut_off) {
            cut_off(client);
        }
    }
}

/* Answers. */

static enum MHD_Result
answer_text(struct MHD_Connection *connection, const struct auth *auth,
            unsigned int status, const char *text)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), CONST_CAST(char *, text), MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result;

    if (!response) {
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                            "text/plain; charset=utf-8");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    if (status == MHD_HTTP_BAD_REQUEST) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    }
    if (status == MHD_HTTP_UNAUTHORIZED) {
        if (auth_has_scheme(auth, "Bearer")) {
            MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                                    "Bearer realm=\"fabric\"");
        }
        if (auth_has_scheme(auth, "Basic")) {
            MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                                    "Basic realm=\"fabric\"");
        }
    }
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static const char *
get_header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* Makes what a client has sent fit for a log: one line, and not a long one. */
static char *
printable(const char *s)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    char *head = xmemdup0(s, MIN(strlen(s), 80));

    json_string_escape(head, &ds);
    free(head);
    return ds_steal_cstr(&ds);
}

static enum MHD_Result
count_length(void *n_, enum MHD_ValueKind kind OVS_UNUSED, const char *name,
             const char *value OVS_UNUSED)
{
    size_t *n = n_;

    *n += (!strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH)
           || !strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING));
    return MHD_YES;
}

/* Returns true if it is not certain where the request ends, on which a proxy
 * might think otherwise (RFC 9112 section 6.3). */
static bool
is_ambiguous(struct MHD_Connection *connection)
{
    size_t n = 0;

    MHD_get_connection_values(connection, MHD_HEADER_KIND, count_length, &n);
    return n > 1;
}

/* Called first when a request's header is there, when its body may still
 * come, then at its end. */
static enum MHD_Result
handle_request(void *server_, struct MHD_Connection *connection,
               const char *path, const char *method,
               const char *version OVS_UNUSED,
               const char *body OVS_UNUSED, size_t *body_size,
               void **request)
{
    struct http_server *server = server_;
    struct MHD_Response *response;

    if (strcmp(method, MHD_HTTP_METHOD_GET)
        && strcmp(method, MHD_HTTP_METHOD_HEAD)) {
        return answer_text(connection, server->auth,
                           MHD_HTTP_METHOD_NOT_ALLOWED,
                           "Only GET and HEAD.\n");
    }
    if (is_ambiguous(connection)) {
        return answer_text(connection, server->auth, MHD_HTTP_BAD_REQUEST,
                           "More than one length.\n");
    }
    if (!*request || *body_size) {
        *request = server;
        *body_size = 0;
        return MHD_YES;
    }
    if (server->auth
        && !auth_check(server->auth,
                       get_header(connection,
                                  MHD_HTTP_HEADER_AUTHORIZATION))) {
        if (!VLOG_DROP_WARN(&rl)) {
            char *s = printable(path);

            VLOG_WARN("request for %s without a valid credential", s);
            free(s);
        }
        return answer_text(connection, server->auth, MHD_HTTP_UNAUTHORIZED,
                           "Credentials are needed.\n");
    }
    response = server->config->get(path, get_header(connection,
                                                    MHD_HTTP_HEADER_ACCEPT));
    if (!response) {
        return answer_text(connection, server->auth, MHD_HTTP_NOT_FOUND,
                           "There are / and /metrics.\n");
    }
    return MHD_queue_response(connection, MHD_HTTP_OK, response);
}

static void
log_error(void *aux OVS_UNUSED, const char *format, va_list args)
{
    if (!VLOG_DROP_DBG(&rl)) {
        char *s = xvasprintf(format, args);
        char *line = printable(s);

        VLOG_DBG("%s", line);
        free(line);
        free(s);
    }
}

/* Starting. */

/* Reads 'file', which may be NULL, as a string. */
static char *
read_pem(const char *file, char **pem)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    char buffer[4096];
    FILE *stream;
    size_t n;

    *pem = NULL;
    if (!file) {
        return NULL;
    }
    stream = fopen(file, "r");
    if (!stream) {
        return xasprintf("cannot read \"%s\" (%s)", file,
                         ovs_strerror(errno));
    }
    while ((n = fread(buffer, 1, sizeof buffer, stream)) > 0) {
        ds_put_buffer(&s, buffer, n);
    }
    fclose(stream);
    *pem = ds_steal_cstr(&s);
    return NULL;
}

/* The daemon gets a file descriptor of its own of the listening socket, which
 * it closes, when it fails to start in some cases only. */
static struct MHD_Daemon *
start_with(struct http_server *server, const char *certificate,
           const char *key)
{
    const struct http_config *config = server->config;
    struct MHD_OptionItem tls[] = {
        { MHD_OPTION_HTTPS_MEM_CERT, 0, CONST_CAST(char *, certificate) },
        { MHD_OPTION_HTTPS_MEM_KEY, 0, CONST_CAST(char *, key) },
        { MHD_OPTION_HTTPS_PRIORITIES, 0,
          CONST_CAST(char *, TLS_PRIORITIES) },
        { MHD_OPTION_END, 0, NULL },
    };
    int fd = fcntl(server->listener, F_DUPFD_CLOEXEC, 0);
    struct MHD_Daemon *daemon;

    if (fd < 0) {
        return NULL;
    }
    daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_ERROR_LOG | (certificate ? MHD_USE_TLS : 0),
        0, NULL, NULL, handle_request, server,
        MHD_OPTION_EXTERNAL_LOGGER, log_error, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_NOTIFY_CONNECTION, notify_connection, server,
        MHD_OPTION_NOTIFY_COMPLETED, notify_completed, server,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned int) config->max_clients,
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) CLIENT_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned int) (config->deadline / 1000 + 1),
        MHD_OPTION_ARRAY, certificate ? tls : &tls[ARRAY_SIZE(tls) - 1],
        MHD_OPTION_END);
    if (!daemon && fcntl(fd, F_GETFD) >= 0) {
        close(fd);
    }
    return daemon;
}

static void
stop(struct http_server *server)
{
    if (server->daemon) {
        MHD_stop_daemon(server->daemon);
    }
    free(server->certificate);
    free(server->key);
}

/* Starts libmicrohttpd on the listening socket, and stops the one before. */
static char *
start(struct http_server *server)
{
    const struct http_config *config = server->config;
    struct MHD_Daemon *daemon;
    char *certificate = NULL;
    char *key = NULL;
    char *error;

    error = read_pem(config->certificate, &certificate);
    if (!error) {
        error = read_pem(config->private_key, &key);
    }
    if (!error) {
        daemon = start_with(server, certificate, key);
        if (daemon) {
            stop(server);
            server->daemon = daemon;
            server->certificate = certificate;
            server->key = key;
            return NULL;
        }
        error = (certificate
                 ? xasprintf("cannot use certificate \"%s\" with private key "
                             "\"%s\"", config->certificate,
                             config->private_key)
                 : xstrdup("cannot start the HTTP server"));
    }
    free(certificate);
    free(key);
    return error;
}

static char *
listen_on(const struct sockaddr_storage *address, int *fdp)
{
    struct ds name = DS_EMPTY_INITIALIZER;
    char *error = NULL;
    int one = 1;
    int fd;

    fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0
        || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one)
        || bind(fd, (const struct sockaddr *) address, ss_length(address))
        || listen(fd, 64) || set_nonblocking(fd)) {
        ss_format_address(address, &name);
        ds_put_format(&name, ":%d", ss_get_port(address));
        error = xasprintf("cannot listen on %s (%s)", ds_cstr(&name),
                          ovs_strerror(errno));
        ds_destroy(&name);
        if (fd >= 0) {
            close(fd);
        }
    }
    *fdp = fd;
    return error;
}

char *
http_server_create(const struct http_config *config,
                   struct http_server **serverp)
{
    struct http_server *server = xzalloc(sizeof *server);
    char *error = NULL;

    *serverp = NULL;
    server->config = config;
    server->listener = -1;
    ovs_list_init(&server->clients);
    if (config->auth_file) {
        error = auth_read(config->auth_file, &server->auth);
    }
    if (!error) {
        error = listen_on(config->address, &server->listener);
    }
    if (!error) {
        error = start(server);
        if (error) {
            close(server->listener);
        }
    }
    if (error) {
        auth_destroy(server->auth);
        free(server);
        return error;
    }
    *serverp = server;
    return NULL;
}

void
http_server_destroy(struct http_server *server)
{
    if (server) {
        stop(server);
        close(server->listener);
        auth_destroy(server->auth);
        free(server);
    }
}

char *
http_server_reload(struct http_server *server)
{
    struct auth *auth = NULL;
    char *error = NULL;

    if (server->config->auth_file) {
        error = auth_read(server->config->auth_file, &auth);
    }
    if (!error && server->config->certificate) {
        error = start(server);
    }
    if (error) {
        auth_destroy(auth);
    } else {
        auth_destroy(server->auth);
        server->auth = auth;
    }
    return error;
}

char *
http_server_name(const struct http_server *server)
{
    struct ds name = DS_EMPTY_INITIALIZER;
    struct sockaddr_storage address;
    socklen_t length = sizeof address;

    if (getsockname(server->listener, (struct sockaddr *) &address, &length)) {
        return xstrdup("?");
    }
    ss_format_address(&address, &name);
    ds_put_format(&name, ":%d", ss_get_port(&address));
    return ds_steal_cstr(&name);
}

unsigned long long int
http_server_n_requests(const struct http_server *server)
{
    return server->n_requests;
}

unsigned long long int
http_server_n_slow(const struct http_server *server)
{
    return server->n_slow;
}

void
http_server_run(struct http_server *server)
{
    bool full = server->n_clients >= server->config->max_clients;

    cut_off_slow_clients(server);
    MHD_run(server->daemon);
    /* When full, libmicrohttpd does not look at the listening socket, and only
     * its next run finds that there is room again. */
    server->again = full && server->n_clients < server->config->max_clients;
}

void
http_server_wait(struct http_server *server)
{
    const union MHD_DaemonInfo *info
        = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    MHD_UNSIGNED_LONG_LONG timeout;

    if (info) {
        poll_fd_wait(info->epoll_fd, POLLIN);
    }
    if (server->again) {
        poll_immediate_wake();
    }
    if (MHD_get_timeout(server->daemon, &timeout) == MHD_YES) {
        poll_timer_wait(timeout);
    }
    if (!ovs_list_is_empty(&server->clients)) {
        const struct client *oldest = CONTAINER_OF(
            ovs_list_front(&server->clients), struct client, node);

        poll_timer_wait_until(oldest->cut_off ? time_msec() + 1000
                              : oldest->since + server->config->deadline);
    }
}
