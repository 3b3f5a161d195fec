/* real_folder: a fresh folder of real files, and the disk on them. */
#ifndef ATE_SIM_REAL_FOLDER_H
#define ATE_SIM_REAL_FOLDER_H

#include <stdbool.h>

struct real_disk;

struct real_folder {
    char root[160];
    char data[180]; /* the data folder, below root */
};

void real_folder_make(struct real_folder *f); /* below $TMPDIR */
void real_folder_remove(struct real_folder *f);

/* The disk on f->data, which is made; the caller closes it. */
struct real_disk *real_folder_open(struct real_folder *f);
/* Everything below f->data goes, and the folder. */
void real_folder_empty(struct real_folder *f);
/* Moves a real_disk on: false when nothing is under way. */
bool real_folder_pump(void *disk);
#endif
