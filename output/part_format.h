/* What writing and reading of part files share. Private to part.c and part_write.c; the layout
 * stands in part.h. Version 2 has windows of several parts, and what struck; version 3 what
 * was asked for of stores. */
#ifndef ORRERY_OUTPUT_PART_FORMAT_H
#define ORRERY_OUTPUT_PART_FORMAT_H

#include "output/part.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    PART_VERSION = 3,
    PART_MAGIC_SIZE = 8,
    PART_HEADER_SIZE = PART_MAGIC_SIZE + 4 + 8 + 8,
    PART_PATH_ROOM = 4096,
};
#define PART_MAGIC "ORRYPART"

/* FNV-1a with a final mix: told apart from random damage, not from malice. */
static inline uint64_t part_hash(const unsigned char *bytes, size_t size)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++)
        h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
    h ^= h >> 32;
    h *= UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

/* DIR/parts/POINT-REPLICATION.part and a suffix; false where it is too long. */
static inline bool part_path(char path[PART_PATH_ROOM], const char *dir,
                             const struct part_identity *id, const char *suffix)
{
    int length = snprintf(path, PART_PATH_ROOM, "%s/parts/%06u-%06u.part%s", dir, id->point,
                          id->replication, suffix);
    return length > 0 && length < PART_PATH_ROOM;
}

/* Bytes that grow. */
struct part_bytes {
    unsigned char *bytes;
    size_t size, room;
};
void part_bytes_add(struct part_bytes *w, const void *bytes, size_t size);

#endif
