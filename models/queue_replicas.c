/* Brokers that hold the same: one leads and tells the others of every entry of its log, a message
 * or an acknowledgement, as soon as it is there; they answer with what they hold safely.
 *
 *     leader                     follower
 *     entries (from, to] ------> held, in order; synced
 *            <------------------ holds safely up to N         a majority: committed
 *     silent for `timeout` ----> asks the others for votes    a majority: leads from now on
 *
 * A follower votes once a term, for nobody who holds less, and only if it has heard no leader for
 * `timeout` itself; a leader that was not answered by a majority within `timeout`, counted from
 * when it had sent, leads no more. So two never lead at once (Ongaro 2014, 6.4.1: leases). One that
 * came back empty, from memory, does not vote before it has caught up, or ten times the timeout has
 * passed: it would help one who has missed what it had confirmed itself. What the new leader does
 * not hold is gone: the log ends there for all, at once. What is left out: the transfer of the
 * messages themselves to a broker that was away costs their bytes, and no more. */
#include "models/queue_state.h"

enum { MUTE = 10 };

static int64_t now_of(const struct broker *b)
{
    return simulation_now(b->agent->simulation);
}

static struct agent *agent_of(const struct broker *q, uint32_t number)
{
    const struct simulation *s = q->agent->simulation;
    uint32_t first = s->blueprint->nodes[q->agent->node].first;
    return &q->agent->simulation->agents[first + number];
}

static struct replica *replica_of(const struct broker *q, uint32_t number)
{
    return &((struct broker *)agent_of(q, number)->durable)->replica;
}

static uint32_t count_of(const struct broker *q)
{
    return (uint32_t)q->config->replicas;
}

static uint32_t majority_of(const struct broker *q)
{
    return count_of(q) / 2 + 1;
}

static struct agent *self_of(const struct broker *b)
{
    return b->self;
}

static bool leads(const struct broker *b)
{
    return b->queue->leads && b->queue->leader == b->self->index;
}

static uint64_t safe_of(const struct broker *b)
{
    return b->queue->config->durability == QUEUE_FSYNC ? b->replica.safe : b->replica.has;
}

static struct call *tell(const struct broker *b, uint32_t number, enum queue_verb verb,
                         uint32_t size)
{
    struct call *c = call_post(self_of(b), agent_of(b->queue, number)->index, size);
    c->verb = (uint8_t)verb;
    c->traits |= REQUEST_PEER;
    c->session = (uint32_t)b->replica.term;
    return c;
}

/* ---- the leader ---- */

uint64_t queue_committed(const struct broker *q)
{
    uint64_t best = 0;
    for (uint32_t i = 0; i < count_of(q); i++) {
        const struct agent *a = agent_of(q, i);
        uint64_t here = a == q->agent ? safe_of(a->durable) : replica_of(q, i)->known;
        uint32_t as_far = 0;
        for (uint32_t k = 0; k < count_of(q); k++) {
            const struct agent *other = agent_of(q, k);
            uint64_t there = other == q->agent ? safe_of(other->durable) : replica_of(q, k)->known;
            as_far += there >= here;
        }
        if (as_far >= majority_of(q) && here > best)
            best = here;
    }
    return best;
}

/* The bytes of the messages beyond an entry; new ones are looked at first. */
static uint32_t bytes_beyond(const struct broker *q, uint64_t log)
{
    uint64_t sum = 0;
    for (uint32_t at = q->newest; at && q->messages[at].log > log; at = q->messages[at].older)
        sum += q->messages[at].size;
    return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

static void send_entries(struct broker *q, uint32_t number)
{
    struct replica *r = replica_of(q, number);
    struct call *c = tell(q->agent->durable, number, QUEUE_REPLICATES, bytes_beyond(q, r->sent));
    c->key = r->sent;
    c->version = q->log;
    c->deadline_ns = now_of(q);
    r->sent = q->log;
}

void queue_replicate(struct broker *q)
{
    struct broker *b = q->agent->durable;
    b->replica.has = q->log;
    for (uint32_t i = 0; i < count_of(q); i++)
        if (agent_of(q, i) != q->agent)
            send_entries(q, i);
    queue_sync_soon(q);
}

static void wait_for_silence(struct broker *b, int64_t more_ns)
{
    timer_after(self_of(b), more_ns, TICK_SILENT, 0);
}

/* As long as a majority answers. */
static void beat(struct broker *b)
{
    struct broker *q = b->queue;
    uint32_t answering = 1;
    if (!leads(b))
        return;
    for (uint32_t i = 0; i < count_of(q); i++)
        answering += agent_of(q, i) != q->agent &&
                     replica_of(q, i)->echo_ns > now_of(b) - q->config->dead_after;
    if (answering < majority_of(q)) {
        queue_stop_leading(q, false);
        b->replica.heard_ns = now_of(b);
        wait_for_silence(b, q->config->dead_after);
        return;
    }
    for (uint32_t i = 0; i < count_of(q); i++) {
        struct replica *r = replica_of(q, i);
        if (agent_of(q, i) == q->agent)
            continue;
        if (r->known < r->sent)
            r->sent = r->known; /* once more: it was lost, or is on its way for very long */
        send_entries(q, i);
    }
    timer_after(q->agent, q->config->heartbeat, TICK_BEAT, 0);
}

/* It leads from now on, with the log as it holds it. */
static void lead(struct broker *b, bool first)
{
    struct broker *q = b->queue;
    if (q->leads)
        queue_stop_leading(q, false);
    q->agent = self_of(b);
    q->leader = q->agent->index;
    q->leads = true;
    q->term++;
    uint64_t upto = b->replica.has;
    queue_truncate(q, upto);
    for (uint32_t i = 0; i < count_of(q); i++) {
        struct replica *r = replica_of(q, i);
        r->has = r->has < upto ? r->has : upto;
        r->safe = r->safe < upto ? r->safe : upto;
        r->sent = r->has;
        r->known = 0;
        r->echo_ns = now_of(b);
        r->ahead_count = 0;
    }
    if (!first)
        record_count(q->record, QUEUE_ELECTIONS, 0, now_of(b), 1);
    beat(b);
    queue_take_over(q);
}

/* ---- followers ---- */

/* What came before its turn is held as soon as the gap before it is closed. */
static void close_gaps(struct replica *r)
{
    for (bool again = true; again;) {
        again = false;
        for (uint32_t i = 0; i < r->ahead_count; i++)
            if (r->ahead[i].from <= r->has) {
                r->has = r->ahead[i].to > r->has ? r->ahead[i].to : r->has;
                r->ahead[i] = r->ahead[--r->ahead_count];
                again = true;
            }
    }
}

static void answer_leader(const struct broker *b)
{
    const struct broker *q = b->queue;
    uint32_t first = agent_of(q, 0)->index;
    struct call *c = tell(b, b->replica.leader - first, QUEUE_HOLDS, 0);
    c->version = safe_of(b);
    c->deadline_ns = b->replica.told_ns;
}

static void hold(struct broker *b, const struct call *c)
{
    struct replica *r = &b->replica;
    r->term = c->session;
    r->heard_ns = now_of(b);
    r->leader = c->from;
    r->told_ns = c->deadline_ns > r->told_ns ? c->deadline_ns : r->told_ns;
    if (c->key <= r->has)
        r->has = c->version > r->has ? c->version : r->has;
    else if (r->ahead_count < sizeof r->ahead / sizeof *r->ahead) {
        r->ahead[r->ahead_count].from = c->key;
        r->ahead[r->ahead_count++].to = c->version;
    }
    close_gaps(r);
    if (r->has >= c->version)
        r->mute_ns = 0;
    answer_leader(b);
    if (b->queue->config->durability == QUEUE_FSYNC && r->safe < r->has && !r->sync_due) {
        int64_t every = b->queue->config->sync_every;
        r->sync_due = true;
        timer_at(self_of(b), (now_of(b) / every + 1) * every, TICK_HOLD, 0);
    }
}

static void synced(struct broker *b)
{
    struct replica *r = &b->replica;
    r->sync_due = false;
    if (leads(b))
        return;
    r->safe = r->has;
    if (r->told_ns)
        answer_leader(b);
}

/* ---- elections ---- */

static bool is_silent(const struct broker *b)
{
    return !leads(b) && now_of(b) - b->replica.heard_ns >= b->queue->config->dead_after &&
           now_of(b) >= b->replica.mute_ns;
}

static void ask_for_votes(struct broker *b)
{
    const struct broker *q = b->queue;
    struct replica *r = &b->replica;
    if (leads(b))
        return;
    if (!is_silent(b)) {
        int64_t until = r->heard_ns + q->config->dead_after;
        until = until > r->mute_ns ? until : r->mute_ns;
        wait_for_silence(b, until - now_of(b));
        return;
    }
    r->term = (r->term > r->voted ? r->term : r->voted) + 1;
    r->voted = r->term;
    r->votes = 1;
    for (uint32_t i = 0; i < count_of(q); i++)
        if (agent_of(q, i) != self_of(b))
            tell(b, i, QUEUE_ASKS_VOTE, 0)->version = r->has;
    /* If nothing comes of it, again; who asks next is left to chance. */
    int64_t pause_ns = q->config->heartbeat;
    uint64_t draw = stream_next(agent_stream(self_of(b), STREAM_POLICY));
    wait_for_silence(b, pause_ns + (int64_t)random_below(draw, (uint64_t)pause_ns));
}

static void vote(struct broker *b, const struct call *c)
{
    struct replica *r = &b->replica;
    uint32_t first = agent_of(b->queue, 0)->index;
    if (!is_silent(b))
        return;
    bool votes = c->session > r->voted && c->session >= r->term && c->version >= r->has;
    if (c->session > r->term)
        r->term = c->session; /* its own next term is beyond it */
    if (!votes)
        return;
    r->voted = c->session;
    r->heard_ns = now_of(b);
    tell(b, c->from - first, QUEUE_VOTES, 0);
}

static void count_vote(struct broker *b, const struct call *c)
{
    struct replica *r = &b->replica;
    if (c->session != r->term || r->voted != r->term || leads(b))
        return;
    if (++r->votes == majority_of(b->queue))
        lead(b, false);
}

/* Whether the leader has sent it as such: what an earlier one had sent tells of entries that are no
 * more. */
static bool is_of_now(const struct broker *q, const struct call *c)
{
    const struct broker *leader = q->agent->durable;
    return q->leads && c->from == q->leader && c->session == (uint32_t)leader->replica.term;
}

/* ---- from outside ---- */

void queue_replicas_hear(struct broker *b, struct call *c)
{
    struct broker *q = b->queue;
    struct call line = *c;
    call_free(c, self_of(b));
    switch ((enum queue_verb)line.verb) {
    case QUEUE_REPLICATES:
        if (is_of_now(q, &line))
            hold(b, &line);
        break;
    case QUEUE_HOLDS:
        if (leads(b) && line.session == (uint32_t)b->replica.term) {
            struct replica *r = replica_of(q, line.from - agent_of(q, 0)->index);
            if (line.deadline_ns >= r->echo_ns) { /* less than before: it has crashed meanwhile */
                r->known = line.version;
                r->echo_ns = line.deadline_ns;
            }
            queue_settle_log(q);
        }
        break;
    case QUEUE_ASKS_VOTE:
        vote(b, &line);
        break;
    default:
        count_vote(b, &line);
        break;
    }
}

void queue_replicas_tick(struct broker *b, uint32_t tag)
{
    if (tag == TICK_BEAT)
        beat(b);
    else if (tag == TICK_HOLD)
        synced(b);
    else
        ask_for_votes(b);
}

/* What is only in memory is gone; who led leads no more. */
void queue_replicas_crash(struct broker *b)
{
    struct replica *r = &b->replica;
    if (leads(b))
        queue_stop_leading(b->queue, true);
    r->has = r->safe = b->queue->config->durability == QUEUE_FSYNC ? r->safe : 0;
    r->ahead_count = 0;
    r->sync_due = false;
}

/* At time 0 the first one leads. */
void queue_replicas_start(struct broker *b)
{
    bool empty = b->queue->config->durability == QUEUE_MEMORY && now_of(b);
    b->replica.heard_ns = now_of(b);
    b->replica.mute_ns = empty ? now_of(b) + MUTE * b->queue->config->dead_after : 0;
    if (!b->queue->term && self_of(b) == agent_of(b->queue, 0)) {
        b->replica.term = b->replica.voted = 1;
        lead(b, true);
        return;
    }
    uint64_t draw = stream_next(agent_stream(self_of(b), STREAM_POLICY));
    uint64_t spread = (uint64_t)b->queue->config->heartbeat;
    wait_for_silence(b, b->queue->config->dead_after + (int64_t)random_below(draw, spread));
}

uint32_t queue_route(struct agent *caller, uint32_t node, const struct call *call)
{
    const struct simulation *s = caller->simulation;
    const struct agent *first = &s->agents[s->blueprint->nodes[node].first];
    const struct broker *q = first->durable;
    (void)call;
    return q->opened ? q->agent->index : first->index;
}
