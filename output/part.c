/* Part files: from bytes that may be anybody's to a result. */
#include "output/part.h"

#include "engine/kernel/check.h"
#include "output/part_format.h"

#include <stdlib.h>
#include <string.h>

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
        c->type = (enum metric_type)get_below(r, METRIC_TYPES);
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
    c->type = (enum metric_type)get_below(r, METRIC_TYPES);
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

static struct window_set get_windows(struct reader *r)
{
    uint32_t count = get_count(r, 2);
    struct window *parts = arena_array(r->arena, count, struct window);
    for (uint32_t i = 0; i < count && !r->bad; i++) {
        parts[i].begin = get_signed(r);
        parts[i].end = get_signed(r);
    }
    return (struct window_set){parts, count};
}

static void get_strikes(struct reader *r, struct result *result)
{
    result->fault_count = get_count(r, 3);
    struct result_fault *faults = arena_array(r->arena, result->fault_count, struct result_fault);
    for (uint32_t i = 0; i < result->fault_count; i++) {
        faults[i].name = get_text(r);
        faults[i].action = get_text(r);
        faults[i].amount = get_text(r);
    }
    result->faults = faults;
    result->strike_count = get_count(r, 4);
    struct result_strike *strikes =
        arena_array(r->arena, result->strike_count, struct result_strike);
    for (uint32_t i = 0; i < result->strike_count; i++) {
        strikes[i].fault = get_below(r, result->fault_count);
        strikes[i].target = get_text(r);
        strikes[i].begin = get_signed(r);
        strikes[i].end = get_signed(r);
    }
    result->strikes = strikes;
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
    result->window_count = get_count(r, 1);
    struct window_set *windows = arena_array(r->arena, result->window_count, struct window_set);
    for (uint32_t i = 0; i < result->window_count; i++)
        windows[i] = get_windows(r);
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
    get_strikes(r, result);
    result->history = get_text(r);
    result->leaders = get_text(r);
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
    struct part_bytes w = {0};
    unsigned char block[65536];
    size_t count;
    while ((count = fread(block, 1, sizeof block, file)) > 0)
        part_bytes_add(&w, block, count);
    bool good = !ferror(file);
    fclose(file);
    *size = w.size;
    *status = PART_DAMAGED;
    if (good && w.size >= PART_HEADER_SIZE && !memcmp(w.bytes, PART_MAGIC, PART_MAGIC_SIZE)) {
        *status =
            get_little(w.bytes + PART_MAGIC_SIZE, 4) == PART_VERSION ? PART_READ : PART_FOREIGN;
        size_t rest = w.size - PART_HEADER_SIZE;
        if (*status == PART_READ && (get_little(w.bytes + PART_MAGIC_SIZE + 4, 8) != rest ||
                                     get_little(w.bytes + PART_MAGIC_SIZE + 12, 8) !=
                                         part_hash(w.bytes + PART_HEADER_SIZE, rest)))
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
    char path[PART_PATH_ROOM];
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
    struct reader r = {bytes + PART_HEADER_SIZE, part->end, &part->result.arena, false};
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
