/* What users write as steps, and what `validate` asks of them. */
#include "models/parts/flow.h"

#include <math.h>
#include <stddef.h>

static const struct field_word conditions[] = {
    [FLOW_IF_OK] = {"ok", "While everything before is ok.", NULL},
    [FLOW_IF_ERROR] = {"error",
                       "Only where a step before was not ok; its own result is then what counts.",
                       NULL},
    [FLOW_IF_MISS] = {"miss",
                      "Only where everything before is ok and the cache asked last had nothing "
                      "of its own.",
                      NULL},
    {0},
};

#define AT(member) offsetof(struct flow_step, member)

static const struct field step_fields[] = {
    {.name = "call",
     .type = FIELD_POOL,
     .offset = AT(to),
     .flags = FIELD_PER_REQUEST,
     .summary = "Calls one of them and waits for its answer; a bare name is short for this."},
    {.name = "send",
     .type = FIELD_POOL,
     .offset = AT(to),
     .flags = FIELD_PER_REQUEST,
     .summary = "Sends one of them the request and goes on at once: nobody waits for an answer."},
    {.name = "work",
     .type = FIELD_DURATION,
     .offset = AT(work),
     .flags = FIELD_PER_REQUEST,
     .summary = "Own work, in a slot of this node; under `hold: request` in the slot that the "
                "request holds, in a branch in a further one."},
    {.name = "all",
     .type = FIELD_STEPS,
     .offset = AT(steps),
     .flags = FIELD_PER_REQUEST,
     .steps = &flow_steps,
     .summary = "Begins all of its branches at once and is ok when all are; ends at the first "
                "that is not."},
    {.name = "any",
     .type = FIELD_STEPS,
     .offset = AT(steps),
     .flags = FIELD_PER_REQUEST,
     .steps = &flow_steps,
     .summary = "Begins all of its branches at once and is ok with the first that is; the others "
                "go on unheard."},
    {.name = "first",
     .type = FIELD_STEPS,
     .offset = AT(steps),
     .flags = FIELD_PER_REQUEST,
     .steps = &flow_steps,
     .summary = "The same with the first `need` that are."},
    {.name = "steps",
     .type = FIELD_STEPS,
     .offset = AT(steps),
     .flags = FIELD_PER_REQUEST,
     .steps = &flow_steps,
     .summary = "A list of its own, in order: as a branch, or to repeat or risk several steps "
                "together."},
    {.name = "need",
     .type = FIELD_COUNT,
     .offset = AT(need),
     .otherwise = "1",
     .min = 1,
     .max = FLOW_BRANCHES_MAX,
     .summary = "How many branches must be ok."},
    {.name = "outbox",
     .type = FIELD_POOL,
     .offset = AT(outbox),
     .flags = FIELD_PER_REQUEST | FIELD_OUTBOX,
     .summary = "The database that writes the message down together with what the same request "
                "writes there, and sees to it that it is sent, at least once. Left out: it is sent "
                "by the step."},
    {.name = "as",
     .type = FIELD_OPERATION,
     .offset = AT(as),
     .present = AT(has_as),
     .flags = FIELD_PER_REQUEST,
     .summary = "The operation the request goes on as; it is declared by this, unless a client has "
                "it. Left out: the same."},
    {.name = "key",
     .type = FIELD_KEYS,
     .offset = AT(keys),
     .present = AT(has_key),
     .flags = FIELD_PER_REQUEST,
     .summary = "The key the request goes on with, drawn for each call. Left out: the same."},
    {.name = "sizes",
     .type = FIELD_SIZE,
     .offset = AT(sizes),
     .present = AT(has_sizes),
     .flags = FIELD_PER_REQUEST,
     .summary = "The size of the value the request goes on with. Left out: the same."},
    {.name = "times",
     .type = FIELD_COUNT,
     .offset = AT(times),
     .otherwise = "1",
     .min = 1,
     .max = FLOW_BRANCHES_MAX,
     .summary = "How often: at once in a group, else in turn, up to the first that is not ok."},
    {.name = "chance",
     .type = FIELD_SHARE,
     .offset = AT(chance),
     .otherwise = "100%",
     .summary = "With this probability, each time anew; else it is passed over."},
    {.name = "if",
     .type = FIELD_WORD,
     .offset = AT(condition),
     .otherwise = "ok",
     .words = conditions,
     .summary = "When the step runs."},
    {0},
};

static const struct field_table step_table = {
    .fields = step_fields,
    .includes = (const struct field_include[]){{&caller_fields, AT(caller)}, {0}},
};

static inline const struct flow_step *step_at(const struct field_list *list, uint32_t at)
{
    return (const struct flow_step *)list->items + at;
}

static const char *check_step(const void *at)
{
    const struct flow_step *step = at;
    uint64_t branches = 0;
    enum keys_kind kind = (enum keys_kind)step->keys.kind;
    if (step->has_key && (kind == KEYS_SEQUENTIAL || kind == KEYS_FRESH || kind == KEYS_TRACE))
        return "the key of a step is drawn: uniform, zipf or hotspot";
    if (step->outbox.count && (step->times > 1 || step->chance < 1 ||
                               step->condition != FLOW_IF_OK || step->has_key || step->has_sizes))
        return "what goes by an `outbox` is sent with its write: no `times`, `chance`, `if`, `key` "
               "or `sizes`";
    for (uint32_t i = 0; i < step->steps.count && step->verb != FLOW_STEPS; i++) {
        const struct flow_step *branch = step_at(&step->steps, i);
        if (branch->outbox.count)
            return "what goes by an `outbox` is a step of the node's own list, not of a group";
        if (branch->condition != FLOW_IF_OK)
            return "branches begin at once, so none can wait for what another one tells";
        branches += branch->verb == FLOW_SEND ? 0 : branch->times;
    }
    if (branches > FLOW_BRANCHES_MAX)
        return "more than 65535 branches at once";
    if (step->verb == FLOW_FIRST && step->need > branches)
        return "it needs more branches than it has";
    return NULL;
}

const struct field_steps flow_steps = {
    .record = &step_table,
    .verbs =
        (const struct field_verb[]){
            [FLOW_CALL] = {"call", "as key sizes times chance if * -rate_limit"},
            [FLOW_SEND] = {"send", "as key sizes times chance if outbox"},
            [FLOW_WORK] = {"work", "times chance if"},
            [FLOW_ALL] = {"all", "times chance if timeout"},
            [FLOW_ANY] = {"any", "times chance if timeout"},
            [FLOW_FIRST] = {"first", "need times chance if timeout"},
            [FLOW_STEPS] = {"steps", "times chance if timeout"},
            {0},
        },
    .shorthand = "call",
    .size = sizeof(struct flow_step),
    .number = AT(number),
    .verb = AT(verb),
    .inherited = &caller_fields,
    .inherited_size = sizeof(struct caller_config),
    .check = check_step,
};

/* ---- the predicted load ---- */

/* How often a step is begun, on average. */
static double begun(const struct flow_step *step)
{
    return step->condition == FLOW_IF_ERROR ? 0 : (double)step->times * step->chance;
}

double flow_work_ns(const struct field_list *list)
{
    double sum = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct flow_step *step = step_at(list, i);
        double once =
            step->verb == FLOW_WORK ? distribution_mean(&step->work) : flow_work_ns(&step->steps);
        sum += begun(step) * once;
    }
    return sum;
}

/* The need-th shortest of `count` times, all of which may be equal. */
static double shortest(double *times, uint32_t count, uint64_t need)
{
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t k = i; k && times[k] < times[k - 1]; k--) {
            double swap = times[k];
            times[k] = times[k - 1];
            times[k - 1] = swap;
        }
    return count ? times[need < count ? need - 1 : count - 1] : 0;
}

static double step_time_ns(const struct flow_step *step, double times, double speed,
                           const struct load_visitor *visitor);

enum { BRANCHES_LOOKED_AT = 64 };

/* Copies of one branch have one mean, so only `all` needs the slowest of them. */
static double group_time_ns(const struct flow_step *step, double times, double speed,
                            const struct load_visitor *visitor)
{
    double branch[BRANCHES_LOOKED_AT];
    uint32_t count = 0;
    for (uint32_t i = 0; i < step->steps.count; i++) {
        const struct flow_step *one = step_at(&step->steps, i);
        double time = step_time_ns(one, times * begun(one), speed, visitor);
        for (uint64_t k = 0; k < one->times && count < BRANCHES_LOOKED_AT; k++)
            if (one->verb != FLOW_SEND)
                branch[count++] = time;
    }
    return shortest(branch, count,
                    step->verb == FLOW_ANY     ? 1
                    : step->verb == FLOW_FIRST ? step->need
                                               : count);
}

/* The time of one turn; its calls are told `times` times. */
static double step_time_ns(const struct flow_step *step, double times, double speed,
                           const struct load_visitor *visitor)
{
    uint32_t as = step->has_as ? step->as : OPERATION_SAME;
    switch ((enum flow_verb)step->verb) {
    case FLOW_CALL:
        return visitor->call(visitor->context, &step->to, times, as);
    case FLOW_SEND:
        visitor->call(visitor->context, &step->to, times, as);
        return 0;
    case FLOW_WORK:
        return distribution_mean(&step->work) / speed;
    case FLOW_STEPS:
        return flow_time_ns(&step->steps, times, speed, visitor);
    case FLOW_ALL:
    case FLOW_ANY:
    case FLOW_FIRST:
        break;
    }
    return group_time_ns(step, times, speed, visitor);
}

double flow_time_ns(const struct field_list *list, double times, double speed,
                    const struct load_visitor *visitor)
{
    double sum = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct flow_step *step = step_at(list, i);
        sum += begun(step) * step_time_ns(step, times * begun(step), speed, visitor);
    }
    return sum;
}
