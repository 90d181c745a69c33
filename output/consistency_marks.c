/* The consistency judge on acknowledgements: since when which version of a key was acknowledged. */
#include "output/consistency_tables.h"

#include "engine/kernel/check.h"

#include <stdlib.h>
#include <string.h>

void marks_add(struct judged_key *key, const struct judged_write *w)
{
    struct judged_mark mark = {w->ack_ns, w->ack, w->order, w->invoke};
    if (key->mark_count) {
        const struct judged_mark *last = &key->marks[key->mark_count - 1];
        bool newer = version_compare(w->order, last->order) > 0;
        if (!newer && w->invoke <= last->invoke)
            return;
        mark.order = newer ? w->order : last->order;
        mark.invoke = w->invoke > last->invoke ? w->invoke : last->invoke;
    }
    if (key->mark_count == key->mark_room) {
        key->mark_room = key->mark_room ? 2 * key->mark_room : 4;
        key->marks = realloc(key->marks, key->mark_room * sizeof *key->marks);
        if (!key->marks)
            check_machine("out of memory");
    }
    key->marks[key->mark_count++] = mark;
}

void marks_forget(struct judged_key *key, struct version_order held)
{
    uint32_t old = 0;
    while (old + 1 < key->mark_count && version_compare(key->marks[old].order, held) <= 0)
        old++;
    if (old < 16)
        return;
    old--; /* the latest begin of all before stands there */
    key->mark_count -= old;
    memmove(key->marks, key->marks + old, key->mark_count * sizeof *key->marks);
}

int64_t marks_staleness_ns(const struct judged_key *key, struct version_order order,
                           const struct judged_operation *o)
{
    uint32_t low = 0, high = key->mark_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (version_compare(key->marks[middle].order, order) > 0)
            high = middle;
        else
            low = middle + 1;
    }
    bool stale = low < key->mark_count && key->marks[low].ack < o->invoke;
    return stale ? o->invoke_ns - key->marks[low].ack_ns : -1;
}

uint64_t marks_latest_invoke(const struct judged_key *key, uint64_t begin)
{
    for (uint32_t i = key->mark_count; i-- > 0;)
        if (key->marks[i].ack < begin)
            return key->marks[i].invoke;
    return 0;
}

int64_t marks_age_ns(const struct judged_key *key, const struct judged_operation *o)
{
    uint32_t at = key->mark_count;
    while (at && key->marks[at - 1].ack >= o->invoke)
        at--;
    if (!at)
        return -1;
    while (at > 1 && !version_compare(key->marks[at - 2].order, key->marks[at - 1].order))
        at--;
    return o->invoke_ns - key->marks[at - 1].ack_ns;
}
