#include "engine/scenario/steady.h"
#include "engine/kernel/arrivals.h"
#include "engine/scenario/predict.h"

#include <string.h>

static void refuse(struct point *point, const char *why, const char *node)
{
    const struct node *run = document_find(point->document.root, "run");
    document_error(
        &point->document, document_find(run, "warmup"), "give `warmup` a number, such as 10s",
        "`warmup: auto` waits for a steady state, and there is none: %s `%s`", why, node);
}

/* Whether the rate changes with time: by segments, by a late start or by a ramp. (The two rates of
 * an mmpp are those of its states.) */
static bool varies(const struct arrivals *arrivals)
{
    const struct arrivals_segment *s = arrivals->segments;
    if (arrivals->count != 1)
        return arrivals->count > 1;
    return s->start_ns > 0 || s->ramp_end_ns > 0;
}

static bool profile(const struct blueprint_node *n)
{
    struct bind_field f = bind_find(n->kind->fields, "arrivals");
    for (uint32_t i = 0; f.field && f.field->type == FIELD_ARRIVALS && i < n->count; i++) {
        struct arrivals arrivals;
        memcpy(&arrivals, (const char *)n->instances[i].configs[0] + f.offset, sizeof arrivals);
        if (varies(&arrivals))
            return true;
    }
    return false;
}

/* Whether a fault comes at a time that is told, or comes to stay: what comes at random and goes
 * again is part of the steady state. */
static bool timed(const struct blueprint_fault *f)
{
    return !f->random || f->at > 0 || (!f->repaired && f->duration == INT64_MAX);
}

double steady_floor_ns(struct point *point)
{
    const struct blueprint *b = point->blueprint;
    double floor_ns = (double)point->run.duration / 10;
    for (uint32_t i = 0; i < b->fault_count; i++)
        if (timed(&b->faults[i])) {
            refuse(point, "a fault strikes at a time of its own,", b->faults[i].name);
            return 0;
        }
    const struct predicted *all = predict(point, 0, point->run.duration);
    for (uint32_t i = 0; i < b->node_count; i++) {
        const struct blueprint_node *n = &b->nodes[i];
        if (profile(n)) {
            refuse(point, "the load changes with time at", n->name);
            return 0;
        }
        for (uint32_t k = 0; k < n->count; k++) {
            const struct predicted *p = &all[n->first + k];
            if (predict_utilization(p) >= 1 && !p->closed) {
                refuse(point, "more arrives than can be done at", n->name);
                return 0;
            }
            double wanted = 20 * predict_relaxation_ns(p);
            if (wanted > floor_ns && wanted < (double)INT64_MAX)
                floor_ns = wanted;
        }
    }
    return floor_ns;
}
