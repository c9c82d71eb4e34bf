/* The load client: holds many connections to one endpoint on loopback, and counts or timestamps what comes back.
 *
 *   gcc -O2 -o load load.c
 *   load mode=whole|stream|paced port=P request=FILE connections=N warm=S seconds=S [replies=N] [moments=FILE] [token=KEY]
 *
 * whole:  closed loop; each connection asks again as soon as its reply is complete.
 * stream: the same with streamed replies; counts the events that carry a token.
 * paced:  one stream a connection, opened evenly over the warm-up; writes the moment of every token to `moments`,
 *         as records of: int64 count, double moment of asking, `count` doubles (seconds, CLOCK_MONOTONIC).
 * `request` holds the bytes of one HTTP request; an event carries a token where a text stands behind the JSON key
 * `token`, which is "content" where none is told. With `replies` the run also ends after so many whole replies.
 * Prints the line "open" when the warm-up is over, then one line of JSON. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum mode { WHOLE, STREAM, PACED };
enum state { CONNECTING, HEAD, SIZED, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILER };

typedef struct {
    int fd, status;
    enum state state;
    bool chunked, busy;
    long left;             /* bytes of the sized body or of this chunk still to come */
    char head[8192];       /* the response head, then each chunk's size line */
    size_t head_length;
    char line[16384];      /* an event's line cut in two by the network */
    size_t line_length;
    size_t key_at;         /* where the key stood in this stream's last event: the next one's stands there too */
    double asked, *moments;
    long count, room;
} connection;

static enum mode mode;
static int port, connections = 64, epoll;
static long replies_wanted;
static double warm = 0.3, seconds = 2, opened_at, closes_at;
static char *request, key[64] = "\"content\":";
static size_t request_length;
static FILE *moments_file;
static unsigned long long replies, tokens, refused, broken;
static double read_at;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static void fail(const char *what) {
    fprintf(stderr, "load: %s (%s)\n", what, strerror(errno));
    exit(1);
}

static bool counted(void) { return opened_at && read_at < closes_at; }

static void ask(connection *c) {
    c->state = HEAD;
    c->head_length = c->line_length = 0;
    c->count = 0;
    c->busy = true;
    c->asked = now();
    if (send(c->fd, request, request_length, MSG_NOSIGNAL) != (ssize_t)request_length) broken++;
}

static void dial(connection *c) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) fail("no socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->state = CONNECTING;
    c->busy = false;
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) fail("cannot connect");
    struct epoll_event wanted = {.events = EPOLLOUT, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &wanted);
}

static void connected(connection *c) {
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &wanted);
    ask(c);
}

static void write_moments(connection *c) {
    int64_t count = c->count;
    if (mode != PACED || !count) return;
    fwrite(&count, sizeof count, 1, moments_file);
    fwrite(&c->asked, sizeof c->asked, 1, moments_file);
    fwrite(c->moments, sizeof *c->moments, count, moments_file);
}

static void stamp(connection *c) {
    if (c->count == c->room) {
        c->room = c->room ? 2 * c->room : 1024;
        c->moments = realloc(c->moments, c->room * sizeof *c->moments);
        if (!c->moments) fail("no memory");
    }
    c->moments[c->count++] = read_at;
}

static bool carries_token(connection *c, const char *line, size_t length) {
    const size_t key_length = strlen(key);
    const char *end = line + length, *at = line + c->key_at;
    if (length < 6 || memcmp(line, "data:", 5)) return false;
    if (c->key_at + key_length > length || memcmp(at, key, key_length)) {
        at = memmem(line, length, key, key_length);
        if (!at) return false;
        c->key_at = at - line;
    }
    for (at += key_length; at < end && *at == ' '; at++) {}
    return at + 1 < end && at[0] == '"' && at[1] != '"';
}

static void read_line(connection *c, const char *line, size_t length) {
    if (!carries_token(c, line, length)) return;
    if (counted()) tokens++;
    if (mode == PACED) stamp(c);
}

static void read_body(connection *c, const char *bytes, size_t length) {
    if (mode == WHOLE) return;
    while (length) {
        const char *newline = memchr(bytes, '\n', length);
        size_t part = newline ? (size_t)(newline - bytes) : length;
        if (c->line_length || !newline) {
            if (c->line_length + part > sizeof c->line) fail("an event too long");
            memcpy(c->line + c->line_length, bytes, part);
            c->line_length += part;
            if (!newline) return;
            read_line(c, c->line, c->line_length);
            c->line_length = 0;
        } else
            read_line(c, bytes, part);
        bytes += part + 1;
        length -= part + 1;
    }
}

static void replied(connection *c) {
    if (counted()) replies++;
    if (c->status != 200) refused++;
    write_moments(c);
    ask(c);
}

static void read_head(connection *c) {
    char *field = strcasestr(c->head, "\r\ncontent-length:");
    c->status = c->head_length > 12 ? atoi(c->head + 9) : 0;
    c->chunked = strcasestr(c->head, "\r\ntransfer-encoding: chunked") != NULL;
    if (!c->chunked && !field) fail("a reply without a length");
    c->left = c->chunked ? 0 : atol(field + 17);
    c->state = c->chunked ? CHUNK_SIZE : SIZED;
    c->head_length = 0;
}

/* Takes bytes, line by line, up to and with the end mark, which ends a line; true once the mark is there (the head is
 * then closed with a 0). */
static bool gather(connection *c, const char **bytes, size_t *length, const char *mark) {
    size_t mark_length = strlen(mark);
    while (*length) {
        const char *newline = memchr(*bytes, '\n', *length);
        size_t part = newline ? (size_t)(newline - *bytes) + 1 : *length;
        if (c->head_length + part >= sizeof c->head) fail("a head too long");
        memcpy(c->head + c->head_length, *bytes, part);
        c->head_length += part;
        *bytes += part;
        *length -= part;
        if (newline && c->head_length >= mark_length &&
            !memcmp(c->head + c->head_length - mark_length, mark, mark_length)) {
            c->head[c->head_length] = 0;
            return true;
        }
    }
    return false;
}

static size_t pass(connection *c, size_t length) {
    size_t part = length < (size_t)c->left ? length : (size_t)c->left;
    c->left -= part;
    return part;
}

static void read_bytes(connection *c, const char *bytes, size_t length) {
    size_t part;
    while (length) switch (c->state) {
        case HEAD:
            if (!gather(c, &bytes, &length, "\r\n\r\n")) return;
            read_head(c);
            if (c->state == SIZED && !c->left) replied(c);
            break;
        case CHUNK_SIZE:
            if (!gather(c, &bytes, &length, "\r\n")) return;
            c->left = strtol(c->head, NULL, 16);
            c->head_length = 0;
            c->state = c->left ? CHUNK : TRAILER;
            break;
        case SIZED:
        case CHUNK:
            part = pass(c, length);
            read_body(c, bytes, part);
            bytes += part;
            length -= part;
            if (c->left) return;
            if (c->state == SIZED) replied(c);
            else c->state = CHUNK_END;
            break;
        case CHUNK_END:
        case TRAILER: /* the trailer is taken to be empty */
            if (!gather(c, &bytes, &length, "\r\n")) return;
            c->head_length = 0;
            if (c->state == TRAILER) replied(c);
            else c->state = CHUNK_SIZE;
            break;
        case CONNECTING:
            fail("bytes before a question");
        }
}

static void lost(connection *c) {
    if (c->busy && ++broken > 10000) fail("the server keeps hanging up");
    write_moments(c);
    close(c->fd);
    dial(c);
}

static void serve(connection *c, uint32_t events) {
    static char buffer[1 << 18];
    if (c->state == CONNECTING) {
        if (events & (EPOLLERR | EPOLLHUP)) fail("cannot connect");
        connected(c);
        return;
    }
    ssize_t got = recv(c->fd, buffer, sizeof buffer, 0);
    read_at = now();
    if (got > 0) read_bytes(c, buffer, got);
    else if (got == 0 || errno != EAGAIN) lost(c);
}

static char *slurp(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    char *bytes = malloc(1 << 20);
    if (!file || !bytes) fail(path);
    *length = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

static void take(const char *name, const char *value) {
    if (!strcmp(name, "mode")) mode = !strcmp(value, "paced") ? PACED : !strcmp(value, "stream") ? STREAM : WHOLE;
    else if (!strcmp(name, "port")) port = atoi(value);
    else if (!strcmp(name, "request")) request = slurp(value, &request_length);
    else if (!strcmp(name, "connections")) connections = atoi(value);
    else if (!strcmp(name, "warm")) warm = atof(value);
    else if (!strcmp(name, "seconds")) seconds = atof(value);
    else if (!strcmp(name, "replies")) replies_wanted = atol(value);
    else if (!strcmp(name, "token")) snprintf(key, sizeof key, "\"%s\":", value);
    else if (!strcmp(name, "moments")) moments_file = fopen(value, "wb");
    else fail(name);
}

static double cpu(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
}

int main(int count, char **words) {
    for (int i = 1; i < count; i++) {
        char *equals = strchr(words[i], '=');
        if (!equals) fail(words[i]);
        *equals = 0;
        take(words[i], equals + 1);
    }
    if (!port || !request || (mode == PACED && !moments_file)) fail("port, request and, paced, moments are needed");
    connection *all = calloc(connections, sizeof *all);
    struct epoll_event events[512];
    double started = now(), cpu_before = 0;
    int dialled = 0;
    epoll = epoll_create1(0);
    for (;;) {
        double t = now();
        if (!opened_at && t >= started + warm) {
            opened_at = t;
            closes_at = t + seconds;
            cpu_before = cpu();
            puts("open");
            fflush(stdout);
        }
        if (opened_at && (t >= closes_at || (replies_wanted && replies >= (unsigned long long)replies_wanted))) break;
        int wanted = mode == PACED ? (int)((t - started) / (warm * 0.8) * connections) + 1 : connections;
        for (int some = 0; dialled < connections && dialled < wanted && some < 32; some++) dial(&all[dialled++]);
        int ready = epoll_wait(epoll, events, 512, dialled < connections ? 1 : 10);
        for (int i = 0; i < ready; i++) serve(events[i].data.ptr, events[i].events);
    }
    double closed_at = now();
    printf("{\"opened\": %.9f, \"closed\": %.9f, \"replies\": %llu, \"tokens\": %llu, \"refused\": %llu, \"broken\": %llu, "
           "\"cpu\": %.6f}\n", opened_at, closed_at, replies, tokens, refused, broken, cpu() - cpu_before);
    fflush(stdout);
    for (int i = 0; i < dialled; i++) write_moments(&all[i]);
    if (moments_file) fclose(moments_file);
    return 0;
}
