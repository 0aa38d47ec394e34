/* The load of benchmarks/websocket.py: N connections, each with a window of messages under way.
   usage: websocket_load PORT SIZE CONNECTIONS WINDOW SECONDS   prints echoed messages per second */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

struct conn { int fd; long ahead, sent, received; };

int main(int argc, char **argv) {
    int port = atoi(argv[1]), size = atoi(argv[2]), n = atoi(argv[3]), window = atoi(argv[4]);
    double seconds = atof(argv[5]);
    int head = size < 126 ? 6 : size < 65536 ? 8 : 14, frame = head + size;
    int answer = size + head - 4;
    char *batch = malloc((size_t)frame * window), *in = malloc(1 << 20);
    for (int w = 0; w < window; w++) {
        unsigned char *f = (unsigned char *)batch + (size_t)w * frame;
        f[0] = 0x81;
        if (size < 126) f[1] = 0x80 | size;
        else if (size < 65536) { f[1] = 0xFE; f[2] = size >> 8; f[3] = size; }
        else { f[1] = 0xFF; for (int i = 0; i < 8; i++) f[2 + i] = (long)size >> (56 - 8 * i); }
        unsigned char mask[4] = {0x11, 0x22, 0x33, 0x44};
        memcpy(f + head - 4, mask, 4);
        for (int i = 0; i < size; i++) f[head + i] = 'x' ^ mask[i & 3];
    }
    int ep = epoll_create1(0);
    struct conn *conns = calloc(n, sizeof *conns);
    for (int i = 0; i < n; i++) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
        inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
        int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (connect(fd, (void *)&a, sizeof a)) { perror("connect"); return 1; }
        const char *req = "GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n";
        if (write(fd, req, strlen(req)) < 0) return 1;
        int got = 0;
        do {
            int r = read(fd, in + got, 1);
            if (r <= 0) return 1;
            got += r;
            in[got] = 0;
        } while (!strstr(in, "\r\n\r\n"));
        fcntl(fd, F_SETFL, O_NONBLOCK);
        conns[i].fd = fd;
        struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = &conns[i]};
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
    }
    long messages = 0;
    double start = now(), end = start + seconds, t;
    struct epoll_event events[64];
    while ((t = now()) < end) {
        int ready = epoll_wait(ep, events, 64, 100);
        for (int i = 0; i < ready; i++) {
            struct conn *c = events[i].data.ptr;
            for (;;) {
                long r = read(c->fd, in, 1 << 20);
                if (r == 0) { fprintf(stderr, "closed\n"); return 1; }
                if (r < 0) break;
                c->received += r;
                if (r < 65536) break;
            }
            long done = c->received / answer;
            messages += done;
            c->received %= answer;
            c->ahead -= done;
            /* what may be sent now: up to the window, from where the last frame was cut */
            for (;;) {
                long room = (window - c->ahead) * frame - c->sent;
                if (room <= 0 || (c->sent == 0 && c->ahead > window / 2)) break;
                long w = write(c->fd, batch + c->sent, room);
                if (w <= 0) break;
                c->sent += w;
                c->ahead += c->sent / frame;
                c->sent %= frame;
                if (w < room) break;
            }
        }
    }
    printf("%.1f\n", messages / (t - start));
    return 0;
}
