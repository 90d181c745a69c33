/* HOW MUCH a fault does: the value of `by`. */
#include "engine/scenario/call.h"
#include "engine/scenario/faults.h"
#include "engine/scenario/unit.h"

#include <stddef.h>
#include <string.h>

/* Where the fields of an amount put what they read. */
struct amount {
    double factor, share;
    struct distribution time;
    uint8_t word;
    int64_t by, period;
};

static const struct field strobe_fields[] = {
    {.name = "by",
     .type = FIELD_TIME,
     .offset = offsetof(struct amount, by),
     .otherwise = "200ms",
     .min = 1,
     .summary = "How far it jumps."},
    {.name = "period",
     .type = FIELD_TIME,
     .offset = offsetof(struct amount, period),
     .otherwise = "10ms",
     .min = 1,
     .summary = "Time between two jumps."},
    {0},
};
static const struct field_table strobe_table = {.fields = strobe_fields};
static const struct field_word clock_words[] = {
    {"strobe", "Jumps to and fro.", &strobe_table},
    {0},
};

static const struct field factor_field = {
    .name = "by", .type = FIELD_FACTOR, .offset = offsetof(struct amount, factor), .min = 1e-9};
static const struct field share_field = {
    .name = "by", .type = FIELD_SHARE, .offset = offsetof(struct amount, share)};
static const struct field time_field = {
    .name = "by", .type = FIELD_DURATION, .offset = offsetof(struct amount, time)};
static const struct field strobe_field = {.name = "by",
                                          .type = FIELD_WORD,
                                          .offset = offsetof(struct amount, word),
                                          .words = clock_words};

/* A jump in time of either sign, a drift, or a strobe. */
static bool read_clock(struct binder *binder, const struct node *value,
                       struct blueprint_fault *fault)
{
    struct amount amount = {0};
    struct quantity q;
    struct unit_problem problem = {{0}, {0}};
    const char *text = value->text;
    if (!unit_is_number(text)) {
        bind_value(binder, &strobe_field, &amount, value);
        fault->bump = amount.by;
        fault->period = amount.period;
        return true;
    }
    size_t length = strlen(text);
    bool drifts = length > 3 && !strcmp(text + length - 3, "ppm");
    if (!unit_parse(text, drifts ? UNIT_PPM : UNIT_TIME, &q, &problem)) {
        document_error(binder->document, value, problem.hint[0] ? problem.hint : NULL, "`by`: %s",
                       problem.message);
        return false;
    }
    if (drifts && !(q.value >= -0.5 && q.value <= 0.5)) {
        document_error(binder->document, value, NULL,
                       "a clock drifts by 500000ppm at most, either way");
        return false;
    }
    if (drifts)
        fault->factor = q.value;
    else
        fault->bump = q.whole;
    return true;
}

bool fault_change_read(const char *text, int32_t *change)
{
    struct quantity q;
    bool signed_text = *text == '+' || *text == '-';
    if (!signed_text || !unit_parse(text + 1, UNIT_PLAIN, &q, NULL) || !q.is_whole || q.whole < 1 ||
        q.whole > 1000000)
        return false;
    *change = (int32_t)(*text == '-' ? -q.whole : q.whole);
    return true;
}

static bool read_value(struct binder *binder, const struct fault_word *word,
                       const struct node *value, struct blueprint_fault *fault)
{
    struct amount amount = {0};
    switch (word->amount) {
    case AMOUNT_FACTOR:
        bind_value(binder, &factor_field, &amount, value);
        fault->factor = amount.factor;
        return true;
    case AMOUNT_SHARE:
        bind_value(binder, &share_field, &amount, value);
        fault->factor = amount.share;
        return true;
    case AMOUNT_TIME:
        bind_value(binder, &time_field, &amount, value);
        fault->delay = amount.time;
        return true;
    case AMOUNT_CLOCK:
        return value->type == NODE_SCALAR && read_clock(binder, value, fault);
    case AMOUNT_CHANGE:
        if (value->type == NODE_SCALAR && fault_change_read(value->text, &fault->change))
            return true;
        document_error(binder->document, value, "by: +2", "`by` is a number of instances, signed");
        return false;
    case AMOUNT_NONE:
        break;
    }
    document_error(binder->document, value, NULL, "`%s` takes no amount", word->name);
    return false;
}

bool fault_amount_read(struct binder *binder, const struct fault_word *word,
                       const struct node *action, const struct node *value,
                       struct blueprint_fault *fault)
{
    static const char *const examples[] = {
        [AMOUNT_FACTOR] = "by: x4",  [AMOUNT_SHARE] = "by: 20%",
        [AMOUNT_TIME] = "by: 300ms", [AMOUNT_CLOCK] = "by: -500ms, 200ppm or strobe(200ms 10ms)",
        [AMOUNT_CHANGE] = "by: +2",  [AMOUNT_NONE] = NULL,
    };
    if (!value && word->amount != AMOUNT_NONE) {
        document_error(binder->document, action, examples[word->amount],
                       "`by`, how much, is missing for `%s`", word->name);
        return false;
    }
    if (!value)
        return true;
    uint32_t errors = binder->document->diagnostics->error_count;
    return read_value(binder, word, value, fault) &&
           binder->document->diagnostics->error_count == errors;
}
