#include "models/parts/log.h"

#include "engine/kernel/check.h"

enum { ROOM_FIRST = 64 };

void log_init(struct log *log, struct arena *arena)
{
    *log = (struct log){.arena = arena, .first = 1};
}

static void grow(struct log *log)
{
    uint32_t room = log->room ? 2 * log->room : ROOM_FIRST;
    struct log_entry *entries = arena_array(log->arena, room, struct log_entry);
    for (uint64_t i = log->first; i <= log->last; i++)
        entries[i & (room - 1)] = log->entries[i & (log->room - 1)];
    log->entries = entries;
    log->room = room;
}

uint64_t log_append(struct log *log, version_handle version)
{
    if (log->last + 1 - log->first == log->room)
        grow(log);
    log->last++;
    log->entries[log->last & (log->room - 1)] = (struct log_entry){.version = version};
    return log->last;
}

struct log_entry *log_entry(const struct log *log, uint64_t index)
{
    CHECK(index >= log->first && index <= log->last);
    return &log->entries[index & (log->room - 1)];
}

void log_truncate(struct log *log, uint64_t last)
{
    CHECK(last + 1 >= log->first);
    if (last < log->last)
        log->last = last;
}

void log_trim(struct log *log, uint64_t first)
{
    CHECK(first <= log->last + 1);
    if (first > log->first)
        log->first = first;
}

void log_keep(const struct log *log, struct versions *versions)
{
    for (uint64_t i = log->first; i <= log->last; i++) {
        version_keep(versions, log_entry(log, i)->version);
        version_keep(versions, log_entry(log, i)->before);
    }
}
