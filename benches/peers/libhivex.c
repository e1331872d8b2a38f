/* The audit's look-ups with libhivex: libhivex LOOKUPS SOFTWARE SYSTEM. Prints how many values there are, and their bytes. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of hivex.h, so that the library is enough to build this. */
typedef struct hive_h hive_h;
typedef size_t hive_node_h;
typedef size_t hive_value_h;
hive_h *hivex_open(const char *filename, int flags);
int hivex_close(hive_h *h);
hive_node_h hivex_root(hive_h *h);
hive_node_h hivex_node_get_child(hive_h *h, hive_node_h node, const char *name);
hive_node_h *hivex_node_children(hive_h *h, hive_node_h node);
hive_value_h hivex_node_get_value(hive_h *h, hive_node_h node, const char *key);
char *hivex_value_value(hive_h *h, hive_value_h value, int *type, size_t *length);

static unsigned long count, bytes;

static void look_up(hive_h *hive, hive_node_h node, const char *path, const char *name)
{
    char part[512];
    while (*path) {
        size_t length = strcspn(path, "\\");
        snprintf(part, sizeof part, "%.*s", (int)length, path);
        path += length + (path[length] != 0);
        if (!strcmp(part, "*")) {
            hive_node_h *children = hivex_node_children(hive, node);
            for (hive_node_h *child = children; child && *child; child++)
                look_up(hive, *child, path, name);
            free(children);
            return;
        }
        node = hivex_node_get_child(hive, node, part);
        if (!node)
            return;
    }
    hive_value_h value = hivex_node_get_value(hive, node, name);
    int type;
    size_t length;
    char *data = value ? hivex_value_value(hive, value, &type, &length) : NULL;
    if (data) {
        count++;
        bytes += length;
        free(data);
    }
}

int main(int argc, char **argv)
{
    FILE *list = argc == 4 ? fopen(argv[1], "r") : NULL;
    hive_h *software = list ? hivex_open(argv[2], 0) : NULL, *system = list ? hivex_open(argv[3], 0) : NULL;
    if (!software || !system) {
        perror("libhivex");
        return 1;
    }
    hive_node_h software_root = hivex_root(software), system_root = hivex_root(system);
    char line[1024];
    while (fgets(line, sizeof line, list)) {
        char *path = strchr(line, '\t');
        char *name = strchr(path + 1, '\t');
        *path++ = *name++ = 0;
        name[strcspn(name, "\n")] = 0;
        int of_system = !strcmp(line, "SYSTEM");
        look_up(of_system ? system : software, of_system ? system_root : software_root, path, name);
    }
    printf("%lu values, %lu bytes\n", count, bytes);
    hivex_close(software);
    hivex_close(system);
    return 0;
}
