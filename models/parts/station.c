/* The station: entering, waiting, working, leaving, and what faults do to it. Who is next stands in
 * waiting.c, processor sharing in sharing.c, what users read in station_tables.c. */
#include "models/parts/station.h"

#include "engine/kernel/batch.h"
#include "models/parts/sharing.h"
#include "models/parts/shed.h"
#include "models/parts/waiting.h"

static inline bool shares(const struct station *st)
{
    return st->config->discipline == STATION_PROCESSOR_SHARING;
}

/* Whether those at work slow one another, so that all finishes move together. */
static inline bool pools(const struct station *st)
{
    return st->contended || shares(st);
}

static inline bool preempts(const struct station *st)
{
    return st->config->discipline == STATION_PREEMPTIVE_PRIORITY ||
           st->config->discipline == STATION_SHORTEST_REMAINING;
}

static inline int64_t now_of(const struct station *st)
{
    return *st->now;
}

static inline uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline void level_set(struct station *st, uint32_t metric, uint64_t value)
{
    record_level_to(st->record, metric, (int64_t)value);
}

/* The levels follow the numbers inside; called at the end of whatever changed them, so that a slot
 * that passes from one to the next moves nothing. */
static inline void show(struct station *st)
{
    if (UNLIKELY(shares(st)))
        st->working = st->serving.count;
    level_set(st, STATION_BUSY, least(st->taken, st->slots));
    if (st->separate)
        level_set(st, STATION_WORKING, least(st->working, st->slots));
    level_set(st, STATION_QUEUE_LENGTH, st->waiting);
    level_set(st, STATION_IN_SYSTEM, st->waiting + st->taken);
}

/* ---- work ---- */

static inline int64_t work_to_time(const struct station *st, int64_t work_ns)
{
    if (LIKELY(st->speed == 1))
        return work_ns;
    double ns = (double)work_ns / st->speed + 0.5;
    return ns < 0x1p62 ? (int64_t)ns : INT64_C(1) << 62;
}

/* What is left now of the work of a call that has been at work since v->since_ns. */
static int64_t work_left(const struct station *st, const struct station_visit *v)
{
    int64_t spent = now_of(st) - v->since_ns;
    if (st->speed != 1) {
        double work = (double)spent * st->speed + 0.5;
        spent = work < (double)v->left_ns ? (int64_t)work : v->left_ns;
    }
    return spent < v->left_ns ? v->left_ns - spent : 0;
}

static inline void first_served(struct station *st, struct call *c)
{
    const struct observer *observer = st->agent->simulation->observer;
    struct station_visit *v = station_visit(c);
    v->served = true;
    if (c->timer)
        call_timer_stop(c, st->agent);
    if (UNLIKELY(observer && observer->serve))
        observer->serve(observer->context, st->agent, c, v->demand_ns);
}

/* The state of a call that has a slot and begins, or goes on; the time its work takes now. */
static inline int64_t set_to_work(struct station *st, struct call *c)
{
    struct station_visit *v = station_visit(c);
    v->since_ns = now_of(st);
    v->state = STATION_WORKS;
    c->flags |= CALL_IN_STATION;
    st->working++;
    if (LIKELY(!v->served))
        first_served(st, c);
    return work_to_time(st, v->left_ns);
}

static void begin_work(struct station *st, struct call *c)
{
    struct station_visit *v = station_visit(c);
    v->left_ns += v->served ? 0 : station_crowd_ns(st);
    int64_t time_ns = set_to_work(st, c);
    if (UNLIKELY(st->contended)) {
        sharing_join(st, c);
        return;
    }
    if (UNLIKELY(preempts(st)))
        ranking_add(&st->serving, &st->agent->place->memory, waiting_serving_rank(st, c, time_ns));
    call_work(c, st->agent, time_ns);
}

static inline void end_work(struct station *st, struct call *c)
{
    st->working--;
    if (UNLIKELY(preempts(st)))
        ranking_remove(&st->serving, station_visit(c)->place);
}

static inline void set_to_wait(struct station *st, struct call *c)
{
    struct station_visit *v = station_visit(c);
    v->since_ns = now_of(st);
    v->state = STATION_WAITS;
    c->flags |= CALL_IN_STATION;
    st->waiting++;
}

static void begin_wait(struct station *st, struct call *c)
{
    if (!st->waiting)
        st->standing_ns = now_of(st);
    set_to_wait(st, c);
    waiting_add(st, c);
}

/* The call has left the queue already. */
static inline void end_wait(struct station *st, struct call *c)
{
    struct station_visit *v = station_visit(c);
    v->waited_ns += now_of(st) - v->since_ns;
    st->waiting--;
}

/* A slot has fallen free: the next one takes it. */
static inline void pass_slot(struct station *st)
{
    while (st->waiting) {
        struct call *c = waiting_take(st);
        end_wait(st, c);
        enum shed_cause cause = UNLIKELY(st->watchful) ? shed_drops(st, c) : 0;
        if (LIKELY(!cause)) {
            begin_work(st, c);
            return;
        }
        shed_drop(st, c, cause);
    }
    st->taken--;
}

/* ---- the accounts of a visit that was served or abandoned ---- */

static inline struct entry entry_of(const struct station *st, const struct call *c)
{
    return record_at(st->record, c->operation, c->arrived_ns);
}

static inline void record_wait(const struct station *st, const struct entry *e, int64_t waited_ns)
{
    if (UNLIKELY(shares(st)))
        return;
    entry_duration(e, STATION_WAIT, waited_ns);
    if (waited_ns)
        entry_count(e, STATION_WAITED_COUNT, 1);
}

static inline void record_slowdown(const struct entry *e, int64_t stay_ns, int64_t demand_ns)
{
    if (!demand_ns)
        return;
    double slowdown = (double)stay_ns * 1e9 / (double)demand_ns + 0.5;
    entry_duration(e, STATION_SLOWDOWN, slowdown < 0x1p62 ? (int64_t)slowdown : INT64_C(1) << 62);
}

/* Its own work is done; it has its slot still, which passes on unless it is held. */
static enum station_outcome complete(struct station *st, struct call *c)
{
    struct station_visit *v = station_visit(c);
    struct entry e = entry_of(st, c);
    int64_t stay_ns = now_of(st) - c->arrived_ns;
    c->flags &= (uint8_t)~CALL_IN_STATION;
    if (UNLIKELY(v->again)) {
        v->again = false;
        v->state = STATION_HOLDS;
        return STATION_DONE;
    }
    record_wait(st, &e, v->waited_ns);
    record_slowdown(&e, stay_ns, v->demand_ns);
    if (st->config->hold == STATION_HOLD_REQUEST) {
        v->state = STATION_HOLDS;
        return STATION_DONE;
    }
    v->state = STATION_AWAY;
    entry_duration(&e, STATION_SERVICE, stay_ns - v->waited_ns);
    pass_slot(st);
    return STATION_DONE;
}

/* ---- arriving ---- */

static enum station_outcome refuse(struct call *c)
{
    c->flags |= CALL_REJECTED;
    return STATION_LEFT;
}

/* Processor sharing: everyone is at work, the queue's places are those beyond the slots. */
static enum station_outcome enter_sharing(struct station *st, struct call *c)
{
    struct station_visit *v = station_visit(c);
    if (st->taken >= st->slots && st->taken - st->slots >= st->config->queue)
        return refuse(c);
    if (st->taken >= st->slots && st->taken - st->slots >= shed_bound(st))
        return shed_turns_away(st, c, SHED_SHED);
    st->taken++;
    first_served(st, c);
    if (!v->left_ns)
        return complete(st, c);
    v->since_ns = now_of(st);
    v->state = STATION_WORKS;
    c->flags |= CALL_IN_STATION;
    sharing_join(st, c);
    return STATION_KEPT;
}

/* Whether a newcomer takes the slot of the worst at work; one with nothing left keeps it. */
static bool outranks(const struct station *st, const struct call *c, struct call *worst)
{
    int64_t left_ns = work_left(st, station_visit_const(worst));
    if (!left_ns)
        return false;
    if (st->config->discipline == STATION_SHORTEST_REMAINING)
        return station_visit_const(c)->left_ns < left_ns;
    return waiting_priority(st, c) > waiting_priority(st, worst);
}

static void interrupt(struct station *st, struct call *c)
{
    struct station_visit *v = station_visit(c);
    call_stop(c, st->agent);
    v->left_ns = work_left(st, v);
    end_work(st, c);
    begin_wait(st, c);
}

/* No slot is free. */
static enum station_outcome enter_full(struct station *st, struct call *c)
{
    struct call *victim = NULL;
    if (st->waiting >= st->config->queue)
        return refuse(c);
    if (UNLIKELY(st->config->shed != SHED_NONE) && shed_refuses(st, c, &victim))
        return shed_turns_away(st, c, SHED_SHED);
    if (victim) {
        waiting_remove(st, victim);
        end_wait(st, victim);
        shed_drop(st, victim, SHED_SHED);
    }
    if (preempts(st) && st->serving.count) {
        struct call *worst = ranking_first(&st->serving)->call;
        if (outranks(st, c, worst)) {
            interrupt(st, worst);
            begin_work(st, c);
            return STATION_KEPT;
        }
    }
    begin_wait(st, c);
    const struct distribution *patience = &station_config(st, c)->patience;
    if (patience->kind != DISTRIBUTION_CONSTANT || patience->value > 0)
        call_timer(c, st->agent, distribution_ns(patience, call_draw(c, st->agent, DRAW_PATIENCE)));
    return STATION_KEPT;
}

static enum station_outcome enter(struct station *st, struct call *c)
{
    struct station_visit *v = station_visit(c);
    if (UNLIKELY(st->watchful) && shed_is_late(st, c))
        return shed_turns_away(st, c, SHED_LATE);
    if (UNLIKELY(shares(st)))
        return enter_sharing(st, c);
    if (st->taken >= st->slots)
        return enter_full(st, c);
    st->taken++;
    if (!v->left_ns && !st->config->time_per_busy) {
        first_served(st, c);
        return complete(st, c);
    }
    begin_work(st, c);
    return STATION_KEPT;
}

/* Counts a newcomer and draws its demand. */
static inline void admit(struct station *st, struct call *c, const struct distribution *work)
{
    struct agent *agent = st->agent;
    struct station_visit *v = station_visit(c);
    struct entry e = entry_of(st, c);
    entry_count(&e, STATION_ARRIVALS, 1);
    if (agent->inside->value == 1)
        entry_count(&e, STATION_EMPTY_COUNT, 1);
    v->demand_ns = distribution_ns(work, call_draw(c, agent, DRAW_SERVICE));
    if (UNLIKELY(c->traits & REQUEST_BATCH))
        v->demand_ns += batch_more_ns(agent->simulation, c, work);
    v->left_ns = v->demand_ns;
    v->order = st->order++;
}

/* The short way: fifo, no patience, and the slot is kept for the own work only. It does what the
 * general way does, without asking for what cannot be, and moves each level by one. */
enum station_outcome station_enter(struct station *st, struct call *c)
{
    admit(st, c, &station_config(st, c)->time);
    if (LIKELY(st->plain && st->taken < st->slots && station_visit(c)->left_ns)) {
        st->taken++;
        call_work(c, st->agent, set_to_work(st, c));
        record_level(st->record, STATION_BUSY, 1);
        record_level(st->record, STATION_IN_SYSTEM, 1);
        return STATION_KEPT;
    }
    if (LIKELY(st->plain && st->taken >= st->slots && st->waiting < st->config->queue)) {
        begin_wait(st, c);
        record_level(st->record, STATION_QUEUE_LENGTH, 1);
        record_level(st->record, STATION_IN_SYSTEM, 1);
        return STATION_KEPT;
    }
    enum station_outcome outcome = enter(st, c);
    show(st);
    return outcome;
}

enum station_outcome station_enter_work(struct station *st, struct call *c,
                                        const struct distribution *work)
{
    admit(st, c, work);
    enum station_outcome outcome = enter(st, c);
    show(st);
    return outcome;
}

enum station_outcome station_work_again(struct station *st, struct call *c, int64_t work_ns)
{
    struct station_visit *v = station_visit(c);
    CHECK(v->state == STATION_HOLDS);
    v->left_ns = work_ns + station_crowd_ns(st);
    if (!v->left_ns)
        return STATION_DONE;
    v->again = true;
    if (shares(st)) {
        v->since_ns = now_of(st);
        v->state = STATION_WORKS;
        c->flags |= CALL_IN_STATION;
        sharing_join(st, c);
    } else {
        begin_work(st, c);
    }
    show(st);
    return STATION_KEPT;
}

/* ---- leaving ---- */

/* What complete does where the slot passes on, and no longer way is needed. */
static inline void plain_leave(struct station *st, struct call *c)
{
    struct station_visit *v = station_visit(c);
    int64_t waited_ns = v->waited_ns, stay_ns = now_of(st) - c->arrived_ns;
    struct entry e = entry_of(st, c);
    CHECK(v->state == STATION_WORKS);
    c->flags &= (uint8_t)~CALL_IN_STATION;
    v->state = STATION_AWAY;
    entry_duration(&e, STATION_WAIT, waited_ns);
    if (waited_ns)
        entry_count(&e, STATION_WAITED_COUNT, 1);
    entry_duration(&e, STATION_SERVICE, stay_ns - waited_ns);
    record_slowdown(&e, stay_ns, v->demand_ns);
    st->working--;
    record_level(st->record, STATION_IN_SYSTEM, -1);
    if (!st->waiting) {
        st->taken--;
        record_level(st->record, STATION_BUSY, -1);
        return;
    }
    struct call *next = waiting_shift(st);
    end_wait(st, next);
    record_level(st->record, STATION_QUEUE_LENGTH, -1);
    call_work(next, st->agent, set_to_work(st, next));
}

static enum station_outcome leave(struct station *st, struct call *c)
{
    struct station_visit *v = station_visit(c);
    if (UNLIKELY(v->state == STATION_DROPPED)) {
        v->state = STATION_AWAY;
        c->flags &= (uint8_t)~CALL_IN_STATION;
        return shed_turns_away(st, c, (enum shed_cause)v->place);
    }
    if (LIKELY(c->wake == WAKE_WORKED)) {
        CHECK(v->state == STATION_WORKS);
        if (UNLIKELY(pools(st))) {
            sharing_advance(st);
            CHECK(v->place == UINT32_MAX); /* it has finished by now */
            sharing_schedule(st);
            st->working -= st->contended;
        } else {
            end_work(st, c);
        }
        return complete(st, c);
    }
    CHECK(c->wake == WAKE_TIMEOUT && v->state == STATION_WAITS);
    waiting_remove(st, c);
    end_wait(st, c);
    v->state = STATION_AWAY;
    c->flags = (uint8_t)((c->flags & ~CALL_IN_STATION) | CALL_ABANDONED);
    struct entry e = entry_of(st, c);
    record_wait(st, &e, v->waited_ns);
    return STATION_LEFT;
}

enum station_outcome station_wake(struct station *st, struct call *c)
{
    if (LIKELY(st->plain && c->wake == WAKE_WORKED)) {
        plain_leave(st, c);
        return STATION_DONE;
    }
    enum station_outcome outcome = leave(st, c);
    show(st);
    return outcome;
}

void station_release_slot(struct station *st, struct call *c)
{
    struct station_visit *v = station_visit(c);
    v->state = STATION_AWAY;
    struct entry e = entry_of(st, c);
    entry_duration(&e, STATION_SERVICE, now_of(st) - c->arrived_ns - v->waited_ns);
    pass_slot(st);
    show(st);
}

/* ---- faults: they sweep, in the order of the pool ---- */

/* The next call at work in this station, from index *at on; NULL: there is none. */
static struct call *next_at_work(const struct station *st, uint32_t *at)
{
    const struct simulation *s = st->agent->simulation;
    while (++*at < s->pool_used) {
        struct call *c = call_at(s, *at);
        if (c->state == CALL_HELD && c->agent == st->agent->index && (c->flags & CALL_IN_STATION) &&
            station_visit(c)->state == STATION_WORKS)
            return c;
    }
    return NULL;
}

static void stop_all(struct station *st)
{
    struct call *c;
    if (pools(st)) {
        sharing_advance(st);
        return;
    }
    for (uint32_t at = 0; (c = next_at_work(st, &at)) != NULL;) {
        struct station_visit *v = station_visit(c);
        call_stop(c, st->agent);
        v->left_ns = work_left(st, v);
        v->since_ns = now_of(st);
    }
}

/* Finishes move, but never past each other by more than their rounding: the heap is made anew. */
static void go_all(struct station *st)
{
    struct call *c;
    if (pools(st)) {
        sharing_schedule(st);
        return;
    }
    st->serving.count = 0;
    for (uint32_t at = 0; (c = next_at_work(st, &at)) != NULL;) {
        struct station_visit *v = station_visit(c);
        int64_t time_ns = work_to_time(st, v->left_ns);
        v->since_ns = now_of(st);
        if (preempts(st))
            ranking_add(&st->serving, &st->agent->place->memory,
                        waiting_serving_rank(st, c, time_ns));
        call_work(c, st->agent, time_ns);
    }
}

static void part_pause(struct place_part *part)
{
    struct station *st = station_of_part(part);
    stop_all(st);
    st->paused = true;
    if (pools(st))
        sharing_schedule(st); /* takes the work event back */
}

static void part_resume(struct place_part *part)
{
    struct station *st = station_of_part(part);
    if (pools(st))
        sharing_advance(st); /* nothing was attained meanwhile */
    st->paused = false;
    go_all(st);
}

static void part_rescale(struct place_part *part)
{
    struct station *st = station_of_part(part);
    if (!st->paused)
        stop_all(st);
    st->speed = st->agent->place->speed;
    if (!st->paused)
        go_all(st);
}

static void part_crash(struct place_part *part)
{
    struct station *st = station_of_part(part);
    st->taken = st->working = st->waiting = 0;
    st->head = st->tail = 0;
    st->queue = st->serving = (struct ranking){0};
    st->attained = 0;
    st->next = NULL;
    st->paused = false;
    show(st);
    level_set(st, STATION_AVAILABLE, 0);
    if (!st->agent->exists) /* switched off: a share of its slots has no meaning */
        level_set(st, STATION_SLOTS, 0);
}

static void part_drop(struct place_part *part, struct call *c)
{
    struct station *st = station_of_part(part);
    struct station_visit *v = station_visit(c);
    if (c->agent != st->agent->index)
        return;
    c->flags &= (uint8_t)~CALL_IN_STATION;
    if (v->state == STATION_WAITS) {
        waiting_remove(st, c);
        end_wait(st, c);
    } else if (v->state == STATION_DROPPED) {
        call_stop(c, st->agent);
    } else if (pools(st)) {
        sharing_advance(st);
        call_stop(c, st->agent);
        sharing_remove(st, c);
        sharing_schedule(st);
        st->working -= st->contended;
        pass_slot(st);
    } else {
        call_stop(c, st->agent);
        end_work(st, c);
        pass_slot(st);
    }
    v->state = STATION_AWAY;
    show(st);
}

void station_start(struct station *st, struct agent *agent, uint32_t table, size_t offset)
{
    if (!st->agent) {
        st->part = (struct place_part){agent->place->parts, part_pause, part_resume,
                                       part_rescale,        part_crash, part_drop};
        agent->place->parts = &st->part;
        st->agent = agent;
        st->config_offset = offset;
        st->config = (const void *)((const unsigned char *)agent->configs[0] + offset);
        st->slots = st->config->slots;
        st->record = agent->records[table];
        st->now = &agent->simulation->queue.now;
        st->contended = st->config->has_usl;
        st->watchful = shed_watches(st);
        st->plain = st->config->discipline == STATION_FIFO &&
                    st->config->hold == STATION_HOLD_WORK && !st->contended && !st->watchful &&
                    !st->config->time_per_busy && !station_has_patience(st);
        st->separate = st->config->hold == STATION_HOLD_REQUEST || shares(st);
        if (!st->separate)
            record_level_equal(st->record, STATION_WORKING, STATION_BUSY);
    }
    st->speed = agent->place->speed;
    if (st->slots != COUNT_UNLIMITED) {
        level_set(st, STATION_SLOTS, st->slots);
        level_set(st, STATION_AVAILABLE, st->slots);
    }
}
