/* A whole walk with libhivex: walk_hivex HIVE [TIMES]. Every key's name and time, every value's name, type and data,
   and every byte of the data is looked at. Prints keys, values, bytes, the sum of the bytes, and milliseconds a walk,
   opening included. Build: cc -O2 walk_hivex.c -o walk_hivex -lhivex */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Of hivex.h, so that the library is enough to build this. */
typedef struct hive_h hive_h;
typedef size_t hive_node_h;
typedef size_t hive_value_h;
hive_h *hivex_open(const char *filename, int flags);
int hivex_close(hive_h *h);
hive_node_h hivex_root(hive_h *h);
char *hivex_node_name(hive_h *h, hive_node_h node);
int64_t hivex_node_timestamp(hive_h *h, hive_node_h node);
hive_node_h *hivex_node_children(hive_h *h, hive_node_h node);
hive_value_h *hivex_node_values(hive_h *h, hive_node_h node);
char *hivex_value_key(hive_h *h, hive_value_h value);
char *hivex_value_value(hive_h *h, hive_value_h value, int *type, size_t *length);

static uint64_t keys, values, bytes, sum;

static void walk(hive_h *hive, hive_node_h node)
{
    char *name = hivex_node_name(hive, node);
    keys++;
    sum += (uint64_t)hivex_node_timestamp(hive, node) + (name ? strlen(name) : 0);
    free(name);
    hive_value_h *all = hivex_node_values(hive, node);
    for (hive_value_h *value = all; value && *value; value++) {
        int type = 0;
        size_t length = 0;
        char *key = hivex_value_key(hive, *value);
        unsigned char *data = (unsigned char *)hivex_value_value(hive, *value, &type, &length);
        if (data) {
            values++;
            bytes += length;
            sum += (uint64_t)type + (key ? strlen(key) : 0);
            for (size_t at = 0; at < length; at++)
                sum += data[at];
        }
        free(key);
        free(data);
    }
    free(all);
    hive_node_h *children = hivex_node_children(hive, node);
    for (hive_node_h *child = children; child && *child; child++)
        walk(hive, *child);
    free(children);
}

int main(int argc, char **argv)
{
    int times = argc > 2 ? atoi(argv[2]) : 1;
    for (int run = 0; argc > 1 && run < times; run++) {
        struct timespec from, to;
        keys = values = bytes = sum = 0;
        clock_gettime(CLOCK_MONOTONIC, &from);
        hive_h *hive = hivex_open(argv[1], 0);
        if (!hive) {
            perror("hivex_open");
            return 1;
        }
        walk(hive, hivex_root(hive));
        hivex_close(hive);
        clock_gettime(CLOCK_MONOTONIC, &to);
        double ms = (to.tv_sec - from.tv_sec) * 1e3 + (to.tv_nsec - from.tv_nsec) / 1e6;
        printf("hivex\t%lu keys\t%lu values\t%lu bytes\t%.1f ms\n", keys, values, bytes, ms);
    }
    return 0;
}
