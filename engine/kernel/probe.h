/* The probe: what the consistency judge is told while a run goes on. The kernel and the models call
 * it; whoever judges implements it. A simulation without a judge has no probe and pays nothing.
 * Times are the simulation's clock; `sequence` is the number of the event, so that the order of two
 * calls at the same nanosecond is known. */
#ifndef ORRERY_KERNEL_PROBE_H
#define ORRERY_KERNEL_PROBE_H

#include <stdint.h>

struct agent;
struct call;

struct probe {
    void *context;
    /* An operation is invoked by the outermost caller that names key and type. */
    void (*invoke)(void *context, const struct agent *at, const struct call *operation);
    /* It ends: its status, version and times stand in the call. */
    void (*complete)(void *context, const struct agent *at, const struct call *operation);
    /* A replica now holds `version` of `key`, written by `op_id`. */
    void (*apply)(void *context, const struct agent *at, uint64_t key, uint64_t version,
                  uint64_t op_id);
    /* A store answers a read of `key` with `version`. */
    void (*serve)(void *context, const struct agent *at, const struct call *read, uint64_t version);
    /* The versions of `key` up to `upto` are final. */
    void (*decide)(void *context, const struct agent *at, uint64_t key, uint64_t upto);
    /* The agent begins (on = 1) or ceases to believe itself leader in `term`. */
    void (*role)(void *context, const struct agent *at, uint64_t term, int on);
    /* A crash took the volatile memory of the agent's place. */
    void (*place_lost)(void *context, const struct agent *at);
};

#endif
