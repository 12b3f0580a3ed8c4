/* cc -O2 nanomsg.c -lnanomsg -lpthread */
#include <nanomsg/nn.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/tcp.h>

#include "windows.h"

static int sock;

static void check(const char *what, int result) {
    if (result < 0) fail(what, nn_strerror(nn_errno()));
}

static void start(const char *what, const char *url) {
    int asks = strcmp(what, "ask") == 0, floods = strcmp(what, "flood") == 0, on = 1;
    int protocol = asks ? NN_REQ : strcmp(what, "echo") == 0 ? NN_REP : floods ? NN_PUSH : NN_PULL;
    sock = nn_socket(AF_SP, protocol);
    check("nn_socket", sock);
    check("NN_TCP_NODELAY", nn_setsockopt(sock, NN_TCP, NN_TCP_NODELAY, &on, sizeof on));
    if (asks || floods) check("nn_connect", nn_connect(sock, url));
    else check("nn_bind", nn_bind(sock, url));
}

static void put(const char *bytes, int size) {
    check("nn_send", nn_send(sock, bytes, size, 0));
}

static int get(char *bytes) {
    int size = nn_recv(sock, bytes, MOST_BYTES, 0);
    check("nn_recv", size);
    return size;
}
