/* What has been done for whom: the writes a node has applied, so that one that is done a second
 * time is known. All instances of a node share it, as one store behind them, and it survives
 * crashes.
 *
 * An entry is kept as long as a copy of its request can still come, which is while any call with
 * the same op_id is alive: the operation itself is, as long as it may be tried again. So memory
 * goes with the requests in flight and not with those that have been. Swept when it has filled up.
 */
#ifndef ORRERY_MODELS_PARTS_EFFECTS_H
#define ORRERY_MODELS_PARTS_EFFECTS_H

#include "engine/kernel/simulation.h"

struct effects;

enum effect_metric { EFFECT_DUPLICATES, EFFECT_DEDUPLICATED, EFFECT_METRICS };
extern const struct metric_table effect_metrics;

/* NULL where nothing can be done twice: no operation writes, or nothing sends a request twice. */
struct effects *effects_new(struct simulation *simulation);

/* The write of this call has been done at `agent` now: counts it into `record` (of effect_metrics)
 * where it has been done before. Operations that do not write are not looked at. */
void effects_apply(struct effects *effects, struct record *record, const struct agent *agent,
                   const struct call *call);

/* Entries at present; for tests. */
uint32_t effects_count(const struct effects *effects);

#endif
