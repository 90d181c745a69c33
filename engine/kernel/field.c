/* Looking into configurations by name, where no struct is known. */
#include "engine/kernel/field.h"

#include <string.h>

static struct field_found find_from(const struct field_table *table, const char *name, size_t base)
{
    for (const struct field *f = table->fields; f && f->name; f++)
        if (!strcmp(f->name, name))
            return (struct field_found){.field = f, .offset = base + f->offset, .base = base};
    for (const struct field_include *i = table->includes; i && i->table; i++) {
        struct field_found found = find_from(i->table, name, base + i->offset);
        if (found.field)
            return found;
    }
    return (struct field_found){0};
}

struct field_found field_find(const struct field_table *table, const char *name)
{
    return find_from(table, name, 0);
}

bool field_used(const struct field_found *found, const void *config)
{
    const struct field *f = found->field;
    const unsigned char *bytes = config;
    uint64_t count;
    int64_t time;
    double number;
    if (f->present || f->type == FIELD_BOOL)
        return bytes[f->present ? found->base + f->present : found->offset];
    switch (f->type) {
    case FIELD_WORD:
        return bytes[found->offset];
    case FIELD_COUNT:
        memcpy(&count, bytes + found->offset, sizeof count);
        return count && count != COUNT_UNLIMITED;
    case FIELD_TIME:
        memcpy(&time, bytes + found->offset, sizeof time);
        return time && time != TIME_NONE;
    case FIELD_NUMBER:
    case FIELD_SHARE:
    case FIELD_FACTOR:
    case FIELD_RATE:
        memcpy(&number, bytes + found->offset, sizeof number);
        return number > 0;
    default:
        return true;
    }
}
