/* Part files: from a result to bytes on the disk. */
#include "output/part_format.h"

#include "engine/kernel/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void part_bytes_add(struct part_bytes *w, const void *bytes, size_t size)
{
    if (w->size + size > w->room) {
        w->room = (w->size + size) * 2 + 4096;
        w->bytes = realloc(w->bytes, w->room);
        if (!w->bytes)
            check_machine("out of memory for a part file");
    }
    if (size)
        memcpy(w->bytes + w->size, bytes, size);
    w->size += size;
}

/* Seven bits a byte, the lowest first. */
static void put_wide(struct part_bytes *w, unsigned __int128 value)
{
    unsigned char bytes[19];
    size_t count = 0;
    do {
        bytes[count++] = (unsigned char)((value & 127) | (value > 127 ? 128 : 0));
        value >>= 7;
    } while (value);
    part_bytes_add(w, bytes, count);
}

static void put(struct part_bytes *w, uint64_t value)
{
    put_wide(w, value);
}

static void put_signed(struct part_bytes *w, int64_t value)
{
    put(w, (uint64_t)value << 1 ^ (uint64_t)(value < 0 ? -1 : 0));
}

static void put_little(struct part_bytes *w, uint64_t value, int size)
{
    unsigned char bytes[8];
    for (int i = 0; i < size; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
    part_bytes_add(w, bytes, (size_t)size);
}

static void put_double(struct part_bytes *w, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_little(w, value == value ? bits : UINT64_C(0x7ff8000000000000), 8);
}

static void put_text(struct part_bytes *w, const char *text)
{
    put(w, strlen(text));
    part_bytes_add(w, text, strlen(text));
}

static void put_sparse(struct part_bytes *w, const struct sparse *s)
{
    int64_t last = 0;
    put(w, s->exact);
    put(w, s->item_count);
    for (uint32_t i = 0; i < s->item_count; i++) {
        put(w, (uint64_t)(s->items[i].low - last));
        put(w, s->items[i].count);
        if (!s->exact)
            put(w, s->items[i].offset);
        last = s->items[i].low;
    }
}

static void put_key(struct part_bytes *w, const struct result_key *key)
{
    put(w, key->window);
    put(w, key->node);
    put(w, key->instance);
    put(w, key->operation);
    put(w, key->metric);
}

static void put_cell(struct part_bytes *w, const struct result_cell *c)
{
    put_key(w, &c->key);
    put_text(w, c->name);
    put_text(w, c->unit);
    put(w, c->type);
    put_wide(w, (unsigned __int128)c->numerator);
    put_wide(w, (unsigned __int128)c->denominator);
    put_signed(w, c->min);
    put_signed(w, c->max);
    put(w, c->missing);
    put(w, c->has_histogram);
    if (c->has_histogram)
        put_sparse(w, &c->histogram);
}

static void put_course(struct part_bytes *w, const struct result_course *c, uint32_t count)
{
    put_key(w, &c->key);
    put_text(w, c->name);
    put_text(w, c->unit);
    put(w, c->type);
    put(w, c->p50 != NULL);
    for (uint32_t i = 0; i < count; i++) {
        put_wide(w, (unsigned __int128)c->numerator[i]);
        put_wide(w, (unsigned __int128)c->denominator[i]);
        if (c->p50) {
            put_double(w, c->p50[i]);
            put_double(w, c->p99[i]);
        }
    }
}

static void put_windows(struct part_bytes *w, const struct window_set *set)
{
    put(w, set->count);
    for (uint32_t i = 0; i < set->count; i++) {
        put_signed(w, set->parts[i].begin);
        put_signed(w, set->parts[i].end);
    }
}

static void put_strikes(struct part_bytes *w, const struct result *r)
{
    put(w, r->fault_count);
    for (uint32_t i = 0; i < r->fault_count; i++) {
        put_text(w, r->faults[i].name);
        put_text(w, r->faults[i].action);
        put_text(w, r->faults[i].amount);
    }
    put(w, r->strike_count);
    for (uint32_t i = 0; i < r->strike_count; i++) {
        put(w, r->strikes[i].fault);
        put_text(w, r->strikes[i].target);
        put_signed(w, r->strikes[i].begin);
        put_signed(w, r->strikes[i].end);
    }
}

static void put_frame(struct part_bytes *w, const struct result *r)
{
    put(w, r->totals.events);
    put(w, r->totals.fingerprint);
    put(w, r->totals.live_max);
    put(w, r->totals.unfinished);
    put_signed(w, r->totals.end_ns);
    put(w, r->diverged);
    put_text(w, r->message);
    put(w, r->window_count);
    for (uint32_t i = 0; i < r->window_count; i++)
        put_windows(w, &r->windows[i]);
    put(w, r->node_count);
    for (uint32_t i = 0; i < r->node_count; i++) {
        put_text(w, r->nodes[i].name);
        put(w, r->nodes[i].instances);
    }
    put(w, r->operation_count);
    for (uint32_t i = 0; i < r->operation_count; i++)
        put_text(w, r->operations[i]);
    put_signed(w, r->series_interval);
    put(w, r->interval_count);
    put_signed(w, r->series_end);
    put_strikes(w, r);
    put_text(w, r->history);
    put_text(w, r->leaders);
}

static void put_all(struct part_bytes *w, const struct part_identity *id, const struct result *r)
{
    put_text(w, id->scenario);
    put(w, id->point);
    put(w, id->replication);
    put(w, id->seed);
    put_frame(w, r);
    put(w, r->cell_count);
    for (uint32_t i = 0; i < r->cell_count; i++)
        put_cell(w, &r->cells[i]);
    put(w, r->course_count);
    for (uint32_t i = 0; i < r->course_count; i++)
        put_course(w, &r->courses[i], r->interval_count);
}

static bool failed(struct output_error *error, const char *path, const char *temporary)
{
    int reason = errno;
    if (temporary)
        unlink(temporary);
    snprintf(error->message, sizeof error->message, "cannot write %.400s: %s", path,
             strerror(reason ? reason : EIO));
    return false;
}

static bool write_whole(const char *path, const char *temporary, const struct part_bytes *head,
                        const struct part_bytes *body, struct output_error *error)
{
    errno = 0;
    FILE *file = fopen(temporary, "wb");
    if (!file)
        return failed(error, path, NULL);
    bool good = fwrite(head->bytes, 1, head->size, file) == head->size &&
                fwrite(body->bytes, 1, body->size, file) == body->size && !fflush(file);
    if (!good) {
        int reason = errno;
        fclose(file);
        errno = reason;
        return failed(error, path, temporary);
    }
    if (fclose(file) || rename(temporary, path))
        return failed(error, path, temporary);
    return true;
}

bool output_part_write(const char *dir, const struct part_identity *identity,
                       const struct result *result, struct output_error *error)
{
    char path[PART_PATH_ROOM], temporary[PART_PATH_ROOM], parts[PART_PATH_ROOM];
    errno = ENAMETOOLONG;
    if (!part_path(path, dir, identity, "") || !part_path(temporary, dir, identity, ".tmp"))
        return failed(error, dir, NULL);
    snprintf(parts, sizeof parts, "%s/parts", dir);
    if (mkdir(parts, 0777) && errno != EEXIST)
        return failed(error, parts, NULL);
    struct part_bytes body = {0}, head = {0};
    put_all(&body, identity, result);
    part_bytes_add(&head, PART_MAGIC, PART_MAGIC_SIZE);
    put_little(&head, PART_VERSION, 4);
    put_little(&head, body.size, 8);
    put_little(&head, part_hash(body.bytes, body.size), 8);
    bool good = write_whole(path, temporary, &head, &body, error);
    free(head.bytes);
    free(body.bytes);
    return good;
}
