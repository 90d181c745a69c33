/* What users write for a caller, and what it measures. */
#include "models/parts/guard.h"

#include <stddef.h>

static const struct field budget_fields[] = {
    {.name = "share",
     .type = FIELD_SHARE,
     .offset = offsetof(struct caller_config, budget_share),
     .otherwise = "10%",
     .max = 1,
     .summary = "Further tries for each first one."},
    {.name = "burst",
     .type = FIELD_NUMBER,
     .offset = offsetof(struct caller_config, budget_burst),
     .otherwise = "10",
     .min = 1,
     .max = 1e9,
     .summary = "Tokens that can be saved, and are there at the start."},
    {0},
};
static const struct field_word budgets[] = {
    [CALLER_BUDGET_NONE] = {"none", "Tries are bounded by `attempts` alone.", NULL},
    [CALLER_BUDGET] = {"budget",
                       "Every first try brings a share of a token, every further one takes a whole "
                       "one; one bucket for each instance.",
                       &(const struct field_table){.fields = budget_fields}},
    {0},
};

static const struct field_word causes[] = {
    {"error", "An answer that is not ok, a rejection, or an open breaker.", NULL},
    {"timeout", "No answer within `timeout`.", NULL},
    {0},
};

static const struct field_table retry_fields = {
    .fields =
        (const struct field[]){
            {.name = "attempts",
             .type = FIELD_COUNT,
             .offset = offsetof(struct caller_config, attempts),
             .otherwise = "3",
             .flags = FIELD_UNLIMITED,
             .min = 1,
             .summary = "Tries in all, the first included."},
            {.name = "budget",
             .type = FIELD_WORD,
             .offset = offsetof(struct caller_config, budget),
             .otherwise = "none",
             .words = budgets,
             .summary = "What further tries may be in proportion to first ones."},
            {.name = "retry_on",
             .type = FIELD_WORDS,
             .offset = offsetof(struct caller_config, retry_on),
             .otherwise = "[error, timeout]",
             .words = causes,
             .summary = "After what it is tried again."},
            {.name = "idempotency_key",
             .type = FIELD_BOOL,
             .offset = offsetof(struct caller_config, idempotency_key),
             .flags = FIELD_PER_REQUEST,
             .summary = "The same as the key of this name beside `retry`."},
            {0},
        },
    .includes =
        (const struct field_include[]){
            {&backoff_fields, offsetof(struct caller_config, backoff)},
            {0},
        },
};

static const struct field hedge_time_fields[] = {
    {.name = "time",
     .type = FIELD_TIME,
     .offset = offsetof(struct caller_config, hedge_ns),
     .otherwise = "100ms",
     .summary = "Since the first message."},
    {0},
};

static const struct field_word hedge_times[] = {
    {"time", "So long after the first message.",
     &(const struct field_table){.fields = hedge_time_fields}},
    {"p50", "A percentile of this operation's latencies here so far; the first 100 have no hedge.",
     NULL},
    {"p75", "", NULL},
    {"p90", "", NULL},
    {"p95", "", NULL},
    {"p98", "", NULL},
    {"p99", "", NULL},
    {"p99.9", "", NULL},
    {0},
};

double caller_percentile(uint8_t hedge_after)
{
    static const double shares[] = {0, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.999};
    CHECK(hedge_after < sizeof shares / sizeof *shares);
    return shares[hedge_after];
}

static const struct field hedge_fields[] = {
    {.name = "after",
     .type = FIELD_WORD,
     .offset = offsetof(struct caller_config, hedge_after),
     .otherwise = "p95",
     .flags = FIELD_BARE,
     .words = hedge_times,
     .summary = "When there is no answer by then the second message goes out: a time (20ms) or a "
                "percentile, which includes tries that were not answered in time."},
    {.name = "cancel",
     .type = FIELD_BOOL,
     .offset = offsetof(struct caller_config, hedge_cancel),
     .otherwise = "false",
     .summary = "Takes the loser back by a message; its work stops when that arrives."},
    {0},
};

static const struct field caller_own[] = {
    {.name = "timeout",
     .type = FIELD_TIME,
     .offset = offsetof(struct caller_config, timeout),
     .otherwise = "none",
     .flags = FIELD_NONE,
     .min = 1,
     .summary = "How long each try is waited for; what is not answered by then may have "
                "been done or not."},
    {.name = "deadline",
     .type = FIELD_TIME,
     .offset = offsetof(struct caller_config, deadline),
     .otherwise = "none",
     .flags = FIELD_NONE,
     .min = 1,
     .summary = "For all tries together, from the first on. It travels with the request: nobody "
                "waits longer for what it calls, and no work is begun after it."},
    {.name = "retry",
     .type = FIELD_RECORD,
     .present = offsetof(struct caller_config, has_retry),
     .flags = FIELD_NONE,
     .record = &retry_fields,
     .summary = "Tries again after an error, a rejection or a timeout, each time with a "
                "new choice of the target and new work."},
    {.name = "hedge",
     .type = FIELD_RECORD,
     .present = offsetof(struct caller_config, has_hedge),
     .flags = FIELD_NONE,
     .record = &(const struct field_table){.fields = hedge_fields},
     .summary = "A second message where the first is slow, with a new choice of the target and new "
                "work; the first ok answer counts."},
    {.name = "breaker",
     .type = FIELD_RECORD,
     .present = offsetof(struct caller_config, has_breaker),
     .flags = FIELD_NONE | FIELD_WHOLE,
     .record = &(const struct field_table){.includes =
                                               (const struct field_include[]){
                                                   {&breaker_fields,
                                                    offsetof(struct caller_config, breaker)},
                                                   {0},
                                               }},
     .summary = "Stops calling a target that fails: tries then fail at once. One for each instance "
                "and target; calls of several steps to one target share that of the first."},
    {.name = "limit",
     .type = FIELD_COUNT,
     .offset = offsetof(struct caller_config, limit),
     .otherwise = "unlimited",
     .flags = FIELD_UNLIMITED | FIELD_WHOLE,
     .min = 1,
     .max = 1e9,
     .summary = "Messages in flight to each target (a pool of connections, a bulkhead). A try that "
                "finds no room waits in order of arrival, its `timeout` running; one that is given "
                "up keeps its room until it is answered."},
    {.name = "idempotency_key",
     .type = FIELD_BOOL,
     .offset = offsetof(struct caller_config, idempotency_key),
     .otherwise = "false",
     .summary = "Requests carry a key by which every node knows them again: what is done a second "
                "time counts as done once."},
    {0},
};

const struct field_table caller_fields = {
    .fields = caller_own,
    .includes =
        (const struct field_include[]){
            {&limiter_fields, offsetof(struct caller_config, limiter)},
            {0},
        },
};

#define TRIED "timeout retry"

const struct metric_table caller_metrics = {
    .metrics =
        (const struct metric[]){
            [CALLER_ATTEMPTS] = {"attempts", "/s", METRIC_RATE, 0, 0,
                                 "Messages sent to what it calls within the window, per second of "
                                 "it.",
                                 TRIED},
            [CALLER_TRIES] = {".tries", "1", METRIC_TOTAL, 1 + CALLER_ATTEMPTS, 0,
                              "The same, counted."},
            [CALLER_TIMEOUT_COUNT] = {".timeouts", "1", METRIC_TOTAL, 0, 0,
                                      "Tries given up within the window."},
            [CALLER_TIMEOUTS] = {"timeouts", "1", METRIC_RATIO, CALLER_TIMEOUT_COUNT, CALLER_TRIES,
                                 "Tries that were not answered in time, by when they were given "
                                 "up, as a share of the messages sent.",
                                 TRIED},
            [CALLER_CALLS] = {".calls", "1", METRIC_TOTAL, 0, 0,
                              "First tries sent within the window."},
            [CALLER_RETRY_COUNT] = {".retries", "1", METRIC_TOTAL, 0, 0,
                                    "Tries after the first, sent within the window."},
            [CALLER_RETRIES] = {"retries", "1", METRIC_RATIO, CALLER_RETRY_COUNT, CALLER_CALLS,
                                "Tries after the first, per first try.", "retry"},
        },
    .count = CALLER_METRICS,
};

const struct metric_table guard_metrics = {
    .metrics =
        (const struct metric[]){
            [GUARD_TRIES] = {".tries_begun", "1", METRIC_TOTAL, 0, 0,
                             "Tries begun within the window, also those that were not sent."},
            [GUARD_HEDGE_COUNT] = {".hedges", "1", METRIC_TOTAL, 0, 0, "Second messages sent."},
            [GUARD_HEDGES] = {"hedges", "1", METRIC_RATIO, GUARD_HEDGE_COUNT, GUARD_TRIES,
                              "Share of the window's tries that sent a second message.", "hedge"},
            [GUARD_WIN_COUNT] = {".hedge_wins", "1", METRIC_TOTAL, 0, 0,
                                 "Second messages answered ok before the first."},
            [GUARD_HEDGE_WINS] = {"hedge_wins", "1", METRIC_RATIO, GUARD_WIN_COUNT,
                                  GUARD_HEDGE_COUNT,
                                  "Share of the second messages that were answered ok before the "
                                  "first one.",
                                  "hedge"},
            [GUARD_SHORT_COUNT] = {".short_circuited", "1", METRIC_TOTAL, 0, 0,
                                   "Tries that an open breaker refused."},
            [GUARD_SHORT_CIRCUITED] = {"short_circuited", "1", METRIC_RATIO, GUARD_SHORT_COUNT,
                                       GUARD_TRIES,
                                       "Share of the window's tries that an open breaker refused.",
                                       "breaker"},
            [GUARD_TRIPS] = {"breaker_trips", "1", METRIC_TOTAL, 0, 0,
                             "How often a breaker opened within the window, also again after a "
                             "failed probe.",
                             "breaker"},
            [GUARD_OPEN_LEVEL] = {".breakers_open", "1", METRIC_LEVEL, 0, 0,
                                  "Breakers that are not closed."},
            [GUARD_TARGETS_LEVEL] = {".targets", "1", METRIC_LEVEL, 0, 0,
                                     "Targets that have been called."},
            [GUARD_BREAKER_OPEN] = {"breaker_open", "1", METRIC_SHARE, GUARD_OPEN_LEVEL,
                                    GUARD_TARGETS_LEVEL,
                                    "Share of the time in which a breaker was not closed, over all "
                                    "targets called so far.",
                                    "breaker"},
            [GUARD_LIMIT_WAIT] = {"limit_wait", "ms", METRIC_DURATION, 0, 0,
                                  "How long tries waited for room at their target, those that "
                                  "found it at once included; of tries sent within the window.",
                                  "limit"},
            [GUARD_IN_FLIGHT] = {"in_flight", "1", METRIC_LEVEL, 0, 0,
                                 "Messages that take room at a target.", "limit"},
            [GUARD_LIMIT_QUEUE] = {"limit_queue", "1", METRIC_LEVEL, 0, 0,
                                   "Tries that wait for room.", "limit"},
            [GUARD_ASKED] = {".rate_asked", "1", METRIC_TOTAL, 0, 0,
                             "Who came to the rate limiter within the window."},
            [GUARD_REFUSED] = {".rate_refused", "1", METRIC_TOTAL, 0, 0,
                               "Whom the rate limiter refused."},
            [GUARD_RATE_LIMITED] = {"rate_limited", "1", METRIC_RATIO, GUARD_REFUSED, GUARD_ASKED,
                                    "Share of the window's operations or arrivals that the rate "
                                    "limiter refused.",
                                    "rate_limit"},
            [GUARD_WANTED] = {".retries_wanted", "1", METRIC_TOTAL, 0, 0,
                              "Further tries asked of the budget."},
            [GUARD_DENIED] = {".retries_denied", "1", METRIC_TOTAL, 0, 0,
                              "Further tries for which it had no token."},
            [GUARD_BUDGET_EXHAUSTED] =
                {"budget_exhausted", "1", METRIC_RATIO, GUARD_DENIED, GUARD_WANTED,
                 "Share of the further tries wanted within the window for "
                 "which the budget had no token.",
                 "retry.budget"},
            [GUARD_BEGUN] = {".deadlines", "1", METRIC_TOTAL, 0, 0,
                             "Calls with a deadline begun within the window."},
            [GUARD_EXCEEDED] = {".deadlines_exceeded", "1", METRIC_TOTAL, 0,
                                0, "Calls that their deadline ended within the window."},
            [GUARD_DEADLINE_EXCEEDED] =
                {"deadline_exceeded", "1", METRIC_RATIO, GUARD_EXCEEDED, GUARD_BEGUN,
                 "Calls that ended because their deadline had come, or "
                 "would have before the next try, per call begun.",
                 "deadline"},
        },
    .count = GUARD_METRICS,
};
