#include "engine/scenario/sampler.h"
#include "engine/scenario/sampler_call.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct sampler_word distributions[] = {
    {"exp", "exp(5ms)", "Exponential with this mean."},
    {"uniform", "uniform(1ms..9ms)", "Evenly between the two."},
    {"normal", "normal(5ms sd=1ms)",
     "Normal, drawn again below 0 (`orrery validate` prints the mean that results)."},
    {"lognormal", "lognormal(p50=4ms p99=20ms)",
     "Lognormal through the median and one higher percentile, or lognormal(mean=5ms sd=3ms)."},
    {"gamma", "gamma(mean=5ms cv=0.5)", "Gamma with this mean and coefficient of variation."},
    {"erlang", "erlang(4 5ms)", "Sum of 4 exponential stages, 5 ms in all."},
    {"weibull", "weibull(shape=2 mean=5ms)", "Weibull with this shape and mean."},
    {"pareto", "pareto(1ms 1.5 max=1s)",
     "Pareto from its minimum with exponent alpha; with max= truncated (drawn again above)."},
    {"hyperexp", "hyperexp(mean=5ms cv=2)",
     "Two exponentials with balanced means and this coefficient of variation, at least 1."},
    {"mix", "mix(90% exp(1ms) + 10% exp(20ms))", "One of the parts, each as often as it says."},
    {"shift", "shift(0.2ms + exp(1ms))", "A constant and a distribution on top of it."},
    {"batch", "batch(8ms each=0.2ms)",
     "A distribution, and so much more for each message of the request."},
    {"empirical", "empirical(file.csv column=latency unit=ms)",
     "One of the recorded values, each as likely; the file lies at or below the scenario's "
     "folder."},
    {0},
};

static const struct sampler_word key_choosers[] = {
    {"uniform", "uniform(1k)", "One of so many keys, each as likely."},
    {"zipf", "zipf(0.99 1M)", "The key of rank r with a probability that falls as r^-0.99."},
    {"hotspot", "hotspot(20% of 1M gets 80%)", "A hot part of the keys gets most of the requests."},
    {"sequential", "sequential(1M)", "One after the other, round and round."},
    {"fresh", "fresh", "A key that nobody used before, each time."},
    {"trace", "trace(file.csv column=key)",
     "The recorded keys in their order, again from the start at the end; whole numbers are those "
     "keys, any other text is a key of its own."},
    {0},
};

static const struct sampler_word arrival_processes[] = {
    {"poisson", "poisson(200/s)", "Independent arrivals at this rate."},
    {"constant", "constant(200/s)", "Evenly spaced, the first at time 0."},
    {"batches", "batches(10 every exp(1s))",
     "So many at once, with this gap between the batches; geometric(5) instead of a number: 5 on "
     "average."},
    {"mmpp", "mmpp(100/s 1k/s every=10s)",
     "Poisson at two rates in turn, each held exp(every), beginning with the first."},
    {"trace", "trace(file.csv column=time)", "At the recorded times, in seconds."},
    {0},
};

const struct sampler_word *sampler_words(enum sampler_family family)
{
    return family == SAMPLER_DISTRIBUTION ? distributions
           : family == SAMPLER_KEYS       ? key_choosers
                                          : arrival_processes;
}

bool sampler_fail(const struct sampler_reader *reader, const struct call *at, const char *hint,
                  const char *format, ...)
{
    char text[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const struct sampler *s = reader->sampler;
    diagnostic_error(s->document->diagnostics,
                     document_place(s->document, reader->value, at->offset, at->length), hint,
                     "`%s`: %s", s->field, text);
    return false;
}

bool sampler_unknown(const struct sampler_reader *reader, const struct call *call,
                     enum sampler_family family)
{
    const char *names[16];
    char list[200] = "one of:";
    size_t count = 0;
    for (const struct sampler_word *w = sampler_words(family); w->name; w++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, " %s", w->name);
        names[count++] = w->name;
    }
    static const char *const families[] = {"distribution", "key chooser", "arrival process"};
    const char *near =
        diagnostic_suggest(reader->sampler->document->diagnostics, call->text, names, count);
    return sampler_fail(reader, call, near ? near : list, "`%s` is no %s", call->text,
                        families[family]);
}

bool sampler_quantity(const struct sampler_reader *reader, const struct call *word,
                      enum unit_dimension dimension, double *value)
{
    struct unit_problem problem = {{0}, {0}};
    struct quantity q;
    if (word->type != CALL_WORD)
        return sampler_fail(reader, word, NULL, "%s must stand here", unit_name(dimension));
    if (!unit_parse(word->text, dimension, &q, &problem))
        return sampler_fail(reader, word, problem.hint[0] ? problem.hint : NULL, "%s",
                            problem.message);
    *value = q.value;
    return true;
}

const struct call *sampler_named(const struct call *call, const char *name)
{
    for (uint32_t i = 0; call->type == CALL_CALL && i < call->count; i++)
        if (call->arguments[i].parameter && !strcmp(call->arguments[i].parameter, name))
            return &call->arguments[i];
    return NULL;
}

/* The parameter that an argument is for: its name's, or the first that none has been given to. */
static size_t parameter_for(const struct call *argument, const struct sampler_parameter *parameters,
                            size_t count, const double *values)
{
    for (size_t i = 0; i < count; i++)
        if (argument->parameter ? !strcmp(parameters[i].name, argument->parameter)
                                : isnan(values[i]))
            return i;
    return count;
}

bool sampler_arguments(const struct sampler_reader *reader, const struct call *call,
                       const struct sampler_parameter *parameters, size_t count, double *values)
{
    const char *names[SAMPLER_PARAMETERS_MAX];
    for (size_t i = 0; i < count; i++) {
        names[i] = parameters[i].name;
        values[i] = NAN;
    }
    if (call->type != CALL_CALL || call->sum)
        return sampler_fail(reader, call, NULL, "`%s` is called with arguments", call->text);
    for (uint32_t i = 0; i < call->count; i++) {
        const struct call *a = &call->arguments[i];
        size_t p = parameter_for(a, parameters, count, values);
        if (p == count && a->parameter)
            return sampler_fail(reader, a,
                                diagnostic_suggest(reader->sampler->document->diagnostics,
                                                   a->parameter, names, count),
                                "`%s` has no parameter `%s`", call->text, a->parameter);
        if (p == count)
            return sampler_fail(reader, a, NULL, "`%s` takes %zu argument%s", call->text, count,
                                count == 1 ? "" : "s");
        if (!isnan(values[p]))
            return sampler_fail(reader, a, NULL, "`%s` is given twice", parameters[p].name);
        if (!sampler_quantity(reader, a, parameters[p].dimension, &values[p]))
            return false;
    }
    for (size_t i = 0; i < count; i++)
        if (isnan(values[i]) && !parameters[i].optional)
            return sampler_fail(reader, call, NULL, "`%s` needs its `%s`", call->text, names[i]);
    return true;
}

static bool checked(const struct sampler_reader *reader, const struct call *call, bool ok,
                    const char *const *why)
{
    return ok || sampler_fail(reader, call, NULL, "%s", *why);
}

/* Laws of two or three numbers: one line of this table each. */
static bool make_plain(const struct sampler_reader *r, const struct call *c,
                       struct distribution *out, bool *known)
{
    enum { EXP, NORMAL, GAMMA, ERLANG, WEIBULL, PARETO, HYPEREXP, LAWS };
    const enum unit_dimension own = r->dimension;
    const struct {
        const char *name;
        struct sampler_parameter parameters[3];
        size_t count;
    } laws[LAWS] = {
        [EXP] = {"exp", {{"mean", own, false}}, 1},
        [NORMAL] = {"normal", {{"mean", own, false}, {"sd", own, false}}, 2},
        [GAMMA] = {"gamma", {{"mean", own, false}, {"cv", UNIT_PLAIN, false}}, 2},
        [ERLANG] = {"erlang", {{"stages", UNIT_PLAIN, false}, {"mean", own, false}}, 2},
        [WEIBULL] = {"weibull", {{"shape", UNIT_PLAIN, false}, {"mean", own, false}}, 2},
        [PARETO] = {"pareto",
                    {{"min", own, false}, {"alpha", UNIT_PLAIN, false}, {"max", own, true}},
                    3},
        [HYPEREXP] = {"hyperexp", {{"mean", own, false}, {"cv", UNIT_PLAIN, false}}, 2},
    };
    int law = 0;
    while (law < LAWS && strcmp(laws[law].name, c->text) != 0)
        law++;
    *known = law < LAWS;
    double v[3];
    const char *why = "";
    if (!*known || !sampler_arguments(r, c, laws[law].parameters, laws[law].count, v))
        return false;
    switch (law) {
    case EXP:
        return checked(r, c, distribution_make_exp(out, v[0], &why), &why);
    case NORMAL:
        return checked(r, c, distribution_make_normal(out, v[0], v[1], &why), &why);
    case GAMMA:
        return checked(r, c, distribution_make_gamma(out, v[0], v[1], &why), &why);
    case ERLANG:
        return checked(r, c, distribution_make_erlang(out, v[0], v[1], &why), &why);
    case WEIBULL:
        return checked(r, c, distribution_make_weibull(out, v[0], v[1], &why), &why);
    case PARETO:
        return checked(
            r, c,
            distribution_make_pareto(out, v[0], v[1], isnan(v[2]) ? (double)INFINITY : v[2], &why),
            &why);
    default:
        return checked(r, c, distribution_make_hyperexp(out, v[0], v[1], &why), &why);
    }
}

static bool make_uniform(const struct sampler_reader *r, const struct call *c,
                         struct distribution *out)
{
    double low = 0, high = 0;
    const char *why = "";
    if (c->count != 1 || c->arguments[0].type != CALL_RANGE)
        return sampler_fail(r, c, "uniform(1ms..9ms)", "`uniform` takes a range");
    return sampler_quantity(r, &c->arguments[0].arguments[0], r->dimension, &low) &&
           sampler_quantity(r, &c->arguments[0].arguments[1], r->dimension, &high) &&
           checked(r, c, distribution_make_uniform(out, low, high, &why), &why);
}

static bool make_lognormal(const struct sampler_reader *r, const struct call *c,
                           struct distribution *out)
{
    const char *why = "";
    if (!sampler_named(c, "p50")) {
        const struct sampler_parameter by_mean[] = {{"mean", r->dimension, false},
                                                    {"sd", r->dimension, false}};
        double v[2];
        for (uint32_t i = 0; i < c->count; i++)
            if (!c->arguments[i].parameter || c->arguments[i].parameter[0] == 'p')
                return sampler_fail(r, &c->arguments[i], "lognormal(p50=4ms p99=20ms)",
                                    "`lognormal` has the parameters p50 and a higher percentile, "
                                    "or mean and sd");
        return sampler_arguments(r, c, by_mean, 2, v) &&
               checked(r, c, distribution_make_lognormal(out, v[0], v[1], &why), &why);
    }
    double p50 = 0, value = 0;
    struct quantity percent = {0};
    bool second = false;
    for (uint32_t i = 0; i < c->count; i++) {
        const struct call *a = &c->arguments[i];
        const char *name = a->parameter ? a->parameter : "";
        if (!strcmp(name, "p50")) {
            if (!sampler_quantity(r, a, r->dimension, &p50))
                return false;
            continue;
        }
        if (name[0] != 'p' || second || !unit_parse(name + 1, UNIT_PLAIN, &percent, NULL))
            return sampler_fail(r, a, "lognormal(p50=4ms p99=20ms)",
                                "`lognormal` takes p50 and one higher percentile");
        if (!sampler_quantity(r, a, r->dimension, &value))
            return false;
        second = true;
    }
    if (!second)
        return sampler_fail(r, c, "lognormal(p50=4ms p99=20ms)",
                            "`lognormal` needs a second percentile");
    return checked(
        r, c, distribution_make_lognormal_percentiles(out, p50, percent.value / 100, value, &why),
        &why);
}

/* A term of a sum: one thing, or a group of them. */
static const struct call *terms_of(const struct call *term, uint32_t *count)
{
    *count = term->type == CALL_GROUP ? term->count : 1;
    return term->type == CALL_GROUP ? term->arguments : term;
}

static bool make_mix(const struct sampler_reader *r, const struct call *c, struct distribution *out)
{
    double *weights = arena_array(r->sampler->arena, c->count, double);
    struct distribution *parts = arena_array(r->sampler->arena, c->count, struct distribution);
    const char *why = "";
    for (uint32_t i = 0; i < c->count; i++) {
        uint32_t count;
        const struct call *terms = terms_of(&c->arguments[i], &count);
        if (!c->sum || count != 2)
            return sampler_fail(r, &c->arguments[i], "mix(90% exp(1ms) + 10% exp(20ms))",
                                "a part of `mix` is a share and a distribution");
        if (!sampler_quantity(r, &terms[0], UNIT_SHARE, &weights[i]) ||
            !sampler_read(r, &terms[1], &parts[i]))
            return false;
    }
    return checked(
        r, c, distribution_make_mix(out, r->sampler->arena, weights, parts, c->count, &why), &why);
}

static bool make_shift(const struct sampler_reader *r, const struct call *c,
                       struct distribution *out)
{
    double by = 0;
    struct distribution part;
    const char *why = "";
    uint32_t first_count, second_count;
    if (!c->sum || c->count != 2)
        return sampler_fail(r, c, "shift(0.2ms + exp(1ms))",
                            "`shift` is a constant plus a distribution");
    const struct call *first = terms_of(&c->arguments[0], &first_count);
    const struct call *second = terms_of(&c->arguments[1], &second_count);
    if (first_count != 1 || second_count != 1)
        return sampler_fail(r, c, "shift(0.2ms + exp(1ms))",
                            "`shift` is a constant plus a distribution");
    return sampler_quantity(r, first, r->dimension, &by) && sampler_read(r, second, &part) &&
           checked(r, c, distribution_make_shift(out, r->sampler->arena, by, &part, &why), &why);
}

static bool make_batch(const struct sampler_reader *r, const struct call *c,
                       struct distribution *out)
{
    static const char form[] = "batch(8ms each=0.2ms)";
    const struct call *named = sampler_named(c, "each");
    struct distribution part;
    double each = 0;
    const char *why = "";
    if (c->count != 2 || !named || c->arguments[0].parameter)
        return sampler_fail(r, c, form, "`batch` is a distribution and so much for each message");
    return sampler_read(r, &c->arguments[0], &part) &&
           sampler_quantity(r, named, r->dimension, &each) &&
           checked(r, c, distribution_make_batch(out, r->sampler->arena, each, &part, &why), &why);
}

static bool make_empirical(const struct sampler_reader *r, const struct call *c,
                           struct distribution *out)
{
    const struct call *unit = sampler_named(c, "unit");
    struct quantity one;
    size_t count;
    const char *why = "";
    if (!unit || unit->type != CALL_WORD)
        return sampler_fail(r, c, "empirical(file.csv column=latency unit=ms)",
                            "`empirical` needs the unit of the column");
    char *text = arena_format(r->sampler->arena, "1%s", unit->text);
    if (!unit_parse(text, r->dimension, &one, NULL))
        return sampler_fail(r, unit, unit_units(r->dimension), "`%s` is no unit of %s", unit->text,
                            unit_name(r->dimension));
    const double *values = sampler_column(r, c, one.value, &count);
    return values &&
           checked(r, c, distribution_make_empirical(out, r->sampler->arena, values, count, &why),
                   &why);
}

bool sampler_read(const struct sampler_reader *reader, const struct call *call,
                  struct distribution *out)
{
    const char *why = "";
    double constant = 0;
    bool known;
    if (call->type == CALL_WORD) {
        for (const struct sampler_word *w = distributions; w->name; w++)
            if (!strcmp(w->name, call->text))
                return sampler_fail(reader, call, w->signature, "`%s` needs its arguments",
                                    call->text);
        return sampler_quantity(reader, call, reader->dimension, &constant) &&
               checked(reader, call, distribution_make_constant(out, constant, &why), &why);
    }
    if (call->type != CALL_CALL)
        return sampler_fail(reader, call, "exp(5ms)", "this is no distribution");
    bool ok = make_plain(reader, call, out, &known);
    if (known)
        return ok;
    static const struct {
        const char *name;
        bool (*make)(const struct sampler_reader *, const struct call *, struct distribution *);
    } makers[] = {{"uniform", make_uniform}, {"lognormal", make_lognormal},
                  {"mix", make_mix},         {"shift", make_shift},
                  {"batch", make_batch},     {"empirical", make_empirical}};
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++)
        if (!strcmp(makers[i].name, call->text))
            return makers[i].make(reader, call, out);
    return sampler_unknown(reader, call, SAMPLER_DISTRIBUTION);
}

const struct call *sampler_parse(const struct sampler_reader *r)
{
    struct call_problem problem = {{0}, {0}, 0, 0};
    const struct document *document = r->sampler->document;
    if (r->value->quoted) {
        document_error(document, r->value, "leave the quotes out", "`%s` is no quoted text",
                       r->sampler->field);
        return NULL;
    }
    const struct call *call = call_parse(r->sampler->arena, r->value->text, &problem);
    if (!call)
        diagnostic_error(document->diagnostics,
                         document_place(document, r->value, problem.offset, problem.length),
                         problem.hint[0] ? problem.hint : NULL, "`%s`: %s", r->sampler->field,
                         problem.message);
    return call;
}

bool sampler_distribution(const struct sampler *sampler, const struct node *value,
                          enum unit_dimension dimension, struct distribution *out)
{
    const struct sampler_reader r = {.sampler = sampler, .value = value, .dimension = dimension};
    struct distribution made;
    const struct call *call = sampler_parse(&r);
    if (!call || !sampler_read(&r, call, &made))
        return false;
    *out = made;
    return true;
}
