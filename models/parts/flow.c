/* The interpreter of steps. Every wake ends in run(), which goes on until something is awaited. */
#include "models/parts/flow.h"

#include <string.h>

enum flow_bits {
    ALONE = 1,   /* a branch: this one step, once, whatever its modifiers */
    JOINS = 2,   /* awaits branches */
    UNKNOWN = 4, /* a branch came back as info */
    REFUSED = 8, /* what ran last was not ok because of a refusal */
    BRANCH_REFUSED = 16,
    WORKED = 32, /* the draw of the visit for its work is used up */
    MISSED = 64, /* the cache that was asked last had nothing */
};

/* Bits of one tier in `path`. */
enum {
    TIER_BITS = 3,
};

static inline struct flow_frame *frame_of(struct call *c)
{
    return call_frame(c);
}

static inline const struct flow_step *step_at(const struct field_list *list, uint32_t at)
{
    return (const struct flow_step *)list->items + at;
}

static inline bool is_group(const struct flow_step *step)
{
    return step->verb >= FLOW_ALL;
}

/* Whether a branch can be called without any of a caller's defences. */
static inline bool is_plain(const struct flow_step *step)
{
    return step->verb == FLOW_CALL && caller_plain(&step->caller);
}

/* The draw of a step for one of its turns. */
static uint64_t step_draw(const struct flow_host *host, struct call *c,
                          const struct flow_step *step, uint32_t copy, enum purpose purpose)
{
    const struct flow *f = &frame_of(c)->flow;
    uint64_t turn = (uint64_t)f->turn << 32 | copy;
    return random_mix(call_draw(c, host->agent, purpose) ^
                      random_mix(turn ^ (uint64_t)step->number << 16));
}

/* ---- what goes out ---- */

/* What travels with a message of a step; the rest of the request line goes on unchanged. */
struct line {
    uint64_t key;
    uint32_t size;
    uint8_t operation;
};

static inline struct line line_of(const struct call *c)
{
    return (struct line){c->key, c->size, c->operation};
}

static inline void line_set(struct call *c, struct line line)
{
    c->key = line.key;
    c->size = line.size;
    c->operation = line.operation;
}

static struct line step_line(const struct flow_host *host, struct call *c,
                             const struct flow_step *step, uint32_t copy)
{
    struct line line = line_of(c);
    if (step->has_as)
        line.operation = (uint8_t)step->as;
    if (step->has_key)
        line.key = keys_choose(&step->keys, step_draw(host, c, step, copy, DRAW_KEY), 0);
    if (step->has_sizes) {
        int64_t bytes = distribution_ns(&step->sizes, step_draw(host, c, step, copy, DRAW_SIZE));
        line.size = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
    }
    return line;
}

static void send_try(const struct flow_host *host, struct call *c, const struct flow_step *step)
{
    struct line own = line_of(c);
    line_set(c, step_line(host, c, step, 0));
    caller_send(&frame_of(c)->caller, &step->caller, c, host->agent,
                pool_route(&step->to, host->agent, c), 0);
    line_set(c, own);
}

static void send_message(const struct flow_host *host, struct call *c, const struct flow_step *step,
                         uint32_t copy)
{
    if (step->outbox.count)
        return; /* the store has written it down, and sees to it */
    struct line own = line_of(c);
    line_set(c, step_line(host, c, step, copy));
    uint32_t salt = (uint32_t)random_mix((uint64_t)step->number << 48 |
                                         (uint64_t)frame_of(c)->flow.turn << 16 | copy);
    struct call *m = call_send(c, host->agent, pool_route(&step->to, host->agent, c),
                               caller_bytes(host->agent, c), salt);
    m->size = c->size;
    m->verb = REASON_NONE;
    m->deadline_ns = 0; /* nobody waits for it */
    if (copy || frame_of(c)->flow.turn || step->has_as || step->has_key)
        m->op_id = random_mix(c->op_id ^ salt); /* no copy of the first, but one more */
    line_set(c, own);
}

/* One branch that is a call and nothing more goes out without a child in between. */
static void send_branch(const struct flow_host *host, struct call *c, const struct flow_step *step,
                        uint32_t copy)
{
    struct line own = line_of(c);
    line_set(c, step_line(host, c, step, copy));
    struct call *child = call_to(c, host->agent, pool_route(&step->to, host->agent, c), 0,
                                 caller_bytes(host->agent, c));
    child->size = c->size;
    child->verb = REASON_NONE;
    child->attempt = 0; /* it has no caller */
    line_set(c, own);
}

/* ---- local children ---- */

/* Whether the request may have been at any of these tiers; of several a false hit is likelier. */
static inline bool visited(const struct call *c, uint64_t tiers)
{
    bool single = __builtin_popcountll(tiers) <= TIER_BITS;
    return tiers && (single ? (c->path & tiers) == tiers : (c->path & tiers) != 0);
}

/* A child that draws anew where the request has been at any of `tiers` before. Its rounds begin
 * apart from those of other steps, because repeated calls draw by their round. */
static struct call *branch_new(const struct flow_host *host, struct call *c,
                               const struct flow_step *step, uint64_t tiers)
{
    struct call *child = call_fork(c, host->agent, 0);
    if (visited(c, tiers)) {
        uint64_t mixed = random_mix(((uint64_t)c->sub << 32 | c->round) ^
                                    random_mix((uint64_t)step->number << 32 | c->sent));
        child->sub = (uint32_t)(mixed >> 32) | 1;
    }
    c->path |= tiers;
    child->round = (uint16_t)(step->number << 8);
    child->verb = REASON_NONE;
    return child;
}

static uint64_t tiers_of(const struct flow_host *host, const struct call *c,
                         const struct flow_step *step)
{
    return host->tiers[c->operation][step->number];
}

static void run(const struct flow_host *host, struct call *c);
static bool begin(const struct flow_host *host, struct call *c, const struct flow_step *step);

/* A branch runs one step of `list` once; with `at` UINT16_MAX it runs the whole list. */
static void fork_branch(const struct flow_host *host, struct call *c, const struct flow_step *step,
                        const struct field_list *list, uint32_t at)
{
    struct call *child = branch_new(host, c, step, tiers_of(host, c, step));
    bool whole = at == UINT16_MAX;
    frame_of(child)->flow =
        (struct flow){.list = list, .at = whole ? 0 : (uint16_t)at, .bits = whole ? 0 : ALONE};
    run(host, child);
}

/* ---- ending ---- */

static void end(const struct flow_host *host, struct call *c)
{
    struct flow_frame *f = frame_of(c);
    enum reply_reason reason =
        f->flow.status != STATUS_OK && f->flow.bits & REFUSED ? REASON_REJECTED : REASON_NONE;
    station_release(host->station, c);
    if (c->flags & CALL_LOCAL) {
        if (f->flow.status == STATUS_OK && f->flow.bits & MISSED)
            reason = REASON_MISS;
        c->verb = (uint8_t)reason;
        call_reply(c, host->agent, (enum status)f->flow.status, 0);
        return;
    }
    caller_reply(c, host->agent, (enum status)f->flow.status, reason);
}

/* A step has come to an end: a branch ends with it, a list goes on. */
static void step_done(const struct flow_host *host, struct call *c, enum status status,
                      bool refused)
{
    struct flow *f = &frame_of(c)->flow;
    f->status = (uint8_t)status;
    f->bits = (uint8_t)((f->bits & ~(JOINS | REFUSED)) | (refused ? REFUSED : 0));
    if (f->bits & ALONE) {
        end(host, c);
        return;
    }
    if (status != STATUS_OK) { /* it is not repeated any more */
        f->at++;
        f->turn = 0;
    }
    if (c->sent)
        call_round(c, host->agent);
    run(host, c);
}

/* ---- beginning a step; true where it is awaited ---- */

static bool work_done(enum station_outcome outcome)
{
    return outcome == STATION_DONE;
}

/* The branch that works is in the station; refused at once, it fails. */
static void work_here(const struct flow_host *host, struct call *c, const struct flow_step *step)
{
    enum station_outcome outcome = station_enter_work(host->station, c, &step->work);
    if (outcome != STATION_KEPT)
        step_done(host, c, work_done(outcome) ? STATUS_OK : STATUS_FAIL, !work_done(outcome));
}

/* A request that holds its slot works in it; any other has a child that asks for one. */
static bool begin_work(const struct flow_host *host, struct call *c, const struct flow_step *step)
{
    struct flow *f = &frame_of(c)->flow;
    bool first = !(c->flags & CALL_LOCAL) && !(f->bits & WORKED);
    f->bits |= WORKED;
    if (station_holds(c)) {
        uint64_t draw = call_draw(c, host->agent, DRAW_SERVICE);
        if (!first)
            draw = step_draw(host, c, step, c->round, DRAW_SERVICE);
        return station_work_again(host->station, c, distribution_ns(&step->work, draw)) ==
               STATION_KEPT;
    }
    struct call *child = branch_new(host, c, step, first ? 0 : host->agent->tier_bits);
    frame_of(child)->flow = (struct flow){.list = f->list, .at = f->at, .bits = ALONE};
    f->bits |= JOINS;
    call_await(c, host->agent, 1, TIME_NONE);
    work_here(host, child, step);
    return true;
}

static void begin_branches(const struct flow_host *host, struct call *c,
                           const struct field_list *branches)
{
    for (uint32_t i = 0; i < branches->count; i++) {
        const struct flow_step *step = step_at(branches, i);
        for (uint32_t copy = 0; copy < step->times; copy++) {
            if (step->chance < 1) {
                uint64_t draw = step_draw(host, c, step, copy, DRAW_CHANCE);
                if (!random_chance(draw, step->chance))
                    continue;
            }
            if (step->verb == FLOW_SEND)
                send_message(host, c, step, copy);
            else if (is_plain(step))
                send_branch(host, c, step, copy);
            else
                fork_branch(host, c, step, branches, i);
        }
    }
}

static bool begin_group(const struct flow_host *host, struct call *c, const struct flow_step *step)
{
    struct flow *f = &frame_of(c)->flow;
    f->bits &= (uint8_t) ~(UNKNOWN | BRANCH_REFUSED);
    if (step->verb == FLOW_STEPS)
        fork_branch(host, c, step, &step->steps, UINT16_MAX);
    else
        begin_branches(host, c, &step->steps);
    if (!c->sent)
        return false;
    uint64_t need = step->verb == FLOW_ANY || step->verb == FLOW_STEPS ? 1
                    : step->verb == FLOW_ALL                           ? c->sent
                                                                       : step->need;
    f->bits |= JOINS;
    call_await(c, host->agent, (uint16_t)need, step->caller.timeout);
    return true;
}

static bool begin(const struct flow_host *host, struct call *c, const struct flow_step *step)
{
    struct flow_frame *f = frame_of(c);
    switch ((enum flow_verb)step->verb) {
    case FLOW_CALL:
        caller_begin(&f->caller, host->guard);
        f->flow.deadline_ns = c->deadline_ns;
        send_try(host, c, step);
        return true;
    case FLOW_SEND:
        send_message(host, c, step, 0);
        return false;
    case FLOW_WORK:
        return begin_work(host, c, step);
    case FLOW_ALL:
    case FLOW_ANY:
    case FLOW_FIRST:
    case FLOW_STEPS:
        break;
    }
    return begin_group(host, c, step);
}

/* ---- the list ---- */

static bool meets(const struct flow_step *step, const struct flow *f)
{
    if (UNLIKELY(step->condition == FLOW_IF_MISS) && !(f->bits & MISSED))
        return false;
    return (step->condition == FLOW_IF_ERROR) == (f->status != STATUS_OK);
}

/* Whether a turn of the step at hand takes place. */
static bool takes_place(const struct flow_host *host, struct call *c, const struct flow_step *step)
{
    if (LIKELY(step->chance >= 1))
        return true;
    uint64_t draw = step_draw(host, c, step, 0, DRAW_CHANCE);
    return random_chance(draw, step->chance);
}

static void run_alone(const struct flow_host *host, struct call *c)
{
    struct flow *f = &frame_of(c)->flow;
    const struct flow_step *step = step_at(f->list, f->at);
    if (step->verb == FLOW_WORK)
        work_here(host, c, step);
    else if (!begin(host, c, step))
        end(host, c);
}

static void run(const struct flow_host *host, struct call *c)
{
    struct flow *f = &frame_of(c)->flow;
    if (f->bits & ALONE) {
        run_alone(host, c);
        return;
    }
    while (f->at < f->list->count) {
        const struct flow_step *step = step_at(f->list, f->at);
        bool over = f->turn ? f->turn >= step->times : !meets(step, f);
        if (over) {
            f->at++;
            f->turn = 0;
            continue;
        }
        f->turn++;
        if (!takes_place(host, c, step))
            continue;
        if (begin(host, c, step))
            return;
        f->status = STATUS_OK; /* it is done already */
    }
    end(host, c);
}

void flow_begin(const struct flow_host *host, struct call *c, const struct field_list *list)
{
    struct flow *f = &frame_of(c)->flow;
    *f = (struct flow){.list = list, .bits = frame_of(c)->visit.demand_ns ? WORKED : 0};
    run(host, c);
}

/* ---- waking ---- */

/* What a group has come to. */
static enum status join_status(const struct call *c, const struct flow *f)
{
    if (c->wake == WAKE_JOINED)
        return STATUS_OK;
    bool under_way = c->sent > c->got + c->failed;
    return c->wake == WAKE_TIMEOUT || under_way || f->bits & UNKNOWN ? STATUS_INFO : STATUS_FAIL;
}

static void wake_caller(const struct flow_host *host, struct call *c)
{
    struct flow_frame *f = frame_of(c);
    const struct flow_step *step = step_at(f->flow.list, f->flow.at);
    enum caller_next next = caller_wake(&f->caller, &step->caller, c, host->agent);
    if (next == CALLER_AGAIN)
        send_try(host, c, step);
    if (next != CALLER_ENDED)
        return;
    c->deadline_ns = f->flow.deadline_ns;
    step_done(host, c, caller_status(&f->caller, c), caller_reason(&f->caller) == REASON_REJECTED);
}

void flow_wake(const struct flow_host *host, struct call *c)
{
    struct flow *f = &frame_of(c)->flow;
    if (c->flags & CALL_IN_STATION) {
        enum station_outcome outcome = station_wake(host->station, c);
        if (outcome != STATION_KEPT)
            step_done(host, c, work_done(outcome) ? STATUS_OK : STATUS_FAIL, !work_done(outcome));
    } else if (c->wake == WAKE_CANCELLED) {
        caller_cancel(&frame_of(c)->caller, c);
        if (!(c->flags & CALL_LOCAL))
            station_cancel(host->station, c);
        f->status = STATUS_INFO;
        end(host, c);
    } else if (f->bits & JOINS) {
        enum status status = join_status(c, f);
        step_done(host, c, status, status == STATUS_FAIL && f->bits & BRANCH_REFUSED);
    } else {
        wake_caller(host, c);
    }
}

/* One of several that had nothing is enough. */
static void heard_of_cache(struct flow *f, uint8_t told)
{
    if (told == REASON_MISS)
        f->bits |= MISSED;
    else if (told == REASON_HIT && !(f->bits & JOINS))
        f->bits &= (uint8_t)~MISSED;
}

void flow_settle(struct call *parent, const struct call *child)
{
    struct flow_frame *f = frame_of(parent);
    if (UNLIKELY(child->verb >= REASON_MISS) && child->status == STATUS_OK)
        heard_of_cache(&f->flow, child->verb);
    if (!(f->flow.bits & JOINS)) {
        caller_settle(&f->caller, child);
        return;
    }
    if (child->status == STATUS_INFO)
        f->flow.bits |= UNKNOWN;
    if (child->status != STATUS_OK &&
        (child->flags & CALL_REJECTED || child->verb == REASON_REJECTED))
        f->flow.bits |= BRANCH_REFUSED;
}

/* ---- the tiers that steps may visit ---- */

static uint64_t find_tiers(const struct agent *agent, const struct field_list *list,
                           uint64_t *tiers)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct flow_step *step = step_at(list, i);
        uint64_t mine = 0;
        for (uint32_t k = 0; k < step->to.count; k++)
            mine |= agent->simulation->agents[step->to.agents[k]].tier_bits;
        if (step->verb == FLOW_WORK)
            mine = agent->tier_bits;
        if (is_group(step))
            mine = find_tiers(agent, &step->steps, tiers);
        tiers[step->number] = mine;
        all |= mine;
    }
    return all;
}

static uint32_t count_steps(const struct field_list *list)
{
    uint32_t count = list->count;
    for (uint32_t i = 0; i < list->count; i++)
        count += count_steps(&step_at(list, i)->steps);
    return count;
}

void flow_callers(const struct field_list *list, caller_visit *visit, void *context)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct flow_step *step = step_at(list, i);
        if (step->verb == FLOW_CALL)
            visit(context, &step->caller);
        flow_callers(&step->steps, visit, context);
    }
}

void flow_start(struct flow_host *host, struct agent *agent, struct station *station, size_t offset,
                struct guard *guard)
{
    uint32_t operations = agent->simulation->blueprint->operation_count;
    struct arena *arena = &agent->simulation->arena;
    host->guard = guard;
    if (host->agent)
        return;
    host->agent = agent;
    host->station = station;
    for (uint32_t o = 0; o < operations; o++) {
        const unsigned char *config = agent->configs[o];
        const struct field_list *list = (const void *)(config + offset);
        if (!list->count)
            continue;
        if (!host->tiers)
            host->tiers = arena_array(arena, operations, const uint64_t *);
        for (uint32_t k = 0; k < o && !host->tiers[o]; k++)
            if (agent->configs[k] == config)
                host->tiers[o] = host->tiers[k];
        if (host->tiers[o])
            continue;
        uint64_t *tiers = arena_array(arena, count_steps(list) + 1, uint64_t);
        find_tiers(agent, list, tiers);
        host->tiers[o] = tiers;
    }
}
