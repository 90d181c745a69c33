/* How members that have missed writes get them, without anybody asking for the key.
 *
 *     handoff        every period: what was kept for a member goes to it, HANDED at a time, until
 *                    one is not answered
 *     anti-entropy   every period, with one other member at random: both read their data (a scan)
 *                    and exchange hash trees (`tree` bytes each way); for every key that both keep
 *                    and that differs, what the other lacks is sent, and what is lacked is asked
 *                    for, COMPARED at a time (4.7)
 *
 * The trees tell which keys differ and are not simulated beyond their size and the scans. A member
 * that has handed over what it held for another alone forgets it. The members' periods are spread
 * evenly, the first one's last. */
#include "models/replicated_leaderless.h"

enum { HANDED = 32, COMPARED = 32 };
enum { TREE_PATIENCE = 10 };       /* timeouts */
enum { BRANCH_FETCHES = 1 << 13 }; /* beside the member: a value is asked for */

static int64_t handoff_ns(const struct replica *r)
{
    return r->group->config->handoff;
}
static int64_t exchange_ns(const struct replica *r)
{
    return r->group->config->anti_entropy;
}

void repair_start(struct replica *r)
{
    int64_t later = (int64_t)(r->group->count - r->number), count = (int64_t)r->group->count;
    if (handoff_ns(r) > 0)
        timer_after(r->agent, handoff_ns(r) / count * later, QUORUM_TICK_HANDOFF, 0);
    if (exchange_ns(r) > 0 && count > 1)
        timer_after(r->agent, exchange_ns(r) / count * later, QUORUM_TICK_EXCHANGE, 0);
}

/* A call of its own, in this stage. */
static struct call *begin(struct replica *r, enum quorum_stage stage, uint32_t other)
{
    struct call *c = call_begin(r->agent, ++quorum_state(r)->begun);
    quorum_frame(c)->base.stage = stage;
    quorum_frame(c)->base.number = other;
    return c;
}

/* ---- handoff ---- */

void repair_hint(struct replica *r, uint32_t member, version_handle value)
{
    struct registers *hints = &quorum_state(r)->hints[member];
    if (handoff_ns(r) <= 0)
        return;
    uint64_t key = version_at(&r->group->versions, value)->key;
    registers_set(hints, key, conflict_merge(r, registers_get(hints, key), value));
}

static void end(struct replica *r, struct call *c)
{
    uint32_t other = quorum_frame(c)->base.number;
    if (quorum_frame(c)->base.stage == QUORUM_OWN_HANDOFF) {
        quorum_memory(r)->handing &= ~quorum_bit(other);
    } else {
        quorum_memory(r)->exchanges = false;
        registers_clear(&quorum_state(r)->mirror);
    }
    call_free(c, r->agent);
}

static void hand_over(struct replica *r, struct call *c)
{
    uint32_t other = quorum_frame(c)->base.number;
    const struct registers *hints = &quorum_state(r)->hints[other];
    if (c->sent)
        call_round(c, r->agent);
    for (uint32_t i = 0; i < hints->room && c->sent < HANDED; i++) {
        version_handle value = hints->slots[i].version;
        if (value)
            quorum_write_to(r, c, other, QUORUM_WRITE, value)->operation =
                conflict_newest(r->group, value)->operation;
    }
    if (c->sent)
        call_await(c, r->agent, c->sent, quorum_timeout(r));
    else
        end(r, c);
}

static void handoff_tick(struct replica *r)
{
    struct quorum_memory *memory = quorum_memory(r);
    timer_after(r->agent, handoff_ns(r), QUORUM_TICK_HANDOFF, 0);
    for (uint32_t i = 0; i < r->group->count; i++) {
        if (!quorum_state(r)->hints[i].used || memory->handing & quorum_bit(i))
            continue;
        memory->handing |= quorum_bit(i);
        hand_over(r, begin(r, QUORUM_OWN_HANDOFF, i));
    }
}

/* It has only stood in for others, who have it all now. */
static void forget_stood_in(struct replica *r, uint64_t key)
{
    bool held = quorum_homes(r->group, key) >> r->number & 1;
    for (uint32_t i = 0; i < r->group->count; i++)
        held = held || registers_get(&quorum_state(r)->hints[i], key);
    if (!held)
        registers_erase(&r->registers, key);
}

static void handed(struct replica *r, uint32_t other, const struct call *child)
{
    struct registers *hints = &quorum_state(r)->hints[other];
    version_handle value = (version_handle)child->version;
    if (registers_get(hints, child->key) != value)
        return; /* more has come meanwhile */
    registers_erase(hints, child->key);
    forget_stood_in(r, child->key);
}

/* ---- anti-entropy ---- */

static void exchange_tick(struct replica *r)
{
    struct quorum_memory *memory = quorum_memory(r);
    timer_after(r->agent, exchange_ns(r), QUORUM_TICK_EXCHANGE, 0);
    if (memory->exchanges)
        return; /* the last one is not over */
    memory->exchanges = true;
    memory->cursor = 0;
    quorum_state(r)->exchange++;
    uint64_t other = stream_below(agent_stream(r->agent, STREAM_POLICY), r->group->count - 1);
    other += other >= r->number;
    replica_work(r, begin(r, QUORUM_OWN_SCAN, (uint32_t)other), STORE_WORK_SCAN);
}

static uint32_t tree_bytes(const struct replica *r, const struct call *c)
{
    int64_t bytes = distribution_ns(&r->group->config->tree, call_draw(c, r->agent, DRAW_SIZE));
    return bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
}

static void send_tree(struct replica *r, struct call *c)
{
    call_round(c, r->agent);
    quorum_frame(c)->base.stage = QUORUM_OWN_TREE;
    struct call *m =
        replica_tell(r, c, quorum_frame(c)->base.number, QUORUM_TREE, tree_bytes(r, c));
    m->session = quorum_state(r)->exchange;
    call_await(c, r->agent, 1, TREE_PATIENCE * quorum_timeout(r));
}

void repair_asked(struct replica *r, struct call *c)
{
    quorum_frame(c)->base.stage = QUORUM_PEER_TREE;
    replica_work(r, c, STORE_WORK_SCAN);
}

/* What it holds now travels with the answer; whoever asked has room for the last one it has begun.
 */
static void answer_tree(struct replica *r, struct call *c)
{
    struct quorum_state *asker = quorum_state(r->group->replicas[c->from - r->group->first]);
    bool joined = c->wake == WAKE_JOINED;
    if (joined && asker->exchange == c->session) {
        registers_clear(&asker->mirror);
        for (uint32_t i = 0; i < r->registers.room; i++)
            if (r->registers.slots[i].version)
                registers_set(&asker->mirror, r->registers.slots[i].key,
                              r->registers.slots[i].version);
    }
    c->verb = 0;
    call_reply(c, r->agent, joined ? STATUS_OK : STATUS_FAIL, joined ? tree_bytes(r, c) : 0);
}

/* One key that either of the two holds. */
static void compare(struct replica *r, struct call *c, uint64_t key, version_handle mine,
                    version_handle theirs)
{
    const struct group *group = r->group;
    uint32_t other = quorum_frame(c)->base.number;
    uint64_t homes = quorum_homes(group, key);
    if (!(homes >> r->number & 1) || !(homes >> other & 1))
        return;
    if (!conflict_covers(group, mine, theirs)) {
        struct call *m = replica_tell(r, c, other, QUORUM_READ, 0);
        m->branch |= BRANCH_FETCHES;
        m->key = key;
        m->operation = conflict_newest(group, theirs)->operation;
    }
    if (!conflict_covers(group, theirs, mine))
        quorum_write_to(r, c, other, QUORUM_WRITE, mine)->operation =
            conflict_newest(group, mine)->operation;
}

static void compare_next(struct replica *r, struct call *c)
{
    struct quorum_memory *memory = quorum_memory(r);
    const struct registers *mirror = &quorum_state(r)->mirror, *own = &r->registers;
    call_round(c, r->agent);
    quorum_frame(c)->base.stage = QUORUM_OWN_EXCHANGE;
    for (; memory->cursor < mirror->room + own->room && c->sent < COMPARED; memory->cursor++) {
        uint32_t at = memory->cursor;
        bool theirs = at < mirror->room;
        const struct register_slot *slot =
            theirs ? &mirror->slots[at] : &own->slots[at - mirror->room];
        if (slot->version && theirs)
            compare(r, c, slot->key, registers_get(own, slot->key), slot->version);
        else if (slot->version && !registers_get(mirror, slot->key))
            compare(r, c, slot->key, slot->version, 0);
    }
    if (c->sent)
        call_await(c, r->agent, c->sent, quorum_timeout(r));
    else
        end(r, c);
}

/* What was asked for has come: it is written like what others send. */
static void fetched(struct replica *r, const struct call *child)
{
    if (!child->version)
        return;
    struct call *m = call_post(r->agent, r->agent->index, 0);
    m->verb = QUORUM_WRITE;
    m->traits |= REQUEST_PEER;
    m->operation = child->operation;
    m->key = child->key;
    m->version = child->version;
}

/* ---- what the mode calls ---- */

void repair_tick(struct replica *r, enum quorum_tick tag)
{
    if (tag == QUORUM_TICK_HANDOFF)
        handoff_tick(r);
    else
        exchange_tick(r);
}

void repair_step(struct replica *r, struct call *c)
{
    const struct quorum_frame *f = quorum_frame(c);
    if (f->base.stage == QUORUM_PEER_TREE) {
        answer_tree(r, c);
        return;
    }
    if (c->wake == WAKE_TIMEOUT)
        quorum_suspect(r, f->base.number);
    if (c->wake != WAKE_JOINED)
        end(r, c);
    else if (f->base.stage == QUORUM_OWN_HANDOFF)
        hand_over(r, c);
    else if (f->base.stage == QUORUM_OWN_SCAN)
        send_tree(r, c);
    else
        compare_next(r, c);
}

void repair_settle(struct replica *r, struct call *parent, struct call *child)
{
    const struct quorum_frame *f = quorum_frame(parent);
    if (child->status != STATUS_OK)
        return;
    if (f->base.stage == QUORUM_OWN_HANDOFF)
        handed(r, f->base.number, child);
    else if (f->base.stage == QUORUM_OWN_EXCHANGE && child->branch & BRANCH_FETCHES)
        fetched(r, child);
}

void repair_keep(struct group *group)
{
    for (uint32_t i = 0; i < group->count; i++) {
        const struct quorum_state *state = quorum_state(group->replicas[i]);
        registers_keep(&state->mirror, &group->versions);
        for (uint32_t k = 0; k < group->count; k++)
            registers_keep(&state->hints[k], &group->versions);
    }
}
