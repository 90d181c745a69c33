#include "models/parts/breaker.h"

#include <stddef.h>
#include <string.h>

static const struct field share_fields[] = {
    {.name = "share",
     .type = FIELD_SHARE,
     .offset = offsetof(struct breaker_config, share),
     .otherwise = "50%",
     .min = 1e-9,
     .max = 1,
     .summary = "Of the tries of the window."},
    {0},
};
static const struct field consecutive_fields[] = {
    {.name = "errors",
     .type = FIELD_COUNT,
     .offset = offsetof(struct breaker_config, consecutive),
     .otherwise = "5",
     .min = 1,
     .summary = "Without an ok answer in between."},
    {0},
};
static const struct field_word errors[] = {
    [BREAKER_SHARE] = {"share", "At this share of errors or more.",
                       &(const struct field_table){.fields = share_fields}},
    [BREAKER_CONSECUTIVE] = {"consecutive", "After so many errors in a row.",
                             &(const struct field_table){.fields = consecutive_fields}},
    {0},
};

static const struct field record_fields[] = {
    {.name = "errors",
     .type = FIELD_WORD,
     .offset = offsetof(struct breaker_config, errors),
     .otherwise = "50%",
     .flags = FIELD_BARE,
     .words = errors,
     .summary = "When it opens: a share of the tries (50%), or consecutive(5). Errors are answers "
                "that are not ok and tries that were not answered in time."},
    {.name = "window",
     .type = FIELD_TIME,
     .offset = offsetof(struct breaker_config, window_ns),
     .otherwise = "10s",
     .min = BREAKER_PARTS,
     .summary = "Over which the share is taken; it moves on in tenths."},
    {.name = "calls",
     .type = FIELD_COUNT,
     .offset = offsetof(struct breaker_config, calls),
     .otherwise = "20",
     .min = 1,
     .max = 1e9,
     .summary = "With fewer tries in the window a share opens nothing."},
    {.name = "open",
     .type = FIELD_TIME,
     .offset = offsetof(struct breaker_config, open_ns),
     .otherwise = "10s",
     .min = 1,
     .summary = "How long every try fails at once, before the next ones test the target."},
    {.name = "probes",
     .type = FIELD_COUNT,
     .offset = offsetof(struct breaker_config, probes),
     .otherwise = "1",
     .min = 1,
     .max = 1e9,
     .summary = "Tries that test it; all of them ok: closed again, one of them not: open again."},
    {0},
};

const struct field_table breaker_fields = {.fields = record_fields};

static void window_move(struct breaker *b, const struct breaker_config *config, int64_t now_ns)
{
    int64_t part = now_ns / (config->window_ns / BREAKER_PARTS);
    if (part - b->part >= BREAKER_PARTS)
        b->part = part - BREAKER_PARTS;
    while (b->part < part) {
        b->part++;
        b->ok[b->part % BREAKER_PARTS] = b->bad[b->part % BREAKER_PARTS] = 0;
    }
}

static void close(struct breaker *b)
{
    int64_t part = b->part;
    memset(b, 0, sizeof *b);
    b->part = part;
}

static bool open(struct breaker *b, int64_t now_ns)
{
    close(b);
    b->state = BREAKER_OPEN;
    b->opened_ns = now_ns;
    return true;
}

bool breaker_lets(struct breaker *b, const struct breaker_config *config, int64_t now_ns,
                  bool *probe)
{
    *probe = false;
    if (b->state == BREAKER_CLOSED)
        return true;
    if (b->state == BREAKER_OPEN) {
        if (now_ns - b->opened_ns < config->open_ns)
            return false;
        b->state = BREAKER_HALF_OPEN;
        b->probes = b->passed = 0;
    }
    if (b->probes >= config->probes)
        return false;
    b->probes++;
    *probe = true;
    return true;
}

static bool too_many(struct breaker *b, const struct breaker_config *config)
{
    uint64_t ok = 0, bad = 0;
    if (config->errors == BREAKER_CONSECUTIVE)
        return b->in_a_row >= config->consecutive;
    for (int i = 0; i < BREAKER_PARTS; i++) {
        ok += b->ok[i];
        bad += b->bad[i];
    }
    return ok + bad >= config->calls && (double)bad >= config->share * (double)(ok + bad);
}

bool breaker_learns(struct breaker *b, const struct breaker_config *config, int64_t now_ns,
                    bool probe, bool ok)
{
    if (b->state == BREAKER_CLOSED) {
        window_move(b, config, now_ns);
        (ok ? b->ok : b->bad)[b->part % BREAKER_PARTS]++;
        b->in_a_row = ok ? 0 : b->in_a_row + 1;
        return !ok && too_many(b, config) && open(b, now_ns);
    }
    if (b->state == BREAKER_OPEN || !probe)
        return false;
    if (!ok)
        return open(b, now_ns);
    if (++b->passed >= config->probes)
        close(b);
    return false;
}

void breaker_forgets(struct breaker *b)
{
    if (b->state == BREAKER_HALF_OPEN && b->probes > b->passed)
        b->probes--;
}
