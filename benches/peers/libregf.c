/* The audit's look-ups with libregf: libregf LOOKUPS SOFTWARE SYSTEM. Prints how many values there are, and their bytes. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of libregf.h, so that the library is enough to build this. The types are opaque. */
typedef void file_t, key_t_, value_t, error_t_;
int libregf_file_initialize(file_t **file, error_t_ **error);
int libregf_file_open(file_t *file, const char *name, int flags, error_t_ **error);
int libregf_file_close(file_t *file, error_t_ **error);
int libregf_file_free(file_t **file, error_t_ **error);
int libregf_file_get_root_key(file_t *file, key_t_ **key, error_t_ **error);
int libregf_key_get_sub_key_by_utf8_name(key_t_ *key, const uint8_t *name, size_t length, key_t_ **sub, error_t_ **error);
int libregf_key_get_number_of_sub_keys(key_t_ *key, int *count, error_t_ **error);
int libregf_key_get_sub_key(key_t_ *key, int index, key_t_ **sub, error_t_ **error);
int libregf_key_get_value_by_utf8_name(key_t_ *key, const uint8_t *name, size_t length, value_t **value, error_t_ **error);
int libregf_key_free(key_t_ **key, error_t_ **error);
int libregf_value_get_value_data_size(value_t *value, size_t *size, error_t_ **error);
int libregf_value_get_value_data(value_t *value, uint8_t *data, size_t size, error_t_ **error);
int libregf_value_free(value_t **value, error_t_ **error);

static unsigned long count, bytes;

static void look_up(key_t_ *key, const char *path, const char *name)
{
    if (!*path) {
        value_t *value = NULL;
        size_t size = 0;
        /* The size of a name is without its final NUL here, and a default value has no name. */
        if (libregf_key_get_value_by_utf8_name(key, (const uint8_t *)name, strlen(name), &value, NULL) == 1
            && libregf_value_get_value_data_size(value, &size, NULL) == 1) {
            uint8_t *data = malloc(size + 1);
            if (size == 0 || libregf_value_get_value_data(value, data, size, NULL) == 1) {
                count++;
                bytes += size;
            }
            free(data);
        }
        if (value)
            libregf_value_free(&value, NULL);
        return;
    }
    size_t length = strcspn(path, "\\");
    const char *rest = path + length + (path[length] != 0);
    key_t_ *sub = NULL;
    if (length == 1 && *path == '*') {
        int children = 0;
        libregf_key_get_number_of_sub_keys(key, &children, NULL);
        for (int child = 0; child < children; child++, sub = NULL)
            if (libregf_key_get_sub_key(key, child, &sub, NULL) == 1) {
                look_up(sub, rest, name);
                libregf_key_free(&sub, NULL);
            }
    } else if (libregf_key_get_sub_key_by_utf8_name(key, (const uint8_t *)path, length, &sub, NULL) == 1) {
        look_up(sub, rest, name);
        libregf_key_free(&sub, NULL);
    }
}

static key_t_ *open_root(const char *path, file_t **file)
{
    key_t_ *root = NULL;
    if (libregf_file_initialize(file, NULL) != 1 || libregf_file_open(*file, path, 1 /* read */, NULL) != 1
        || libregf_file_get_root_key(*file, &root, NULL) != 1) {
        fprintf(stderr, "libregf: cannot open %s\n", path);
        exit(1);
    }
    return root;
}

int main(int argc, char **argv)
{
    FILE *list = argc == 4 ? fopen(argv[1], "r") : NULL;
    if (!list)
        return 1;
    file_t *software_file = NULL, *system_file = NULL;
    key_t_ *software = open_root(argv[2], &software_file), *system = open_root(argv[3], &system_file);
    char line[1024];
    while (fgets(line, sizeof line, list)) {
        char *path = strchr(line, '\t');
        char *name = strchr(path + 1, '\t');
        *path++ = *name++ = 0;
        name[strcspn(name, "\n")] = 0;
        look_up(!strcmp(line, "SYSTEM") ? system : software, path, name);
    }
    printf("%lu values, %lu bytes\n", count, bytes);
    libregf_key_free(&software, NULL);
    libregf_key_free(&system, NULL);
    libregf_file_close(software_file, NULL);
    libregf_file_close(system_file, NULL);
    libregf_file_free(&software_file, NULL);
    libregf_file_free(&system_file, NULL);
    return 0;
}
