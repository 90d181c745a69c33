/* A bump allocator: memory that is handed out piece by piece and given back all at once. One arena
 * per scenario, one per run, one volatile arena per place (a crash resets it).
 *
 *     struct arena a = {0};
 *     struct thing *t = arena_new(&a, struct thing);
 *     arena_reset(&a);    forgets everything, keeps the blocks
 *     arena_free(&a);     gives the blocks back
 *
 * Invariant: every pointer handed out is aligned to 16 bytes and its bytes are zero. */
#ifndef ORRERY_KERNEL_ARENA_H
#define ORRERY_KERNEL_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena {
    struct arena_block *first;   /* oldest block: the head of the list that is filled in order */
    struct arena_block *current; /* the block that is being filled; NULL before the first use */
    size_t used;                 /* bytes used of the current block */
};

/* `size` zeroed bytes, 16-byte aligned; never NULL (ends the process with exit 3 instead). A size
 * of zero gives a unique pointer. */
void *arena_take(struct arena *arena, size_t size);

/* `count` zeroed items of `size` bytes; checks the product for overflow. */
void *arena_take_array(struct arena *arena, size_t count, size_t size);

/* A copy of the `length` bytes at `text`, with a NUL behind it. */
char *arena_text(struct arena *arena, const char *text, size_t length);

/* A formatted string that lives in the arena. */
char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void arena_reset(struct arena *arena);
void arena_free(struct arena *arena);

#define arena_new(arena, type) ((type *)arena_take((arena), sizeof(type)))
#define arena_array(arena, count, type) ((type *)arena_take_array((arena), (count), sizeof(type)))

#endif
