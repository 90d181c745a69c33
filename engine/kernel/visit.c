/* What every agent that holds calls of others measures. */
#include "engine/kernel/visit.h"

const struct metric_table visit_metrics = {
    .metrics =
        (const struct metric[]){
            [VISIT_ARRIVALS] = {"arrivals", "1", METRIC_TOTAL, 0, 0,
                                "Calls that arrived at the node within the window."},
            [VISIT_DEPARTURES] = {"departures", "1", METRIC_TOTAL, 0, 0,
                                  "Calls the node answered itself within the window: not "
                                  "rejected, abandoned or lost."},
            [VISIT_THROUGHPUT] = {"throughput", "/s", METRIC_RATE, 1 + VISIT_DEPARTURES, 0,
                                  "Departures per second of the window, work for callers that "
                                  "have gone included."},
            [VISIT_LATENCY] = {"latency", "ms", METRIC_DURATION, 0, 0,
                               "From arrival at the node to its answer, calls it makes itself "
                               "included; visits that arrived within the window and were answered "
                               "ok."},
            [VISIT_FAILED] = {".failed", "1", METRIC_TOTAL, 0, 0,
                              "Visits of the window answered with fail or info, or lost."},
            [VISIT_ERRORS] = {"errors", "1", METRIC_RATIO, VISIT_FAILED, VISIT_ARRIVALS,
                              "Share of the window's arrivals that were answered with fail or "
                              "info, or lost."},
            [VISIT_REJECTED_COUNT] = {".rejected", "1", METRIC_TOTAL, 0, 0,
                                      "Visits of the window that were refused."},
            [VISIT_REJECTED] = {"rejected", "1", METRIC_RATIO, VISIT_REJECTED_COUNT, VISIT_ARRIVALS,
                                "Share of the window's arrivals that were refused: no place, "
                                "shed, or beyond the rate limit."},
            [VISIT_ABANDONED_COUNT] = {".abandoned", "1", METRIC_TOTAL, 0, 0,
                                       "Visits of the window that were given up unserved."},
            [VISIT_ABANDONED] = {"abandoned", "1", METRIC_RATIO, VISIT_ABANDONED_COUNT,
                                 VISIT_ARRIVALS,
                                 "Share of the window's arrivals given up before they were "
                                 "served: out of patience, past their deadline, or taken back."},
            [VISIT_LOST] = {"lost", "1", METRIC_TOTAL, 0, 0,
                            "Visits of the window that ended in a crash of the node."},
            [VISIT_WASTED_COUNT] = {".wasted", "1", METRIC_TOTAL, 0, 0,
                                    "Departures within the window that nobody awaited any more."},
            [VISIT_WASTED] = {"wasted", "1", METRIC_RATIO, VISIT_WASTED_COUNT, VISIT_DEPARTURES,
                              "Share of the departures whose caller had gone or awaited something "
                              "newer."},
            [VISIT_INSIDE] = {"inside", "1", METRIC_LEVEL, 0, 0,
                              "Calls the node has not answered yet: waiting, in a slot, or "
                              "waiting for calls of their own."},
            [VISIT_UP_COUNT] = {".up", "1", METRIC_LEVEL, 0, 0, "Instances that are up."},
            [VISIT_INSTANCES] = {".instances", "1", METRIC_LEVEL, 0, 0, "Instances there are."},
            [VISIT_UP] = {"up", "1", METRIC_SHARE, VISIT_UP_COUNT, VISIT_INSTANCES,
                          "Share of the time it was up; of all instances together."},
            [VISIT_PRESENT] = {".present", "1", METRIC_LEVEL, 0, 0,
                               "Instances that are up and may be given work."},
            [VISIT_PART] = {"share", "1", METRIC_PART, VISIT_ARRIVALS, 0,
                            "An instance's part of all arrivals at its node."},
            [VISIT_IMBALANCE] = {"imbalance", "1", METRIC_IMBALANCE, VISIT_ARRIVALS, VISIT_PRESENT,
                                 "Highest rate of arrivals at an instance over the mean of all, "
                                 "each while it was up and could be given work; 1: even. In "
                                 "several replications their mean, weighted by arrivals."},
            [VISIT_VARIATION] = {"imbalance_cv", "1", METRIC_VARIATION, VISIT_ARRIVALS,
                                 VISIT_PRESENT,
                                 "Coefficient of variation of these rates over the instances, by "
                                 "the time each could be given work; 0: even."},
            [VISIT_LIVE] = {"live", "1", METRIC_LEVEL, 0, 0,
                            "Instances that may be given work, up or down: without those that "
                            "start up, drain or are switched off."},
            [VISIT_PRICE] = {".price", "1", METRIC_LEVEL, 0, 0,
                             "1e-9 USD an hour of the instances that are paid for."},
            [VISIT_COST] =
                {"cost", "USD", METRIC_COST, VISIT_PRICE, 0,
                 "What the instances cost, from the order of each to the end of its "
                 "draining; down ones too."},
        },
    .count = VISIT_METRICS,
};

void visit_answer(struct agent *agent, struct call *c, enum status status)
{
    if (!visit_counts(agent, c))
        return;
    const struct simulation *s = agent->simulation;
    struct record *r = agent->records[VISITS];
    struct entry e = record_at(r, c->operation, c->arrived_ns);
    if (LIKELY(status == STATUS_OK)) {
        entry_duration(&e, VISIT_LATENCY, s->queue.now - c->arrived_ns);
    } else {
        entry_count(&e, VISIT_FAILED, 1);
        if (c->flags & CALL_REJECTED)
            entry_count(&e, VISIT_REJECTED_COUNT, 1);
        if (c->flags & CALL_ABANDONED)
            entry_count(&e, VISIT_ABANDONED_COUNT, 1);
    }
    if (!(c->flags & (CALL_REJECTED | CALL_ABANDONED | CALL_POST)) && visit_wasted(s, c))
        record_count(r, VISIT_WASTED_COUNT, c->operation, s->queue.now, 1);
}

void visit_leave(struct agent *agent, struct call *c, enum visit_end how)
{
    if (!visit_counts(agent, c))
        return;
    const struct simulation *s = agent->simulation;
    int64_t now = s->queue.now, arrived = c->arrived_ns;
    level_move(agent->inside, now, -1);
    int64_t from = arrived > s->window.begin ? arrived : s->window.begin;
    int64_t to = now < s->window.end ? now : s->window.end;
    if (to > from)
        agent->sojourn += to - from;
    if (LIKELY(how == LEFT_DEPARTED))
        record_count(agent->records[VISITS], VISIT_DEPARTURES, c->operation, now, 1);
    else
        agent->flow_out[how] += window_holds(&s->window, now);
    if (UNLIKELY(s->observer && s->observer->leave))
        s->observer->leave(s->observer->context, agent, c);
    if (UNLIKELY(agent->drains && !agent_inside(agent)))
        scaler_drained(agent);
}
