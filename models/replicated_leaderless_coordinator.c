/* The coordinator of an operation: its phases, as drawn in replicated_leaderless.c. */
#include "models/replicated_leaderless.h"

static bool keeps_sets(const struct replica *r)
{
    return r->group->config->conflict == CONFLICT_SIBLINGS;
}

static uint32_t quorum_of(const struct replica *r, uint64_t configured)
{
    return configured ? (uint32_t)configured : quorum_replicas(r->group) / 2 + 1;
}

static const struct replicated_config *config_of(const struct replica *r, const struct call *c)
{
    return r->agent->configs[c->operation];
}

static uint32_t reads_needed(const struct replica *r, const struct call *c)
{
    return quorum_of(r, config_of(r, c)->read_quorum);
}
static uint32_t writes_needed(const struct replica *r, const struct call *c)
{
    return quorum_of(r, config_of(r, c)->write_quorum);
}

/* ---- messages ---- */

enum { BRANCH_MEMBER = 63, BRANCH_HOME_SHIFT = 6, BRANCH_HINT = 1 << 12 };

struct call *quorum_write_to(struct replica *r, struct call *c, uint32_t member,
                             enum quorum_verb verb, version_handle value)
{
    struct call *m = replica_tell(r, c, member, (uint8_t)verb, conflict_bytes(r->group, value));
    m->version = value;
    m->key = conflict_newest(r->group, value)->key;
    return m;
}

/* The first member that keeps the key and is asked neither itself nor through another; the first
 * one where there is none. */
static uint32_t next_missing(const struct replica *r, const struct call *c, uint64_t wanted)
{
    for (uint32_t i = 0; i < quorum_replicas(r->group); i++)
        if (!(wanted >> quorum_nth(r->group, c->key, i) & 1))
            return quorum_nth(r->group, c->key, i);
    return quorum_first(r->group, c->key);
}

static void ask(struct replica *r, struct call *c, uint32_t member)
{
    struct quorum_frame *f = quorum_frame(c);
    uint32_t home = member;
    f->asked |= quorum_bit(member);
    if (f->verb == QUORUM_READ) {
        replica_tell(r, c, member, QUORUM_READ, 0);
        return;
    }
    bool hint = !(quorum_homes(r->group, c->key) >> member & 1);
    if (hint)
        home = next_missing(r, c, f->wanted);
    f->wanted |= quorum_bit(home);
    struct call *m =
        quorum_write_to(r, c, member, hint ? QUORUM_HINT : QUORUM_WRITE, f->base.held[0]);
    if (!hint)
        return;
    m->session = home;
    m->branch = (uint16_t)(member | home << BRANCH_HOME_SHIFT | BRANCH_HINT);
}

/* A new phase: everybody but `without` (bits) is asked, `need` answers are waited for. */
static void ask_all(struct replica *r, struct call *c, enum quorum_verb verb, uint64_t without,
                    uint32_t need)
{
    struct quorum_frame *f = quorum_frame(c);
    uint64_t to = quorum_targets(r, c->key) & ~without;
    f->verb = (uint8_t)verb;
    f->asked = f->behind = f->covered = 0;
    f->answered = without;
    f->wanted = (to | without) & quorum_homes(r->group, c->key);
    f->refused = 0;
    f->extended = false;
    if (c->sent)
        call_round(c, r->agent);
    for (uint32_t i = 0; i < r->group->count; i++) {
        uint32_t member = quorum_nth(r->group, c->key, i);
        if (to >> member & 1)
            ask(r, c, member);
    }
    call_await(c, r->agent, (uint16_t)need, quorum_timeout(r));
}

static uint64_t missing(struct call *c)
{
    const struct quorum_frame *f = quorum_frame(c);
    return f->asked & ~f->answered;
}

static void suspect_missing(struct replica *r, struct call *c)
{
    for (uint32_t i = 0; i < r->group->count; i++)
        if (missing(c) >> i & 1)
            quorum_suspect(r, i);
}

/* A sloppy quorum asks others to stand in, once. False: there is nobody to ask. */
static bool extend(struct replica *r, struct call *c)
{
    struct quorum_frame *f = quorum_frame(c);
    uint64_t absent = missing(c);
    if (!r->group->config->sloppy || f->extended)
        return false;
    bool any = false;
    f->extended = true;
    f->wanted &= ~absent;
    for (uint32_t i = 0; i < r->group->count && absent; i++) {
        uint32_t member = quorum_nth(r->group, c->key, i);
        if (f->asked >> member & 1 || f->answered >> member & 1 || quorum_suspects(r, member))
            continue;
        ask(r, c, member);
        any = true;
        absent &= absent - 1; /* one for each */
    }
    return any;
}

/* ---- the end of an operation ---- */

static void end(struct replica *r, struct call *c, enum status status)
{
    if (c->flags & CALL_ANSWERED)
        call_free(c, r->agent);
    else
        replica_reply(r, c, status);
}

static bool all_have_answered(const struct call *c)
{
    return c->got + c->failed >= c->sent;
}

/* The caller is answered; the call goes on where others have still to answer, and `true`. */
static bool answer(struct replica *r, struct call *c, enum quorum_stage rest)
{
    if (all_have_answered(c))
        return false;
    replica_answer(r, c);
    quorum_frame(c)->base.stage = rest;
    call_await(c, r->agent, (uint16_t)(c->sent - c->failed), quorum_timeout(r));
    return true;
}

/* Of those that are waited for without the caller one has failed, or all have answered, or time is
 * up. True: there are others. */
static bool waits_on(struct replica *r, struct call *c)
{
    if (c->wake == WAKE_TIMEOUT)
        suspect_missing(r, c);
    if (c->wake == WAKE_TIMEOUT || all_have_answered(c))
        return false;
    call_await(c, r->agent, (uint16_t)(c->sent - c->failed), quorum_timeout(r));
    return true;
}

/* ---- writes ---- */

/* What the quorum did without is kept for those it did without; what all have is final. */
static void write_done(struct replica *r, struct call *c)
{
    const struct quorum_frame *f = quorum_frame(c);
    const struct group *group = r->group;
    uint64_t without = quorum_homes(group, c->key) & ~f->answered;
    if (!without)
        PROBE(group->simulation, decide, r->agent, version_at(&group->versions, f->base.held[1]));
    without &= ~f->covered;
    for (uint32_t i = 0; i < group->count; i++)
        if (without >> i & 1)
            repair_hint(r, i, f->base.held[0]);
}

static void write_joined(struct replica *r, struct call *c)
{
    c->version = c->op_id;
    if (answer(r, c, QUORUM_WRITES_REST))
        return;
    write_done(r, c);
    end(r, c, STATUS_OK);
}

/* Without a quorum nobody knows what becomes of it, unless everybody has said no. */
static void write_short(struct replica *r, struct call *c)
{
    const struct quorum_frame *f = quorum_frame(c);
    if (c->wake == WAKE_TIMEOUT)
        suspect_missing(r, c);
    if (extend(r, c)) {
        uint32_t itself = keeps_sets(r);
        call_await(c, r->agent, (uint16_t)(writes_needed(r, c) - itself), quorum_timeout(r));
        return;
    }
    bool applied = f->answered || f->refused < c->sent;
    write_done(r, c);
    end(r, c, applied ? STATUS_INFO : STATUS_FAIL);
}

/* What a write has seen: what an update has read, else what its coordinator holds. One that does
 * not keep the key is taken to have seen what those hold that do: of importance only for what is
 * counted as a conflict. */
static version_handle seen_by(struct replica *r, struct call *c)
{
    const struct quorum_frame *f = quorum_frame(c);
    const struct group *group = r->group;
    enum operation_type type = store_type(r->agent, c);
    version_handle seen = registers_get(&r->registers, c->key);
    if (type == OPERATION_UPDATE || type == OPERATION_CAS)
        return f->base.held[0];
    for (uint32_t i = 0; !quorum_keeps(r, c->key) && !keeps_sets(r) && i < group->count; i++)
        seen = conflict_merge(r, seen, registers_get(&group->replicas[i]->registers, c->key));
    return seen;
}

/* A retry with a key is the version of the first try, wherever it comes: its key names it. */
static void accept(struct replica *r, struct call *c)
{
    struct quorum_frame *f = quorum_frame(c);
    struct group *group = r->group;
    bool keyed = c->traits & REQUEST_IDEMPOTENT;
    version_handle known = keyed ? registers_get(&group->known, c->op_id) : 0;
    if (quorum_replicas(group) < group->count)
        PROBE(group->simulation, keeps, r->agent, c->key, quorum_homes(group, c->key));
    f->base.held[0] = known ? known : conflict_accept(r, c, seen_by(r, c));
    f->base.held[1] = conflict_find(group, f->base.held[0], c->op_id);
    if (keeps_sets(r)) {
        conflict_take(r, f->base.held[0]);
        f->base.held[0] = registers_get(&r->registers, c->key);
    }
    if (keyed && !known)
        registers_set(&group->known, c->op_id, f->base.held[0]);
}

static void write_others(struct replica *r, struct call *c)
{
    uint32_t need = writes_needed(r, c);
    uint64_t itself = keeps_sets(r) ? quorum_bit(r->number) : 0;
    quorum_frame(c)->base.stage = QUORUM_WRITES;
    accept(r, c);
    if (itself && !quorum_keeps(r, c->key))
        repair_hint(r, next_missing(r, c, quorum_targets(r, c->key)),
                    quorum_frame(c)->base.held[0]);
    ask_all(r, c, QUORUM_WRITE, itself, need - (itself != 0));
    if (need == 1 && itself) { /* it is the quorum */
        call_timer_stop(c, r->agent);
        write_joined(r, c);
    }
}

static void write_begin(struct replica *r, struct call *c)
{
    if (!keeps_sets(r)) {
        write_others(r, c);
        return;
    }
    if (c->sent)
        call_round(c, r->agent);
    quorum_frame(c)->base.stage = QUORUM_WRITES_FIRST;
    replica_work(r, c, STORE_WORK_WRITE);
}

/* ---- reads ---- */

/* Bits: those that have answered, keep the key, and held less than all together. */
static uint64_t behind(const struct replica *r, struct call *c)
{
    const struct quorum_frame *f = quorum_frame(c);
    return f->behind & f->answered & quorum_homes(r->group, c->key);
}

static void read_done(struct replica *r, struct call *c)
{
    const struct quorum_frame *f = quorum_frame(c);
    uint64_t those = behind(r, c);
    for (uint32_t i = 0; i < r->group->count; i++) {
        if (!(those >> i & 1))
            continue;
        struct call *m =
            call_post(r->agent, r->group->first + i, conflict_bytes(r->group, f->base.held[0]));
        m->verb = QUORUM_WRITE;
        m->traits |= REQUEST_PEER;
        m->operation = c->operation;
        m->key = c->key;
        m->version = f->base.held[0];
    }
    end(r, c, STATUS_OK);
}

static void repair_first(struct replica *r, struct call *c)
{
    struct quorum_frame *f = quorum_frame(c);
    uint64_t those = behind(r, c);
    call_round(c, r->agent);
    f->base.stage = QUORUM_REPAIRS;
    f->asked = f->answered = 0;
    for (uint32_t i = 0; i < r->group->count; i++)
        if (those >> i & 1) {
            f->asked |= quorum_bit(i);
            quorum_write_to(r, c, i, QUORUM_WRITE, f->base.held[0]);
        }
    call_await(c, r->agent, c->sent, quorum_timeout(r));
}

/* A read is answered; what it was answered with stays in `base.held[0]`. */
static void serve(struct replica *r, struct call *c)
{
    conflict_serve(r, c, quorum_frame(c)->base.held[0]);
}

static void repaired(struct replica *r, struct call *c)
{
    bool joined = c->wake == WAKE_JOINED;
    if (c->wake == WAKE_TIMEOUT)
        suspect_missing(r, c);
    if (joined)
        serve(r, c);
    end(r, c, joined ? STATUS_OK : STATUS_FAIL);
}

static void read_joined(struct replica *r, struct call *c)
{
    const struct quorum_frame *f = quorum_frame(c);
    version_handle value = f->base.held[0];
    uint8_t repair = r->group->config->read_repair;
    enum operation_type type = store_type(r->agent, c);
    if (type == OPERATION_CAS &&
        !store_matches(c, value ? conflict_newest(r->group, value)->op_id : 0)) {
        serve(r, c);
        end(r, c, STATUS_FAIL);
    } else if (store_writes(type)) {
        write_begin(r, c);
    } else if (repair == QUORUM_BLOCKING && behind(r, c)) {
        repair_first(r, c);
    } else {
        serve(r, c);
        if (repair != QUORUM_ASYNC)
            end(r, c, STATUS_OK);
        else if (!answer(r, c, QUORUM_READS_REST))
            read_done(r, c);
    }
}

static void read_short(struct replica *r, struct call *c)
{
    if (c->wake == WAKE_TIMEOUT)
        suspect_missing(r, c);
    if (extend(r, c))
        call_await(c, r->agent, (uint16_t)reads_needed(r, c), quorum_timeout(r));
    else
        end(r, c, STATUS_FAIL);
}

/* Who held less than all answers together is behind. */
static void read_answered(struct replica *r, struct call *parent, const struct call *child,
                          uint64_t bit)
{
    struct quorum_frame *f = quorum_frame(parent);
    version_handle theirs = (version_handle)child->version, known = f->base.held[0];
    f->base.held[0] = conflict_merge(r, known, theirs);
    if (!conflict_covers(r->group, known, theirs))
        f->behind |= f->answered;
    if (!conflict_covers(r->group, theirs, f->base.held[0]))
        f->behind |= bit;
}

/* ---- operations ---- */

/* Under `siblings` a write needs a member that keeps its key; 0: this one may do it. */
static uint32_t forwards_to(const struct replica *r, const struct call *c)
{
    const struct group *group = r->group;
    if (!keeps_sets(r) || quorum_keeps(r, c->key) || replica_is_peer(r, c->from))
        return 0;
    for (uint32_t i = 0; i < quorum_replicas(group); i++)
        if (!quorum_suspects(r, quorum_nth(group, c->key, i)))
            return quorum_nth(group, c->key, i) + 1;
    return group->config->sloppy ? 0 : quorum_first(group, c->key) + 1;
}

void quorum_begin(struct replica *r, struct call *c)
{
    struct quorum_frame *f = quorum_frame(c);
    enum operation_type type = store_type(r->agent, c);
    bool reads = !store_writes(type) || type == OPERATION_UPDATE || type == OPERATION_CAS;
    uint32_t other = store_writes(type) ? forwards_to(r, c) : 0;
    if (other) {
        f->base.stage = QUORUM_FORWARDED;
        f->base.number = STATUS_INFO;
        f->asked = quorum_bit(other - 1);
        replica_tell(r, c, other - 1, QUORUM_FORWARD, caller_bytes(r->agent, c))->size = c->size;
        call_await(c, r->agent, 1, 4 * quorum_timeout(r));
    } else if (reads) {
        f->base.stage = QUORUM_READS;
        ask_all(r, c, QUORUM_READ, 0, reads_needed(r, c));
    } else {
        write_begin(r, c);
    }
}

static void forward_done(struct replica *r, struct call *c)
{
    if (c->wake == WAKE_TIMEOUT)
        suspect_missing(r, c);
    end(r, c, c->wake == WAKE_JOINED ? STATUS_OK : (enum status)quorum_frame(c)->base.number);
}

void quorum_woken(struct replica *r, struct call *c)
{
    bool joined = c->wake == WAKE_JOINED;
    switch ((enum quorum_stage)quorum_frame(c)->base.stage) {
    case QUORUM_FORWARDED:
        forward_done(r, c);
        break;
    case QUORUM_READS:
        (joined ? read_joined : read_short)(r, c);
        break;
    case QUORUM_REPAIRS:
        repaired(r, c);
        break;
    case QUORUM_READS_REST:
        if (!waits_on(r, c))
            read_done(r, c);
        break;
    case QUORUM_WRITES_FIRST:
        if (joined)
            write_others(r, c);
        else
            end(r, c, STATUS_FAIL); /* the machine had no place for it */
        break;
    case QUORUM_WRITES:
        (joined ? write_joined : write_short)(r, c);
        break;
    case QUORUM_WRITES_REST:
        if (waits_on(r, c))
            break;
        write_done(r, c);
        end(r, c, STATUS_OK);
        break;
    default:
        CHECK(!"no stage of an operation");
    }
}

void quorum_settled(struct replica *r, struct call *parent, const struct call *child)
{
    struct quorum_frame *f = quorum_frame(parent);
    f->base.number = child->status;
    if (child->status == STATUS_FAIL)
        f->refused++;
    if (child->status != STATUS_OK)
        return;
    uint64_t bit = quorum_bit(child->branch & BRANCH_MEMBER);
    if (f->base.stage == QUORUM_FORWARDED)
        parent->version = child->version;
    else if (f->base.stage == QUORUM_READS || f->base.stage == QUORUM_READS_REST)
        read_answered(r, parent, child, bit);
    f->answered |= bit;
    if (child->branch & BRANCH_HINT)
        f->covered |= quorum_bit(child->branch >> BRANCH_HOME_SHIFT & BRANCH_MEMBER);
}
