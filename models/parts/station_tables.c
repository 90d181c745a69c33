/* What users write for a station, what it measures, and what `validate` asks of it. */
#include "models/parts/shed.h"

#include <math.h>
#include <stddef.h>

#define SLOTS(default_text)                                                                        \
    {                                                                                              \
        .fields = (const struct field[])                                                           \
        {                                                                                          \
            {.name = "slots",                                                                      \
             .type = FIELD_COUNT,                                                                  \
             .offset = offsetof(struct station_config, slots),                                     \
             .otherwise = default_text,                                                            \
             .flags = FIELD_UNLIMITED | FIELD_WHOLE,                                               \
             .min = 1,                                                                             \
             .summary = "Requests worked on at once."},                                            \
                {0},                                                                               \
        }                                                                                          \
    }
const struct field_table station_slots_one = SLOTS("1");
const struct field_table station_slots_unlimited = SLOTS("unlimited");

static const struct field adaptive_fields[] = {
    {.name = "above",
     .type = FIELD_COUNT,
     .offset = offsetof(struct station_config, lifo_above),
     .otherwise = "8",
     .summary = "While more than so many wait, the newest goes first."},
    {0},
};

static const struct field_word disciplines[] = {
    [STATION_FIFO] = {"fifo", "The one that arrived first is next.", NULL},
    [STATION_LIFO] = {"lifo", "The one that arrived last is next; nobody is interrupted.", NULL},
    [STATION_RANDOM] = {"random",
                        "Whenever a slot falls free, one of all that wait, each as likely as any "
                        "other, from the node's stream `policy`.",
                        NULL},
    [STATION_PRIORITY] = {"priority",
                          "The highest `priority` is next, in order of arrival within one; nobody "
                          "is interrupted.",
                          NULL},
    [STATION_PREEMPTIVE_PRIORITY] =
        {"preemptive_priority",
         "A higher `priority` interrupts the lowest at work, which waits at its old place and goes "
         "on later with the work that was left.",
         NULL},
    [STATION_SHORTEST_REMAINING] =
        {"shortest_remaining",
         "The least work left is next; a newcomer with strictly less work than what is left of one "
         "at work interrupts it. The work is known at arrival.",
         NULL},
    [STATION_PROCESSOR_SHARING] =
        {"processor_sharing",
         "Everyone inside is at work at once and shares the slots evenly, none at more than the "
         "speed of one slot; nobody waits, so `patience` has nothing to measure.",
         NULL},
    [STATION_ADAPTIVE_LIFO] =
        {"adaptive_lifo",
         "As fifo while few wait, as lifo under overload: newcomers are served in time, and the "
         "old "
         "ones, whose callers are about to give up, when the queue has become short again (B. "
         "Maurer, Fail at Scale, ACM Queue 2015).",
         &(const struct field_table){.fields = adaptive_fields}},
    {0},
};

static const struct field_word holds[] = {
    [STATION_HOLD_WORK] = {"work",
                           "The slot is free as soon as the node's own work is done, while it "
                           "waits for calls of its own (event loops, goroutines, CPU cores).",
                           NULL},
    [STATION_HOLD_REQUEST] = {"request",
                              "The slot is kept until the answer goes back, calls of its own "
                              "included (a thread or worker process for each request).",
                              NULL},
    {0},
};

static const struct field_word on_timeouts[] = {
    [STATION_CONTINUES] = {"continue", "Nobody tells it: the work is done, for nobody.", NULL},
    [STATION_CANCELS] = {"cancel",
                         "The caller's timeout sends a message, and when that arrives the request "
                         "leaves the queue or its work stops; so does what it calls, where that is "
                         "set to cancel too.",
                         NULL},
    {0},
};

const struct field_table station_fields = {
    .fields =
        (const struct field[]){
            {.name = "queue",
             .type = FIELD_COUNT,
             .offset = offsetof(struct station_config, queue),
             .otherwise = "unlimited",
             .flags = FIELD_UNLIMITED | FIELD_WHOLE,
             .summary = "Places to wait beyond the slots, 0 for none; who finds none left is "
                        "rejected, whatever its priority. Under processor_sharing it bounds those "
                        "beyond `slots`."},
            {.name = "discipline",
             .type = FIELD_WORD,
             .offset = offsetof(struct station_config, discipline),
             .otherwise = "fifo",
             .flags = FIELD_WHOLE,
             .words = disciplines,
             .summary = "Who of those that wait is worked on next."},
            {.name = "time",
             .type = FIELD_DURATION,
             .offset = offsetof(struct station_config, time),
             .otherwise = "0s",
             .flags = FIELD_PER_OPERATION,
             .summary = "Own work of one request, before `to`; drawn once per visit, from the "
                        "request, and divided by `speed`."},
            {.name = "hold",
             .type = FIELD_WORD,
             .offset = offsetof(struct station_config, hold),
             .otherwise = "work",
             .flags = FIELD_WHOLE,
             .words = holds,
             .summary = "How long a slot is kept."},
            {.name = "on_timeout",
             .type = FIELD_WORD,
             .offset = offsetof(struct station_config, on_timeout),
             .otherwise = "continue",
             .flags = FIELD_WHOLE,
             .words = on_timeouts,
             .summary = "What becomes of work whose caller no longer waits for it."},
            {.name = "shed",
             .type = FIELD_WORD,
             .offset = offsetof(struct station_config, shed),
             .otherwise = "none",
             .flags = FIELD_WHOLE,
             .words = shed_words,
             .summary = "Whom it turns away under overload, beside those for whom `queue` has no "
                        "place; they are rejected."},
            {.name = "patience",
             .type = FIELD_DURATION,
             .offset = offsetof(struct station_config, patience),
             .otherwise = "none",
             .flags = FIELD_NONE | FIELD_PER_OPERATION,
             .min = 1,
             .summary = "A request leaves the queue, answered with an error, when it has waited so "
                        "long without having had a slot; its work is not begun."},
            {.name = "priority",
             .type = FIELD_NUMBER,
             .offset = offsetof(struct station_config, priority),
             .otherwise = "0",
             .flags = FIELD_PER_OPERATION,
             .min = -1e9,
             .max = 1e9,
             .summary = "Higher goes first, under the disciplines that look at it."},
            {.name = "fail",
             .type = FIELD_SHARE,
             .offset = offsetof(struct station_config, fail),
             .otherwise = "0%",
             .flags = FIELD_PER_OPERATION,
             .max = 1,
             .summary = "Share of its answers that are errors: decided when its own work is done, "
                        "by a draw of the request; what fails calls nobody else."},
            {0},
        },
};

static const struct field usl_fields[] = {
    {.name = "alpha",
     .type = FIELD_NUMBER,
     .offset = offsetof(struct station_config, alpha),
     .otherwise = "0",
     .max = 1e6,
     .summary = "Contention: the share of the work that only one can do at a time."},
    {.name = "beta",
     .type = FIELD_NUMBER,
     .offset = offsetof(struct station_config, beta),
     .otherwise = "0",
     .max = 1e6,
     .summary = "Coherence: what every pair at work costs, in exchanging what it knows."},
    {0},
};

const struct field_table station_crowd = {
    .fields =
        (const struct field[]){
            {.name = "usl",
             .type = FIELD_RECORD,
             .present = offsetof(struct station_config, has_usl),
             .flags = FIELD_NONE | FIELD_WHOLE,
             .record = &(const struct field_table){.fields = usl_fields},
             .summary = "Those worked on at once slow one another down: each of N takes 1 + alpha "
                        "(N - 1) + beta N (N - 1) times as long, so that throughput grows with N "
                        "as the universal scalability law says and falls beyond sqrt((1 - alpha) "
                        "/ beta)."},
            {.name = "time_per_busy",
             .type = FIELD_TIME,
             .offset = offsetof(struct station_config, time_per_busy),
             .otherwise = "0s",
             .flags = FIELD_WHOLE,
             .max = 6e11,
             .summary =
                 "Load-dependent work: what a request's `time` is longer by for each request "
                 "at work when its own begins, itself included; it then stays as it is, "
                 "while `usl` slows those that have begun."},
            {0},
        },
};

const char *station_check(const struct station_config *config)
{
    bool preempts = config->discipline == STATION_PREEMPTIVE_PRIORITY ||
                    config->discipline == STATION_SHORTEST_REMAINING;
    if (config->has_usl && preempts)
        return "under `usl` nobody is interrupted: take another `discipline`";
    if (config->time_per_busy && config->has_usl)
        return "`usl` and `time_per_busy` are two laws of the same: keep one of them";
    if (config->time_per_busy && (config->discipline == STATION_PROCESSOR_SHARING ||
                                  config->discipline == STATION_SHORTEST_REMAINING))
        return "under `time_per_busy` work is known only when it begins: take another `discipline`";
    return NULL;
}

const struct metric_table station_metrics = {
    .metrics =
        (const struct metric[]){
            [STATION_WAIT] = {"wait", "ms", METRIC_DURATION, 0, 0,
                              "Time at the node not in a slot, interruptions included; of visits "
                              "that were worked on or lost patience, by arrival. None under "
                              "processor_sharing."},
            [STATION_SERVICE] = {"service", "ms", METRIC_DURATION, 0, 0,
                                 "Time in a slot, by arrival of the visit; under "
                                 "processor_sharing the whole stay."},
            [STATION_SLOWDOWN] = {"slowdown", "1", METRIC_DURATION, 0, 0,
                                  "Time from arrival to the end of the own work, divided by that "
                                  "work at speed 1; of visits with work, by arrival."},
            [STATION_VISITS] = {".visits", "1", METRIC_TOTAL, 1 + STATION_WAIT, 0,
                                "Visits that were worked on or lost patience, by arrival."},
            [STATION_WAITED_COUNT] = {".waited", "1", METRIC_TOTAL, 0, 0,
                                      "Visits with a wait above 0, by arrival."},
            [STATION_WAITED] = {"waited", "1", METRIC_RATIO, STATION_WAITED_COUNT, STATION_VISITS,
                                "Share of the visits, worked on or out of patience, with a wait "
                                "above 0."},
            [STATION_ARRIVALS] = {".arrivals", "1", METRIC_TOTAL, 0, 0,
                                  "Arrivals at the station within the window."},
            [STATION_EMPTY_COUNT] = {".seen_empty", "1", METRIC_TOTAL, 0, 0,
                                     "Arrivals within the window that found no one."},
            [STATION_SEEN_EMPTY] = {"seen_empty", "1", METRIC_RATIO, STATION_EMPTY_COUNT,
                                    STATION_ARRIVALS,
                                    "Share of the arrivals that found no one inside the node."},
            [STATION_QUEUE_LENGTH] = {"queue_length", "1", METRIC_LEVEL, 0, 0,
                                      "Requests that wait for a slot, interrupted ones included."},
            [STATION_IN_SYSTEM] = {"in_system", "1", METRIC_LEVEL, 0, 0,
                                   "Requests that wait or have a slot; without those that wait for "
                                   "calls of their own after giving the slot back."},
            [STATION_BUSY] = {"busy", "1", METRIC_LEVEL, 0, 0,
                              "Slots taken, kept ones included; under processor_sharing the number "
                              "inside, at most the slots."},
            [STATION_WORKING] = {"working", "1", METRIC_LEVEL, 0, 0,
                                 "Slots at the node's own work, a pause included."},
            [STATION_SLOTS] = {".slots", "1", METRIC_LEVEL, 0, 0,
                               "Slots as configured; 0 where unlimited."},
            [STATION_AVAILABLE] = {".available", "1", METRIC_LEVEL, 0, 0,
                                   "Slots of instances that are up; 0 where unlimited."},
            [STATION_UTILIZATION] = {"utilization", "1", METRIC_SHARE, STATION_BUSY, STATION_SLOTS,
                                     "Slots taken as a share of the configured ones, time when the "
                                     "node was down included; none where slots are unlimited."},
            [STATION_UTILIZATION_UP] = {"utilization_up", "1", METRIC_SHARE, STATION_BUSY,
                                        STATION_AVAILABLE,
                                        "Slots taken as a share of those of instances that were "
                                        "up."},
            [STATION_SHED_COUNT] = {".shed", "1", METRIC_TOTAL, 0, 0,
                                    "Arrivals within the window that were shed."},
            [STATION_SHED] = {"shed", "1", METRIC_RATIO, STATION_SHED_COUNT, STATION_ARRIVALS,
                              "Share of the arrivals that were turned away by `shed`; they are "
                              "among the rejected.",
                              "shed"},
            [STATION_EXPIRED_COUNT] = {".expired", "1", METRIC_TOTAL, 0, 0,
                                       "Arrivals within the window whose deadline came first."},
            [STATION_EXPIRED] = {"expired", "1", METRIC_RATIO, STATION_EXPIRED_COUNT,
                                 STATION_ARRIVALS,
                                 "Share of the arrivals that were not worked on because their "
                                 "deadline had come; they are among the abandoned.",
                                 "*deadline"},
            [STATION_CANCELLED] = {"cancelled", "1", METRIC_TOTAL, 0, 0,
                                   "Arrivals within the window that their caller took back; they "
                                   "are among the abandoned.",
                                   "on_timeout *hedge.cancel"},
        },
    .count = STATION_METRICS,
};

bool station_passes(const struct station_config *config)
{
    return config->slots == COUNT_UNLIMITED && config->hold == STATION_HOLD_WORK &&
           config->time.kind == DISTRIBUTION_CONSTANT && config->time.value < 0.5;
}

/* Of one that is alone. */
double station_work_ns(const struct station_config *config)
{
    return distribution_mean(&config->time) + (double)config->time_per_busy;
}

/* Under `time_per_busy` n at work do n / (time + n b): with a lone one's work as the measure. */
static double crowd_slots(const struct station_config *config)
{
    double time = distribution_mean(&config->time), more = (double)config->time_per_busy;
    double n = config->slots == COUNT_UNLIMITED ? (double)INFINITY : (double)config->slots;
    return (time + more) / (time / n + more);
}

/* Under `usl` the slots are worth the most that any number of them at work can do. */
double station_slots(const struct station_config *config)
{
    double most = 0;
    if (config->time_per_busy)
        return crowd_slots(config);
    if (config->slots == COUNT_UNLIMITED && !config->has_usl)
        return (double)INFINITY;
    if (!config->has_usl)
        return (double)config->slots;
    for (uint64_t n = 1; n <= config->slots && n <= 10000; n++)
        most = fmax(most, (double)n / (1 + config->alpha * (double)(n - 1) +
                                       config->beta * (double)n * (double)(n - 1)));
    return most;
}

void station_cancel(struct station *st, struct call *c)
{
    c->flags |= CALL_ABANDONED;
    record_count(st->record, STATION_CANCELLED, c->operation, c->arrived_ns, 1);
}

bool station_coin(const struct station *st, const struct call *c, double share)
{
    uint64_t draw = call_draw(c, st->agent, DRAW_FAIL);
    return random_chance(draw, share);
}

bool station_has_patience(const struct station *st)
{
    bool has = false;
    for (uint32_t o = 0; o < st->agent->simulation->blueprint->operation_count; o++) {
        const unsigned char *config = st->agent->configs[o];
        const struct station_config *station = (const void *)(config + st->config_offset);
        has |= station->patience.kind != DISTRIBUTION_CONSTANT || station->patience.value > 0;
    }
    return has;
}
