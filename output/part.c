#include "output/part.h"

#include "engine/kernel/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VERSION = 1, MAGIC_SIZE = 8, HEADER_SIZE = MAGIC_SIZE + 4 + 8 + 8, PATH_ROOM = 4096 };
static const char magic[MAGIC_SIZE] = {'O', 'R', 'R', 'Y', 'P', 'A', 'R', 'T'};

/* FNV-1a with a final mix: told apart from random damage, not from malice. */
static uint64_t hash_bytes(const unsigned char *bytes, size_t size)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++)
        h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
    h ^= h >> 32;
    h *= UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

static bool part_path(char path[PATH_ROOM], const char *dir, const struct part_identity *id,
                      const char *suffix)
{
    int length = snprintf(path, PATH_ROOM, "%s/parts/%06u-%06u.part%s", dir, id->point,
                          id->replication, suffix);
    return length > 0 && length < PATH_ROOM;
}

/* ---- writing ---- */

struct writer {
    unsigned char *bytes;
    size_t size, room;
};

static void put_bytes(struct writer *w, const void *bytes, size_t size)
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
static void put_wide(struct writer *w, unsigned __int128 value)
{
    unsigned char bytes[19];
    size_t count = 0;
    do {
        bytes[count++] = (unsigned char)((value & 127) | (value > 127 ? 128 : 0));
        value >>= 7;
    } while (value);
    put_bytes(w, bytes, count);
}

static void put(struct writer *w, uint64_t value)
{
    put_wide(w, value);
}

static void put_signed(struct writer *w, int64_t value)
{
    put(w, (uint64_t)value << 1 ^ (uint64_t)(value < 0 ? -1 : 0));
}

static void put_little(struct writer *w, uint64_t value, int size)
{
    unsigned char bytes[8];
    for (int i = 0; i < size; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
    put_bytes(w, bytes, (size_t)size);
}

static void put_double(struct writer *w, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_little(w, value == value ? bits : UINT64_C(0x7ff8000000000000), 8);
}

static void put_text(struct writer *w, const char *text)
{
    put(w, strlen(text));
    put_bytes(w, text, strlen(text));
}

static void put_sparse(struct writer *w, const struct sparse *s)
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

static void put_key(struct writer *w, const struct result_key *key)
{
    put(w, key->window);
    put(w, key->node);
    put(w, key->instance);
    put(w, key->operation);
    put(w, key->metric);
}

static void put_cell(struct writer *w, const struct result_cell *c)
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

static void put_course(struct writer *w, const struct result_course *c, uint32_t count)
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

static void put_frame(struct writer *w, const struct result *r)
{
    put(w, r->totals.events);
    put(w, r->totals.fingerprint);
    put(w, r->totals.live_max);
    put(w, r->totals.unfinished);
    put_signed(w, r->totals.end_ns);
    put(w, r->diverged);
    put_text(w, r->message);
    put(w, r->window_count);
    for (uint32_t i = 0; i < r->window_count; i++) {
        put_signed(w, r->windows[i].begin);
        put_signed(w, r->windows[i].end);
    }
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
}

static void put_all(struct writer *w, const struct part_identity *id, const struct result *r)
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

static bool write_whole(const char *path, const char *temporary, const struct writer *head,
                        const struct writer *body, struct output_error *error)
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
    char path[PATH_ROOM], temporary[PATH_ROOM], parts[PATH_ROOM];
    errno = ENAMETOOLONG;
    if (!part_path(path, dir, identity, "") || !part_path(temporary, dir, identity, ".tmp"))
        return failed(error, dir, NULL);
    snprintf(parts, sizeof parts, "%s/parts", dir);
    if (mkdir(parts, 0777) && errno != EEXIST)
        return failed(error, parts, NULL);
    struct writer body = {0}, head = {0};
    put_all(&body, identity, result);
    put_bytes(&head, magic, MAGIC_SIZE);
    put_little(&head, VERSION, 4);
    put_little(&head, body.size, 8);
    put_little(&head, hash_bytes(body.bytes, body.size), 8);
    bool good = write_whole(path, temporary, &head, &body, error);
    free(head.bytes);
    free(body.bytes);
    return good;
}

/* ---- reading ---- */

/* Reads forward and never beyond the end; once bad, always bad, and every value is 0. */
struct reader {
    const unsigned char *at, *end;
    struct arena *arena;
    bool bad;
};

struct part {
    struct result result;
    unsigned char *bytes;
    const unsigned char *end;
    const unsigned char **packed; /* [cell_count]: where the histogram stands, or NULL */
};

static uint64_t bad(struct reader *r)
{
    r->bad = true;
    return 0;
}

static unsigned __int128 get_wide(struct reader *r)
{
    unsigned __int128 value = 0;
    for (int shift = 0; shift < 127 && !r->bad && r->at < r->end; shift += 7) {
        unsigned char byte = *r->at++;
        value |= (unsigned __int128)(byte & 127) << shift;
        if (byte < 128)
            return value;
    }
    return bad(r);
}

static uint64_t get(struct reader *r)
{
    unsigned __int128 value = get_wide(r);
    return value >> 64 ? bad(r) : (uint64_t)value;
}

static int64_t get_signed(struct reader *r)
{
    uint64_t value = get(r);
    return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

/* A non-negative sum that fits into a wide. */
static wide get_sum(struct reader *r)
{
    unsigned __int128 value = get_wide(r);
    return value >> 126 ? (wide)bad(r) : (wide)value;
}

/* A number of things that take at least `size` bytes each, so that memory is bounded by the file.
 */
static uint32_t get_count(struct reader *r, size_t size)
{
    uint64_t value = get(r);
    if (value > UINT32_MAX || value > (uint64_t)(r->end - r->at) / size)
        return (uint32_t)bad(r);
    return (uint32_t)value;
}

static uint32_t get_below(struct reader *r, uint64_t limit)
{
    uint64_t value = get(r);
    return value < limit ? (uint32_t)value : (uint32_t)bad(r);
}

static uint64_t get_little(const unsigned char *bytes, int size)
{
    uint64_t value = 0;
    for (int i = size - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static double get_double(struct reader *r)
{
    double value = 0;
    if (r->bad || r->end - r->at < 8)
        return (double)bad(r);
    uint64_t bits = get_little(r->at, 8);
    memcpy(&value, &bits, sizeof value);
    r->at += 8;
    return value;
}

static const char *get_text(struct reader *r)
{
    uint32_t length = get_count(r, 1);
    if (r->bad)
        return "";
    const char *text = arena_text(r->arena, (const char *)r->at, length);
    r->at += length;
    return text;
}

/* Reads a histogram; into `items` where that is not NULL. */
static struct sparse get_sparse(struct reader *r, struct arena *arena)
{
    struct sparse s = {.exact = get_below(r, 2) == 1};
    s.item_count = get_count(r, 2);
    struct sparse_item *items =
        arena && !r->bad ? arena_array(arena, s.item_count, struct sparse_item) : NULL;
    uint64_t low = 0;
    for (uint32_t i = 0; i < s.item_count && !r->bad; i++) {
        uint64_t step = get(r), count = get(r), offset = s.exact ? 0 : get(r);
        low += step;
        s.count += count;
        if ((i && !step) || !count || low > INT64_MAX || step > INT64_MAX || s.count < count)
            bad(r);
        if (items)
            items[i] = (struct sparse_item){(int64_t)low, count, offset};
    }
    s.items = items;
    return s;
}

static struct result_key get_key(struct reader *r, const struct result *result)
{
    struct result_key key;
    key.window = get_below(r, result->window_count);
    key.node = get_below(r, result->node_count);
    key.instance = get_below(r, r->bad ? 1 : (uint64_t)result->nodes[key.node].instances + 1);
    key.operation = get_below(r, (uint64_t)result->operation_count + 1);
    key.metric = get_below(r, UINT32_MAX);
    return key;
}

static void get_cells(struct reader *r, struct part *part)
{
    struct result *result = &part->result;
    uint32_t count = get_count(r, 15);
    struct result_cell *cells = arena_array(r->arena, count, struct result_cell);
    part->packed = arena_array(r->arena, count, const unsigned char *);
    for (uint32_t i = 0; i < count && !r->bad; i++) {
        struct result_cell *c = &cells[i];
        c->key = get_key(r, result);
        c->name = get_text(r);
        c->unit = get_text(r);
        c->type = (enum metric_type)get_below(r, METRIC_SHARE + 1);
        c->numerator = get_sum(r);
        c->denominator = get_sum(r);
        c->min = get_signed(r);
        c->max = get_signed(r);
        c->missing = get(r);
        c->has_histogram = get_below(r, 2) == 1;
        part->packed[i] = r->at;
        if (c->has_histogram)
            get_sparse(r, NULL);
        if (i && result_compare(&cells[i - 1].key, &c->key) >= 0)
            bad(r);
    }
    result->cells = cells;
    result->cell_count = count;
}

static void get_course(struct reader *r, const struct result *result, struct result_course *c)
{
    uint32_t count = result->interval_count;
    c->key = get_key(r, result);
    c->name = get_text(r);
    c->unit = get_text(r);
    c->type = (enum metric_type)get_below(r, METRIC_SHARE + 1);
    bool quantiles = get_below(r, 2) == 1;
    if (r->bad || (uint64_t)count > (uint64_t)(r->end - r->at) / 2) {
        bad(r);
        return;
    }
    wide *numerator = arena_array(r->arena, count, wide);
    wide *denominator = arena_array(r->arena, count, wide);
    double *p50 = quantiles ? arena_array(r->arena, count, double) : NULL;
    double *p99 = quantiles ? arena_array(r->arena, count, double) : NULL;
    for (uint32_t i = 0; i < count && !r->bad; i++) {
        numerator[i] = get_sum(r);
        denominator[i] = get_sum(r);
        if (quantiles) {
            p50[i] = get_double(r);
            p99[i] = get_double(r);
        }
    }
    c->numerator = numerator;
    c->denominator = denominator;
    c->p50 = p50;
    c->p99 = p99;
}

static void get_courses(struct reader *r, struct result *result)
{
    uint32_t count = get_count(r, 9);
    struct result_course *courses = arena_array(r->arena, count, struct result_course);
    for (uint32_t i = 0; i < count && !r->bad; i++) {
        get_course(r, result, &courses[i]);
        if (i && result_compare(&courses[i - 1].key, &courses[i].key) >= 0)
            bad(r);
    }
    result->courses = courses;
    result->course_count = count;
}

static void get_frame(struct reader *r, struct result *result)
{
    result->totals.events = get(r);
    result->totals.fingerprint = get(r);
    result->totals.live_max = get(r);
    result->totals.unfinished = get(r);
    result->totals.end_ns = get_signed(r);
    result->diverged = get_below(r, 2) == 1;
    result->message = get_text(r);
    result->window_count = get_count(r, 2);
    struct window *windows = arena_array(r->arena, result->window_count, struct window);
    for (uint32_t i = 0; i < result->window_count; i++) {
        windows[i].begin = get_signed(r);
        windows[i].end = get_signed(r);
    }
    result->windows = windows;
    result->node_count = get_count(r, 2);
    struct result_node *nodes = arena_array(r->arena, result->node_count, struct result_node);
    for (uint32_t i = 0; i < result->node_count; i++) {
        nodes[i].name = get_text(r);
        nodes[i].instances = get_below(r, UINT32_MAX);
    }
    result->nodes = nodes;
    result->operation_count = get_count(r, 1);
    const char **operations = arena_array(r->arena, result->operation_count, const char *);
    for (uint32_t i = 0; i < result->operation_count; i++)
        operations[i] = get_text(r);
    result->operations = operations;
    result->series_interval = get_signed(r);
    result->interval_count = get_below(r, UINT32_MAX);
    result->series_end = get_signed(r);
}

static enum part_status get_all(struct reader *r, struct part *part, const struct part_identity *id)
{
    const char *scenario = get_text(r);
    uint64_t point = get(r), replication = get(r), seed = get(r);
    if (r->bad)
        return PART_DAMAGED;
    if (strcmp(scenario, id->scenario) || point != id->point || replication != id->replication ||
        seed != id->seed)
        return PART_FOREIGN;
    part->result.seed = seed;
    part->result.replication = id->replication;
    get_frame(r, &part->result);
    get_cells(r, part);
    get_courses(r, &part->result);
    return r->bad || r->at != r->end ? PART_DAMAGED : PART_READ;
}

/* The whole file, or NULL with *status. */
static unsigned char *load(const char *path, size_t *size, enum part_status *status)
{
    *status = PART_MISSING;
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    struct writer w = {0};
    unsigned char block[65536];
    size_t count;
    while ((count = fread(block, 1, sizeof block, file)) > 0)
        put_bytes(&w, block, count);
    bool good = !ferror(file);
    fclose(file);
    *size = w.size;
    *status = PART_DAMAGED;
    if (good && w.size >= HEADER_SIZE && !memcmp(w.bytes, magic, MAGIC_SIZE)) {
        *status = get_little(w.bytes + MAGIC_SIZE, 4) == VERSION ? PART_READ : PART_FOREIGN;
        size_t rest = w.size - HEADER_SIZE;
        if (*status == PART_READ &&
            (get_little(w.bytes + MAGIC_SIZE + 4, 8) != rest ||
             get_little(w.bytes + MAGIC_SIZE + 12, 8) != hash_bytes(w.bytes + HEADER_SIZE, rest)))
            *status = PART_DAMAGED;
    }
    if (*status == PART_READ)
        return w.bytes;
    free(w.bytes);
    return NULL;
}

struct part *part_read(const char *dir, const struct part_identity *identity,
                       enum part_status *status)
{
    char path[PATH_ROOM];
    size_t size;
    *status = PART_MISSING;
    if (!part_path(path, dir, identity, ""))
        return NULL;
    unsigned char *bytes = load(path, &size, status);
    if (!bytes)
        return NULL;
    struct part *part = calloc(1, sizeof *part);
    if (!part)
        check_machine("out of memory for a part file");
    part->bytes = bytes;
    part->end = bytes + size;
    struct reader r = {bytes + HEADER_SIZE, part->end, &part->result.arena, false};
    *status = get_all(&r, part, identity);
    if (*status == PART_READ)
        return part;
    part_free(part);
    return NULL;
}

void part_free(struct part *part)
{
    if (!part)
        return;
    arena_free(&part->result.arena);
    free(part->bytes);
    free(part);
}

const struct result *part_result(const struct part *part)
{
    return &part->result;
}

struct sparse part_histogram(const struct part *part, uint32_t cell, struct arena *arena)
{
    struct reader r = {part->packed[cell], part->end, arena, false};
    return get_sparse(&r, arena);
}

bool output_part_valid(const char *dir, const struct part_identity *identity)
{
    enum part_status status;
    struct part *part = part_read(dir, identity, &status);
    part_free(part);
    return status == PART_READ;
}
