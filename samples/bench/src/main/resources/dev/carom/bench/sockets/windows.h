/* What each program here does: usage, clock, and one window for each line "BYTES MILLISECONDS" of the standard input. */
#ifndef WINDOWS_H
#define WINDOWS_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_BYTES (1 << 20)
#define BATCH 64

static int64_t nanos(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static int64_t *trips;
static size_t trip_count, trip_room;

static void add_trip(int64_t time) {
    if (trip_count == trip_room) {
        trip_room = trip_room == 0 ? 1 << 14 : trip_room * 2;
        trips = realloc(trips, trip_room * sizeof *trips);
        if (trips == NULL) fail("realloc", "no memory");
    }
    trips[trip_count++] = time;
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
    return (x > y) - (x < y);
}

/* The smallest that so many percent of all do not exceed, in microseconds. */
static double percentile(double percent) {
    size_t rank = (size_t) (percent * trip_count / 100 + 0.999999);
    return trips[rank == 0 ? 0 : rank - 1] / 1e3;
}

static void print_trips(int size) {
    double sum = 0;
    for (size_t i = 0; i < trip_count; i++) sum += trips[i] / 1e3;
    qsort(trips, trip_count, sizeof *trips, ascending);
    printf("{\"size\":%d,\"count\":%zu,\"mean_us\":%.3f,\"p50_us\":%.3f,\"p99_us\":%.3f}\n",
        size, trip_count, sum / trip_count, percentile(50), percentile(99));
    fflush(stdout);
    trip_count = 0;
}

static void print_flood(int size, int64_t count, int64_t time) {
    printf("{\"size\":%d,\"count\":%lld,\"seconds\":%.6f,\"messages_per_second\":%.0f}\n",
        size, (long long) count, time / 1e9, count * 1e9 / time);
    fflush(stdout);
}

static int next_window(int *size, int64_t *time) {
    int millis;
    if (scanf("%d %d", size, &millis) != 2) return 0;
    if (*size < 1 || *size > MOST_BYTES) fail("size", "out of bounds");
    *time = millis * INT64_C(1000000);
    return 1;
}

/* A server ends with its input: when whoever started it does. */
static void *await_end(void *nothing) {
    while (getchar() != EOF) {}
    exit(0);
    return nothing;
}

static void end_with_input(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, await_end, NULL) != 0) fail("pthread_create", "failed");
}

/* What a library has to offer. */
static void start(const char *what, const char *url);
static void put(const char *bytes, int size);
static int get(char *bytes);

static char bytes[MOST_BYTES];

static void ask(void) {
    int size;
    int64_t time;
    while (next_window(&size, &time)) {
        memset(bytes, 0, size);
        for (int64_t end = nanos() + time; nanos() < end;) {
            int64_t begin = nanos();
            put(bytes, size);
            if (get(bytes) != size) fail("get", "another size came back");
            add_trip(nanos() - begin);
        }
        print_trips(size);
    }
}

static void echo(void) {
    end_with_input();
    while (1) {
        int size = get(bytes);
        put(bytes, size);
    }
}

static void flood(void) {
    int size;
    int64_t time;
    while (next_window(&size, &time)) {
        memset(bytes, 0, size);
        bytes[0] = 1;
        put(bytes, size);
        bytes[0] = 0;
        for (int64_t end = nanos() + time; nanos() < end;) {
            for (int i = 0; i < BATCH; i++) put(bytes, size);
        }
        bytes[0] = 2;
        put(bytes, size);
        bytes[0] = 0;
    }
}

static void count(void) {
    int64_t begin = 0, messages = 0;
    end_with_input();
    while (1) {
        int size = get(bytes);
        if (bytes[0] == 1) {
            begin = nanos();
            messages = 0;
        } else if (bytes[0] == 2) {
            print_flood(size, ++messages, nanos() - begin);
        } else {
            messages++;
        }
    }
}

int main(int argc, char **argv) {
    if (argc != 3) fail("usage", "ask|echo|flood|count URL");
    start(argv[1], argv[2]);
    if (strcmp(argv[1], "ask") == 0) ask();
    else if (strcmp(argv[1], "echo") == 0) echo();
    else if (strcmp(argv[1], "flood") == 0) flood();
    else count();
    return 0;
}

#endif
