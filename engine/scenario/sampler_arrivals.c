/* Arrival processes from their texts: one process, or a list of them over time. */
#include "engine/scenario/sampler_call.h"

#include <math.h>
#include <string.h>

static bool checked(const struct sampler_reader *r, const struct call *c, bool ok,
                    const char *const *why)
{
    return ok || sampler_fail(r, c, NULL, "%s", *why);
}

/* `100/s`, or within a span `100/s..1k/s`. */
static bool read_rate(const struct sampler_reader *r, const struct call *c, bool span, double *from,
                      double *to)
{
    if (c->type != CALL_CALL || c->count != 1 || c->arguments[0].parameter)
        return sampler_fail(r, c, "poisson(200/s)", "`%s` has one argument, its rate", c->text);
    const struct call *rate = &c->arguments[0];
    if (rate->type != CALL_RANGE) {
        if (span)
            return sampler_fail(r, rate, "5min..7min poisson(100/s..1k/s)",
                                "over a span of time the rate goes from one value to another");
        bool ok = sampler_quantity(r, rate, UNIT_RATE, from);
        *to = *from;
        return ok;
    }
    if (!span)
        return sampler_fail(r, rate, "[5min..7min poisson(100/s..1k/s)]",
                            "a rate that changes needs a span of time in a list");
    return sampler_quantity(r, &rate->arguments[0], UNIT_RATE, from) &&
           sampler_quantity(r, &rate->arguments[1], UNIT_RATE, to);
}

static bool make_batches(const struct sampler_reader *r, const struct call *c,
                         struct arrivals_segment *out)
{
    struct sampler_reader times = *r;
    struct distribution gap;
    double batch;
    const char *why = "";
    times.dimension = UNIT_TIME;
    if (c->count != 3 || c->arguments[1].type != CALL_WORD ||
        strcmp(c->arguments[1].text, "every") != 0)
        return sampler_fail(r, c, "batches(10 every exp(1s))",
                            "batches are a number and the gap between them");
    const struct call *size = &c->arguments[0];
    if (size->type == CALL_CALL && !strcmp(size->text, "geometric") && size->count == 1)
        return sampler_quantity(r, &size->arguments[0], UNIT_PLAIN, &batch) &&
               sampler_read(&times, &c->arguments[2], &gap) &&
               checked(r, c, arrivals_make_geometric_batches(out, batch, &gap, &why), &why);
    if (!sampler_quantity(r, &c->arguments[0], UNIT_PLAIN, &batch))
        return false;
    if (batch < 1 || batch > 1e9 || floor(batch) < batch)
        return sampler_fail(r, &c->arguments[0], NULL, "a batch is a whole number, at least 1");
    return sampler_read(&times, &c->arguments[2], &gap) &&
           checked(r, c, arrivals_make_batches(out, (uint64_t)batch, &gap, &why), &why);
}

static bool make_trace(const struct sampler_reader *r, const struct call *c,
                       struct arrivals_segment *out)
{
    size_t count;
    const char *why = "";
    const double *seconds = sampler_column(r, c, 1e9, &count);
    if (!seconds)
        return false;
    int64_t *times = arena_array(r->sampler->arena, count, int64_t);
    for (size_t i = 0; i < count; i++) {
        if (seconds[i] > (double)DISTRIBUTION_NS_MAX)
            return sampler_fail(r, c, NULL, "a recorded time is later than 73 years");
        times[i] = (int64_t)(seconds[i] + 0.5);
    }
    return checked(r, c, arrivals_make_trace(out, r->sampler->arena, times, count, &why), &why);
}

static bool make(const struct sampler_reader *r, const struct call *c, bool span,
                 struct arrivals_segment *out)
{
    static const struct sampler_parameter mmpp[] = {
        {"first", UNIT_RATE, false}, {"second", UNIT_RATE, false}, {"every", UNIT_TIME, false}};
    double from = 0, to = 0, v[3];
    const char *why = "";
    if (c->type != CALL_CALL && c->type != CALL_WORD)
        return sampler_fail(r, c, "poisson(200/s)", "this is no arrival process");
    if (!strcmp(c->text, "poisson"))
        return read_rate(r, c, span, &from, &to) &&
               checked(r, c, arrivals_make_poisson(out, from, to, &why), &why);
    if (!strcmp(c->text, "constant"))
        return read_rate(r, c, span, &from, &to) &&
               checked(r, c, arrivals_make_constant(out, from, to, &why), &why);
    if (span)
        return sampler_fail(r, c, NULL, "only poisson and constant change their rate over a span");
    if (c->type != CALL_CALL)
        return sampler_unknown(r, c, SAMPLER_ARRIVALS);
    if (!strcmp(c->text, "batches"))
        return make_batches(r, c, out);
    if (!strcmp(c->text, "mmpp"))
        return sampler_arguments(r, c, mmpp, 3, v) &&
               checked(r, c, arrivals_make_mmpp(out, v[0], v[1], v[2], &why), &why);
    if (!strcmp(c->text, "trace"))
        return make_trace(r, c, out);
    return sampler_unknown(r, c, SAMPLER_ARRIVALS);
}

/* An item of a list: a start or a span, then a process. */
static bool read_segment(const struct sampler *sampler, const struct node *value,
                         struct arrivals_segment *out)
{
    static const char form[] = "[0s poisson(100/s), 5min..7min poisson(100/s..1k/s)]";
    const struct sampler_reader r = {.sampler = sampler, .value = value, .dimension = UNIT_TIME};
    double start = 0, end = 0;
    if (value->type != NODE_SCALAR) {
        if (value->type != NODE_BAD)
            document_error(sampler->document, value, form, "`%s`: a time and a process",
                           sampler->field);
        return false;
    }
    const struct call *c = sampler_parse(&r);
    if (!c)
        return false;
    if (c->type != CALL_GROUP || c->count != 2)
        return sampler_fail(&r, c, form, "an item is a time and a process");
    const struct call *when = &c->arguments[0];
    bool span = when->type == CALL_RANGE;
    if (!sampler_quantity(&r, span ? &when->arguments[0] : when, UNIT_TIME, &start) ||
        (span && !sampler_quantity(&r, &when->arguments[1], UNIT_TIME, &end)))
        return false;
    if (start < 0 || (span && end <= start))
        return sampler_fail(&r, when, form, "a span goes from an earlier time to a later one");
    if (!make(&r, &c->arguments[1], span, out))
        return false;
    out->start_ns = (int64_t)start;
    out->ramp_end_ns = (int64_t)end;
    return true;
}

bool sampler_arrivals(const struct sampler *sampler, const struct node *value, struct arrivals *out)
{
    const char *why = "";
    if (value->type == NODE_SCALAR) {
        const struct sampler_reader r = {.sampler = sampler, .value = value};
        struct arrivals_segment segment = {0};
        const struct call *c = sampler_parse(&r);
        return c && make(&r, c, false, &segment) &&
               checked(&r, c, arrivals_make(out, sampler->arena, &segment, 1, &why), &why);
    }
    if (value->type != NODE_LIST || !value->count) {
        if (value->type != NODE_BAD)
            document_error(sampler->document, value, "poisson(200/s)",
                           "`%s` is a process or a list of them over time", sampler->field);
        return false;
    }
    struct arrivals_segment *segments =
        arena_array(sampler->arena, value->count, struct arrivals_segment);
    for (uint32_t i = 0; i < value->count; i++)
        if (!read_segment(sampler, value->items[i], &segments[i]))
            return false;
    if (arrivals_make(out, sampler->arena, segments, value->count, &why))
        return true;
    document_error(sampler->document, value, NULL, "`%s`: %s", sampler->field, why);
    return false;
}
