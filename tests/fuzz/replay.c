/* A main for a fuzz target: gives it each file that is named, or that stands in
 * a folder that is named, and says how many there were. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX = 1 << 20 };

static void play(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(FILE_MAX);
    if (file == NULL || data == NULL) {
        perror(path);
        exit(1);
    }
    size_t size = fread(data, 1, FILE_MAX, file);
    /* Exactly as large as the file, so that a read behind it is seen. */
    uint8_t *exact = realloc(data, size > 0 ? size : 1);
    fprintf(stderr, "%s\n", path); /* the last one is what it ended with */
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    fclose(file);
}

static int play_folder(const char *path)
{
    char name[4096];
    int count = 0;
    DIR *folder = opendir(path);
    if (folder == NULL) {
        play(path);
        return 1;
    }
    for (struct dirent *e; (e = readdir(folder)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
        play(name);
        count++;
    }
    closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;
    for (int i = 1; i < argc; i++)
        count += play_folder(argv[i]);
    printf("%d inputs\n", count);
    return 0;
}
