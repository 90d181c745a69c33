/* Steps: what a node does for a request, as a list of calls, work and groups of them.
 *
 *     steps: [auth, {work: 2ms}, {all: [stock, {call: price, timeout: 50ms}]}, {send: mail}]
 *
 * The lists are interpreted where they stand: a call under way remembers which list, which step and
 * which turn. A single call goes out from the request itself. Work waits for a slot, and branches
 * run side by side, as local children (call_fork): each is a request of its own on the same node.
 *
 *     the kind's own `time` is done     flow_begin(...)
 *     any wake of a call with a flow    flow_wake(...)         answers the call in the end
 *     settle                            flow_settle(parent, child)
 *
 * What comes of it. A list goes on while its steps are ok. A step that is not makes the steps
 * behind it be passed over, up to one with `if: error`, which runs and whose result is then the
 * list's; at the end the list has the status of what ran last. One with `if: miss` runs where the
 * cache that was asked last had nothing; answers of other nodes do not change that. `all` is ok
 * when every branch is, and ends at the first that is not: info where some branch is unknown or
 * still under way, else fail. `any` and `first` are ok as soon as `need` branches are, and end when
 * they no longer can be. What is still under way then goes on, and its answers are late. A group
 * none of whose branches was begun is ok.
 *
 * Draws. What a branch, a work or a repeated call draws is its own: `sub` is mixed anew wherever
 * the request has been at a tier before, so that the first call to each tier draws what it would
 * draw behind `to`, in turn or at once. Coins are drawn from the request and the number of the
 * step. */
#ifndef ORRERY_MODELS_PARTS_FLOW_H
#define ORRERY_MODELS_PARTS_FLOW_H

#include "engine/kernel/keys.h"
#include "models/parts/caller.h"
#include "models/parts/station.h"

enum flow_verb { FLOW_CALL, FLOW_SEND, FLOW_WORK, FLOW_ALL, FLOW_ANY, FLOW_FIRST, FLOW_STEPS };
enum flow_condition { FLOW_IF_OK, FLOW_IF_ERROR, FLOW_IF_MISS };

/* Children of one call that are counted. */
enum { FLOW_BRANCHES_MAX = UINT16_MAX };

struct flow_step {
    uint32_t number;   /* 1, 2, .. in order of the text, unique at its node */
    uint32_t as;       /* operation; of no meaning without has_as */
    uint8_t verb;      /* enum flow_verb */
    uint8_t condition; /* enum flow_condition */
    bool has_as, has_key, has_sizes;
    uint64_t times;
    uint64_t need;               /* of `first` */
    double chance;               /* 0..1 */
    struct distribution work;    /* ns, at speed 1 */
    struct pool to;              /* of call and send */
    struct pool outbox;          /* of send: the store that writes it down; nobody: it is sent */
    struct field_list steps;     /* of groups */
    struct key_chooser keys;     /* of kinds that draw */
    struct distribution sizes;   /* bytes */
    struct caller_config caller; /* of a call; of a group its timeout */
};

/* For a FIELD_STEPS of a kind that includes caller_fields. */
extern const struct field_steps flow_steps;
#define FLOW_SUMMARY                                                                               \
    "What is done after the own `time`, in order, instead of `to`: names to call, or records "     \
    "with "                                                                                        \
    "one verb and its modifiers. Each step begins when the one before is ok."

/* What a call remembers of its steps. */
struct flow {
    const struct field_list *list; /* NULL: it has no steps */
    uint32_t turn;                 /* of the step at hand, those begun */
    uint16_t at;                   /* index of the step at hand */
    uint8_t status;                /* enum status: of what ran last */
    uint8_t bits;
    int64_t deadline_ns; /* the request's own, while a call of a step has another */
};

/* MUST stand at the start of the frame of a kind with steps. */
struct flow_frame {
    struct station_visit visit;
    struct caller caller;
    struct flow flow;
};

/* Of an agent with steps, in its durable state. */
struct flow_host {
    struct agent *agent; /* NULL: not started */
    struct station *station;
    struct guard *guard;    /* of its calls, or NULL */
    const uint64_t **tiers; /* [operation][number of step]: tiers its calls may visit; NULL: none */
};

/* Called by the kind's `start`; `offset` of the struct field_list in its configuration. `guard` is
 * what its caller_start has made, which was shown the steps by flow_callers. */
void flow_start(struct flow_host *host, struct agent *agent, struct station *station, size_t offset,
                struct guard *guard);
void flow_callers(const struct field_list *list, caller_visit *visit, void *context);

/* Runs `list` for a call whose own work is done. The call is answered when the list has ended,
 * which may be before this returns. */
void flow_begin(const struct flow_host *host, struct call *call, const struct field_list *list);

/* A call with a list was woken. */
void flow_wake(const struct flow_host *host, struct call *call);

/* True where the list of a call runs: its wakes and its children are the flow's. */
static inline bool flow_runs(struct call *call)
{
    return ((struct flow_frame *)call_frame(call))->flow.list != NULL;
}

/* A child's reply, in the kind's `settle`, to a parent whose list runs. */
void flow_settle(struct call *parent, const struct call *child);

/* For kind_load: the mean work (ns at speed 1) and the mean time (ns) of a list without waiting;
 * calls are told to `visitor` with their mean number times `times`. Of a group's branches the
 * slowest mean counts (any, first: the need-th), which is a lower bound (any: an upper one). */
double flow_work_ns(const struct field_list *list);
double flow_time_ns(const struct field_list *list, double times, double speed,
                    const struct load_visitor *visitor);

#endif
