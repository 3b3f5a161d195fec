/* A main for a fuzz target, where there is no fuzzer:
 *
 *     replay [-n COUNT] [-s SEED] FILE or FOLDER...
 *
 * gives it each file that is named, or that stands in a folder that is named;
 * then each of them COUNT times with changes by chance, which is no substitute
 * for `make fuzz`, but needs nothing and runs with every test. */
#include <assert.h>
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sim/rng.h"

/* Those of a target that needs it. */
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX = 1 << 16, INPUTS_MAX = 1000 };

struct input {
    char *path;
    uint8_t *data;
    size_t size;
};

static struct input inputs[INPUTS_MAX];
static size_t count;

static void load(const char *path)
{
    static uint8_t data[FILE_MAX];
    FILE *file = fopen(path, "rb");
    if (file == NULL || count == INPUTS_MAX) {
        perror(path);
        exit(1);
    }
    struct input *in = &inputs[count++];
    in->path = strdup(path);
    in->size = fread(data, 1, sizeof(data), file);
    in->data = malloc(in->size + 1);
    memcpy(in->data, data, in->size);
    fclose(file);
}

static void load_all(const char *path)
{
    char name[4096];
    DIR *folder = opendir(path);
    if (folder == NULL) {
        load(path);
        return;
    }
    for (struct dirent *e; (e = readdir(folder)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
        load(name);
    }
    closedir(folder);
}

/* In memory that ends where the input does, so that a read behind it shows. */
static void give(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);
    memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

/* ---- changes by chance ---- */

/* Room for `more` bytes at a place, or as many as fit. */
static size_t open_gap(uint8_t *data, size_t *size, size_t at, size_t more)
{
    if (more > FILE_MAX - *size)
        more = FILE_MAX - *size;
    memmove(data + at + more, data + at, *size - at);
    *size += more;
    return more;
}

static void change(struct rng *rng, uint8_t *data, size_t *size)
{
    static const uint8_t odd[] = {0,    1,    0x7f, 0x80, 0xff,
                                  0xc0, 0xc4, 0xcf, 0xdf, '\n'};
    const struct input *other = &inputs[rng_below(rng, count)];
    size_t at = *size > 0 ? rng_below(rng, *size) : 0;
    size_t len = 1 + rng_below(rng, 16);
    switch (*size > 0 ? rng_below(rng, 5) : 3) {
    case 0:
        data[at] ^= (uint8_t)(1u << rng_below(rng, 8));
        break;
    case 1:
        data[at] = odd[rng_below(rng, sizeof(odd))];
        break;
    case 2: /* leave some out */
        if (len > *size - at)
            len = *size - at;
        memmove(data + at, data + at + len, *size - at - len);
        *size -= len;
        break;
    case 3: /* some of another one */
        if (len > other->size)
            len = other->size;
        len = open_gap(data, size, at, len);
        if (len > 0)
            memcpy(data + at,
                   other->data + rng_below(rng, other->size - len + 1), len);
        break;
    default: /* the end of another one */
        len = other->size > at ? other->size - at : 0;
        if (len > FILE_MAX - at)
            len = FILE_MAX - at;
        memcpy(data + at, other->data + other->size - len, len);
        *size = at + len;
    }
}

static void give_changed(struct rng *rng, const struct input *in)
{
    static uint8_t data[FILE_MAX];
    size_t size = in->size;
    memcpy(data, in->data, size);
    for (uint64_t left = 1 + rng_below(rng, 4); left > 0; left--)
        change(rng, data, &size);
    assert(size <= FILE_MAX);
    give(data, size);
}

int main(int argc, char **argv)
{
    uint64_t times = 0;
    uint64_t seed = (uint64_t)time(NULL) << 20 ^ (uint64_t)getpid();
    for (int c; (c = getopt(argc, argv, "n:s:")) != -1;) {
        if (c == 'n')
            times = strtoull(optarg, NULL, 10);
        else if (c == 's')
            seed = strtoull(optarg, NULL, 10);
        else
            return 2;
    }
    for (int i = optind; i < argc; i++)
        load_all(argv[i]);
    if (LLVMFuzzerInitialize != NULL)
        LLVMFuzzerInitialize(&argc, &argv);
    struct rng rng = {seed};
    fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    for (size_t i = 0; i < count; i++) {
        fprintf(stderr, "%s\n", inputs[i].path); /* the last one that began */
        give(inputs[i].data, inputs[i].size);
        for (uint64_t n = 0; n < times; n++)
            give_changed(&rng, &inputs[i]);
    }
    printf("%zu inputs\n", count);
    for (size_t i = 0; i < count; i++) {
        free(inputs[i].path);
        free(inputs[i].data);
    }
    return 0;
}
