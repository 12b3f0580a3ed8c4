/* cc -O2 nng.c -lnng -lpthread */
#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>

#include "windows.h"

static nng_socket sock;

static void check(const char *what, int result) {
    if (result != 0) fail(what, nng_strerror(result));
}

/* Queues of 128, as its own programs have for throughput; TCP_NODELAY is on as delivered. */
static void start(const char *what, const char *url) {
    int asks = strcmp(what, "ask") == 0, floods = strcmp(what, "flood") == 0;
    if (asks) check("nng_req0_open", nng_req0_open(&sock));
    else if (floods) check("nng_push0_open", nng_push0_open(&sock));
    else if (strcmp(what, "echo") == 0) check("nng_rep0_open", nng_rep0_open(&sock));
    else check("nng_pull0_open", nng_pull0_open(&sock));
    if (floods) nng_socket_set_int(sock, NNG_OPT_SENDBUF, 128);
    if (strcmp(what, "count") == 0) nng_socket_set_int(sock, NNG_OPT_RECVBUF, 128);
    if (asks || floods) check("nng_dial", nng_dial(sock, url, NULL, NNG_FLAG_NONBLOCK));
    else check("nng_listen", nng_listen(sock, url, NULL, 0));
}

static void put(const char *bytes, int size) {
    check("nng_send", nng_send(sock, (void *) bytes, size, 0));
}

static int get(char *bytes) {
    size_t size = MOST_BYTES;
    check("nng_recv", nng_recv(sock, bytes, &size, 0));
    return (int) size;
}
