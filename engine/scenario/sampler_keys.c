/* Key choosers from their texts. */
#include "engine/kernel/check.h"
#include "engine/scenario/sampler_call.h"

#include <math.h>
#include <string.h>

/* A whole number >= 0. */
static bool whole(const struct sampler_reader *r, const struct call *at, uint64_t *number)
{
    double value;
    if (!sampler_quantity(r, at, UNIT_PLAIN, &value))
        return false;
    if (value < 0 || value > (double)KEYS_MAX || floor(value) < value)
        return sampler_fail(r, at, NULL, "a whole number of keys must stand here, at most 2^52");
    *number = (uint64_t)value;
    return true;
}

static bool checked(const struct sampler_reader *r, const struct call *c, bool ok,
                    const char *const *why)
{
    return ok || sampler_fail(r, c, NULL, "%s", *why);
}

/* The arguments without a name, at most `max`; `offset` and `shuffle` may stand beside them. */
static bool plain_arguments(const struct sampler_reader *r, const struct call *c, uint32_t wanted,
                            const struct call **plain, const char *form)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        const struct call *a = &c->arguments[i];
        if (a->parameter && strcmp(a->parameter, "offset") != 0 &&
            strcmp(a->parameter, "shuffle") != 0 && strcmp(a->parameter, "column") != 0)
            return sampler_fail(r, a, form, "`%s` has no parameter `%s`", c->text, a->parameter);
        if (!a->parameter && count == wanted)
            return sampler_fail(r, a, form, "`%s` takes no further argument", c->text);
        if (!a->parameter)
            plain[count++] = a;
    }
    return count == wanted || sampler_fail(r, c, form, "`%s` needs more arguments", c->text);
}

/* Tables of zipf are shared by all points that ask for the same: making one takes as long as there
 * are keys. Only loading adds to them, so that readers in threads find them unchanged. */
static bool make_zipf(const struct sampler_reader *r, const struct call *c, double s, uint64_t n,
                      struct key_chooser *out)
{
    struct sampler_shared *shared = r->sampler->shared;
    const char *why = "";
    for (uint32_t i = 0; shared && i < shared->zipf_count; i++)
        if (shared->zipf[i].n == n && !(shared->zipf[i].s < s) && !(shared->zipf[i].s > s)) {
            *out = shared->zipf[i].chooser;
            return true;
        }
    bool keep = shared && !shared->frozen && shared->zipf_count < SAMPLER_ZIPF_MAX;
    struct arena *arena = keep ? shared->arena : r->sampler->arena;
    if (!checked(r, c, keys_make_zipf(out, arena, s, n, &why), &why))
        return false;
    if (keep)
        shared->zipf[shared->zipf_count++] = (struct sampler_zipf){.s = s, .n = n, .chooser = *out};
    return true;
}

static bool make_trace(const struct sampler_reader *r, const struct call *c,
                       struct key_chooser *out)
{
    size_t count;
    const char *why = "";
    const uint64_t *keys = sampler_key_column(r, c, &count);
    if (!keys)
        return false;
    return checked(r, c, keys_make_trace(out, r->sampler->arena, keys, count, &why), &why);
}

static bool make_hotspot(const struct sampler_reader *r, const struct call *c,
                         struct key_chooser *out)
{
    static const char form[] = "hotspot(20% of 1M gets 80%)";
    const struct call *p[5] = {NULL};
    double keys, requests;
    uint64_t n = 0;
    const char *why = "";
    if (!plain_arguments(r, c, 5, p, form))
        return false;
    CHECK(p[1] && p[3]);
    if (p[1]->type != CALL_WORD || strcmp(p[1]->text, "of") != 0 || p[3]->type != CALL_WORD ||
        strcmp(p[3]->text, "gets") != 0)
        return sampler_fail(r, c, form, "a hotspot is a part of the keys and what it gets");
    return sampler_quantity(r, p[0], UNIT_SHARE, &keys) && whole(r, p[2], &n) &&
           sampler_quantity(r, p[4], UNIT_SHARE, &requests) &&
           checked(r, c, keys_make_hotspot(out, keys, n, requests, &why), &why);
}

static bool make(const struct sampler_reader *r, const struct call *c, struct key_chooser *out)
{
    const struct call *p[2] = {NULL};
    const char *why = "";
    uint64_t n = 0;
    double s;
    if (!strcmp(c->text, "uniform"))
        return plain_arguments(r, c, 1, p, "uniform(1k)") && whole(r, p[0], &n) &&
               checked(r, c, keys_make_uniform(out, n, &why), &why);
    if (!strcmp(c->text, "sequential"))
        return plain_arguments(r, c, 1, p, "sequential(1M)") && whole(r, p[0], &n) &&
               checked(r, c, keys_make_sequential(out, n, &why), &why);
    if (!strcmp(c->text, "zipf"))
        return plain_arguments(r, c, 2, p, "zipf(0.99 1M)") &&
               sampler_quantity(r, p[0], UNIT_PLAIN, &s) && whole(r, p[1], &n) &&
               make_zipf(r, c, s, n, out);
    if (!strcmp(c->text, "hotspot"))
        return make_hotspot(r, c, out);
    if (!strcmp(c->text, "trace"))
        return make_trace(r, c, out);
    return sampler_unknown(r, c, SAMPLER_KEYS);
}

bool sampler_keys(const struct sampler *sampler, const struct node *value, struct key_chooser *out)
{
    const struct sampler_reader r = {.sampler = sampler, .value = value, .dimension = UNIT_PLAIN};
    const struct call *c = sampler_parse(&r);
    struct key_chooser made = {0};
    const char *why = "";
    uint64_t number = 0;
    if (!c)
        return false;
    if (!strcmp(c->text, "fresh") && (c->type == CALL_WORD || c->type == CALL_CALL)) {
        const struct call *none[1];
        if (c->type == CALL_CALL && !plain_arguments(&r, c, 0, none, "fresh"))
            return false;
        if (!checked(&r, c, keys_make_fresh(&made, 0, &why), &why))
            return false;
    } else if (c->type != CALL_CALL) {
        return sampler_unknown(&r, c, SAMPLER_KEYS);
    } else if (!make(&r, c, &made)) {
        return false;
    }
    const struct call *offset = sampler_named(c, "offset"), *shuffle = sampler_named(c, "shuffle");
    if (shuffle && (!whole(&r, shuffle, &number) ||
                    !checked(&r, shuffle, keys_shuffle(&made, number, &why), &why)))
        return false;
    if (offset && (!whole(&r, offset, &number) ||
                   !checked(&r, offset, keys_offset(&made, number, &why), &why)))
        return false;
    *out = made;
    return true;
}
