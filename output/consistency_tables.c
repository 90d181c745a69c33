#include "output/consistency_tables.h"

#include "engine/kernel/check.h"
#include "engine/kernel/random.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 1024, BLOCK = 256 };

void table_init(struct table *table, size_t size)
{
    *table = (struct table){.size = (size + 15) & ~(size_t)15};
}

void table_free(struct table *table)
{
    for (uint32_t i = 0; i < table->block_count; i++)
        free(table->blocks[i]);
    free(table->blocks);
    free(table->heads);
    *table = (struct table){0};
}

static uint32_t slot_of(const struct table *table, uint64_t name)
{
    return (uint32_t)random_mix(name) & (table->room - 1);
}

void *table_find(const struct table *table, uint64_t name)
{
    if (!table->room)
        return NULL;
    struct entry_name *entry = table->heads[slot_of(table, name)];
    while (entry && entry->name != name)
        entry = entry->next;
    return entry;
}

static void *claim(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory)
        check_machine("out of memory");
    return memory;
}

static void grow(struct table *table)
{
    void **old = table->heads;
    uint32_t room = table->room;
    table->room = room ? 2 * room : ROOM_FIRST;
    table->heads = claim(table->room, sizeof *table->heads);
    for (uint32_t i = 0; i < room; i++)
        for (struct entry_name *entry = old[i]; entry;) {
            struct entry_name *next = entry->next;
            uint32_t slot = slot_of(table, entry->name);
            entry->next = table->heads[slot];
            table->heads[slot] = entry;
            entry = next;
        }
    free(old);
}

static struct entry_name *take(struct table *table)
{
    struct entry_name *entry = table->free;
    if (entry) {
        table->free = entry->next;
        memset(entry, 0, table->size);
        return entry;
    }
    if (!table->block_count || table->block_used == BLOCK) {
        table->blocks = realloc(table->blocks, (table->block_count + 1) * sizeof *table->blocks);
        if (!table->blocks)
            check_machine("out of memory");
        table->blocks[table->block_count++] = claim(BLOCK, table->size);
        table->block_used = 0;
    }
    unsigned char *block = table->blocks[table->block_count - 1];
    return (void *)(block + table->block_used++ * table->size);
}

void *table_make(struct table *table, uint64_t name)
{
    struct entry_name *entry = table_find(table, name);
    CHECK(name);
    if (entry)
        return entry;
    if (table->count >= table->room)
        grow(table);
    entry = take(table);
    uint32_t slot = slot_of(table, name);
    entry->name = name;
    entry->next = table->heads[slot];
    table->heads[slot] = entry;
    table->count++;
    return entry;
}

void table_drop(struct table *table, void *dropped)
{
    struct entry_name *entry = dropped;
    void **link = &table->heads[slot_of(table, entry->name)];
    while (*link != entry)
        link = &((struct entry_name *)*link)->next;
    *link = entry->next;
    entry->next = table->free;
    entry->name = 0;
    table->free = entry;
    table->count--;
}

static int by_name(const void *a, const void *b)
{
    const struct entry_name *x = *(void *const *)a, *y = *(void *const *)b;
    return x->name < y->name ? -1 : x->name > y->name;
}

void table_each(const struct table *table, void *context, void (*see)(void *context, void *entry))
{
    void **all = claim(table->count + 1, sizeof *all);
    uint32_t count = 0;
    for (uint32_t i = 0; i < table->room; i++)
        for (struct entry_name *entry = table->heads[i]; entry; entry = entry->next)
            all[count++] = entry;
    qsort(all, count, sizeof *all, by_name);
    for (uint32_t i = 0; i < count; i++)
        see(context, all[i]);
    free(all);
}
