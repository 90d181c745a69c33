/* The consistency judge against the definitions: a witness keeps every operation of a run and
 * counts anew at the end, pair by pair, what the judge has counted on the way. */
#include "engine/kernel/consistency.h"
#include "output/consistency.h"
#include "output/recorded.h"
#include "tests/scenario.h"

#include <stdio.h>

enum { OPERATIONS = 40000 };

struct seen {
    uint64_t op_id, key, version;
    struct version_order order; /* of a write */
    int64_t begin_ns, end_ns;
    uint64_t begin, end; /* instants by number; end: UINT64_MAX where it was not ok */
    uint32_t client, session;
    bool write, ok, made;
    uint64_t holders; /* of a write: replicas that have it in the end */
};

struct witness {
    struct consistency *judge;
    const struct probe *told;
    struct probe probe;
    struct seen *seen;
    uint32_t count;
    uint64_t sequence;
};

static struct seen *find(const struct witness *w, uint64_t op_id)
{
    for (uint32_t i = 0; i < w->count; i++)
        if (w->seen[i].op_id == op_id)
            return &w->seen[i];
    return NULL;
}

static void on_invoke(void *context, const struct agent *at, const struct call *c)
{
    struct witness *w = context;
    enum operation_type type = at->simulation->blueprint->operations[c->operation].type;
    CU_ASSERT_FATAL(w->count < OPERATIONS);
    w->seen[w->count++] = (struct seen){.op_id = c->op_id,
                                        .key = c->key,
                                        .begin_ns = simulation_now(at->simulation),
                                        .begin = ++w->sequence,
                                        .end = UINT64_MAX,
                                        .client = at->index,
                                        .session = c->session,
                                        .write = type != OPERATION_READ};
    w->told->invoke(w->told->context, at, c);
}

static void on_complete(void *context, const struct agent *at, const struct call *c)
{
    struct witness *w = context;
    struct seen *s = find(w, c->op_id);
    s->ok = c->status == STATUS_OK;
    if (s->ok) {
        s->end_ns = simulation_now(at->simulation);
        s->end = ++w->sequence;
    }
    s->version = c->version;
    w->told->complete(w->told->context, at, c);
}

static void on_create(void *context, const struct agent *at, const struct call *c,
                      const struct version *v)
{
    struct witness *w = context;
    struct seen *s = find(w, v->op_id);
    s->made = true;
    s->order = v->order;
    w->told->create(w->told->context, at, c, v);
}

static void on_apply(void *context, const struct agent *at, const struct version *v)
{
    const struct witness *w = context;
    find(w, v->op_id)->holders |= UINT64_C(1) << at->number;
    w->told->apply(w->told->context, at, v);
}

static void on_retract(void *context, const struct agent *at, const struct version *v)
{
    const struct witness *w = context;
    find(w, v->op_id)->holders &= ~(UINT64_C(1) << at->number);
    w->told->retract(w->told->context, at, v);
}

static void on_decide(void *context, const struct agent *at, const struct version *v)
{
    const struct witness *w = context;
    w->told->decide(w->told->context, at, v);
}

static void on_serve(void *context, const struct agent *at, const struct call *c,
                     const struct version *const *versions, uint32_t count)
{
    const struct witness *w = context;
    w->told->serve(w->told->context, at, c, versions, count);
}

static struct version_order read_order(const struct witness *w, const struct seen *r)
{
    struct version_order none = {0, 0};
    return r->version ? find(w, r->version)->order : none;
}

static uint64_t read_end(const struct witness *w, const struct seen *r)
{
    return r->version ? find(w, r->version)->end : 0;
}

static uint64_t read_begin(const struct witness *w, const struct seen *r)
{
    return r->version ? find(w, r->version)->begin : 0;
}

struct counted {
    uint64_t reads, stale, realtime, own, own_bad, own_realtime, again, again_bad, again_realtime,
        acked, lost;
    int64_t staleness_ns;
    uint64_t missed; /* newer versions, over all reads */
    bool linearizable;
};

/* One read against every other operation. */
static void count_read(const struct witness *w, const struct seen *r, struct counted *n)
{
    struct version_order order = read_order(w, r), wrote = {0, 0};
    uint64_t ended = read_end(w, r), wrote_last = 0;
    int64_t first_ns = INT64_MAX;
    bool stale = false, realtime = false, own = false, again = false, again_bad = false;
    bool again_realtime = false;
    for (uint32_t i = 0; i < w->count; i++) {
        const struct seen *o = &w->seen[i];
        bool mine = o->client == r->client && o->session == r->session;
        if (o->key != r->key || !o->ok || o->end >= r->begin)
            continue;
        if (o->write && o->made) {
            if (version_compare(o->order, order) > 0) {
                n->missed++;
                stale = true;
                first_ns = o->end_ns < first_ns ? o->end_ns : first_ns;
            }
            realtime = realtime || ended < o->begin;
            if (mine && (!own || version_compare(o->order, wrote) > 0))
                wrote = o->order;
            if (mine && o->begin > wrote_last)
                wrote_last = o->begin;
            own = own || mine;
        } else if (!o->write && mine) {
            again = true;
            again_bad = again_bad || version_compare(order, read_order(w, o)) < 0;
            again_realtime = again_realtime || ended < read_begin(w, o);
        }
    }
    n->reads++;
    n->stale += stale;
    n->staleness_ns += stale ? r->begin_ns - first_ns : 0;
    n->realtime += realtime;
    n->own += own;
    n->own_bad += own && version_compare(order, wrote) < 0;
    n->own_realtime += own && ended < wrote_last;
    n->again += again;
    n->again_bad += again_bad;
    n->again_realtime += again_realtime;
}

/* What returned a version, and the write of it: the earliest end and the latest begin. */
static void zone_of(const struct witness *w, uint64_t key, uint64_t version, uint64_t *f,
                    uint64_t *s)
{
    *f = version ? UINT64_MAX : 0;
    *s = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        const struct seen *o = &w->seen[i];
        bool in = o->write ? o->op_id == version : o->ok && o->version == version;
        if (o->key != key || !in)
            continue;
        *f = o->end < *f ? o->end : *f;
        *s = o->begin > *s ? o->begin : *s;
    }
}

/* Every two versions of every key: neither may have to come before the other one both ways. */
static bool is_linearizable(const struct witness *w, uint64_t keys)
{
    bool good = true;
    uint64_t *f = calloc(w->count + 1, sizeof *f), *s = calloc(w->count + 1, sizeof *s);
    for (uint64_t key = 0; key < keys; key++) {
        uint32_t n = 1;
        zone_of(w, key, 0, &f[0], &s[0]);
        for (uint32_t i = 0; i < w->count; i++)
            if (w->seen[i].key == key && w->seen[i].write)
                zone_of(w, key, w->seen[i].op_id, &f[n], &s[n]), n++;
        for (uint32_t a = 0; a < n; a++)
            for (uint32_t b = 0; b < a; b++)
                good = good && !(f[a] < s[b] && f[b] < s[a]);
    }
    free(f);
    free(s);
    return good;
}

static uint64_t told(const struct simulation *s, const struct blueprint_node *store,
                     enum consistency_metric metric)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < store->count; i++) {
        const struct record *r = consistency_record(&s->agents[store->first + i]);
        for (uint32_t o = 0; o < s->blueprint->operation_count; o++)
            sum += r->counts[o * r->metric_count + metric];
    }
    return sum;
}

static int64_t told_sum(const struct simulation *s, const struct blueprint_node *store,
                        enum consistency_metric metric)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < store->count; i++) {
        const struct record *r = consistency_record(&s->agents[store->first + i]);
        for (uint32_t o = 0; o < s->blueprint->operation_count; o++) {
            const struct tally *t = &r->tallies[o * r->metric_count + metric];
            sum += (int64_t)t->moments.sum;
        }
    }
    return sum;
}

static struct counted compare(const char *text, uint64_t seed)
{
    struct loaded l = load(text, false);
    if (!l.scenario)
        diagnostic_print(l.diagnostics, stdout, false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    struct witness w = {.judge = consistency_open(l.blueprint)};
    CU_ASSERT_PTR_NOT_NULL_FATAL(w.judge);
    w.seen = calloc(OPERATIONS, sizeof *w.seen);
    w.told = consistency_probe(w.judge);
    /* The leaders are nothing to it: the judge does not hear of them here. */
    w.probe = (struct probe){.context = &w,
                             .invoke = on_invoke,
                             .complete = on_complete,
                             .create = on_create,
                             .apply = on_apply,
                             .retract = on_retract,
                             .decide = on_decide,
                             .serve = on_serve};
    struct simulation_options options = {.probe = &w.probe};
    struct simulation *s = simulation_create(l.blueprint, seed, 1, &options);
    consistency_begin(w.judge, s);
    simulation_run(s, NULL);
    simulation_close(s);
    consistency_end(w.judge);
    struct counted n = {0};
    const struct blueprint_node *store = node_in(l.blueprint, "store");
    for (uint32_t i = 0; i < w.count; i++) {
        const struct seen *o = &w.seen[i];
        if (!o->write && o->ok)
            count_read(&w, o, &n);
        n.acked += o->write && o->ok;
        n.lost += o->write && o->ok && !o->holders;
    }
    CU_ASSERT_EQUAL(told(s, store, CONSISTENCY_READS), n.reads);
    CU_ASSERT_EQUAL(told(s, store, CONSISTENCY_STALE_COUNT), n.stale);
    CU_ASSERT_EQUAL(told(s, store, CONSISTENCY_STALE_REALTIME_COUNT), n.realtime);
    CU_ASSERT_EQUAL(told_sum(s, store, CONSISTENCY_STALENESS), n.staleness_ns);
    CU_ASSERT_EQUAL(told_sum(s, store, CONSISTENCY_STALENESS_VERSIONS),
                    (int64_t)n.missed * 1000000000);
    n.linearizable = is_linearizable(&w, 20);
    CU_ASSERT_EQUAL(told(s, store, CONSISTENCY_ANOMALIES) == 0, n.linearizable);
    CU_ASSERT_EQUAL(told(s, store, CONSISTENCY_OWN_READS), n.own);
    CU_ASSERT_EQUAL(told(s, store, CONSISTENCY_READ_YOUR_WRITES_COUNT), n.own_bad);
    CU_ASSERT_EQUAL(told(s, store, CONSISTENCY_READ_YOUR_WRITES_REALTIME_COUNT), n.own_realtime);
    CU_ASSERT_EQUAL(told(s, store, CONSISTENCY_AGAIN_READS), n.again);
    CU_ASSERT_EQUAL(told(s, store, CONSISTENCY_MONOTONIC_READS_COUNT), n.again_bad);
    CU_ASSERT_EQUAL(told(s, store, CONSISTENCY_MONOTONIC_READS_REALTIME_COUNT), n.again_realtime);
    CU_ASSERT_EQUAL(told(s, store, CONSISTENCY_WRITES), n.acked);
    CU_ASSERT_EQUAL(told(s, store, CONSISTENCY_LOST_COUNT), n.lost);
    simulation_free(s);
    consistency_free(w.judge);
    loaded_free(&l);
    free(w.seen);
    return n;
}

#define SCENARIO(store, faults)                                                                    \
    "orrery: 1\nrun: {warmup: 0s, duration: 12s, replications: 1}\nnodes:\n"                       \
    "  app: {kind: client, count: 2, arrivals: [0s poisson(150/s), 10s poisson(0.001/s)], "        \
    "operations: {read: 70%, write: 30%}, keys: uniform(20), sessions: 15, timeout: 500ms, to: "   \
    "store}\n" store "links: {default: {latency: uniform(1ms..80ms)}}\n" faults
#define LEADER(more)                                                                               \
    "  store: {kind: replicated, members: n, " more "}\n"                                          \
    "  n: {kind: database, count: 3, slots: 4, read: exp(1ms), write: exp(2ms)}\n"

/* Followers lag: reads are stale, sessions see it, nothing is lost. */
static void lagging_followers_are_counted(void)
{
    struct counted all = {0};
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct counted n = compare(SCENARIO(LEADER("ack: async, reads: any"), ""), seed);
        all.stale += n.stale;
        all.realtime += n.realtime;
        all.own_bad += n.own_bad;
        all.again_bad += n.again_bad;
        CU_ASSERT_FALSE(n.linearizable);
        CU_ASSERT_EQUAL(n.lost, 0);
    }
    CU_ASSERT_TRUE(all.stale > 100 && all.realtime > 20 && all.own_bad > 5 && all.again_bad > 0);
}

/* A store that promises it keeps it, whatever its followers lack. */
static void sessions_are_kept_what_they_were_promised(void)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct counted n =
            compare(SCENARIO(LEADER("ack: async, reads: any, session: both"), ""), seed);
        CU_ASSERT_EQUAL(n.own_bad + n.again_bad, 0);
        CU_ASSERT_TRUE(n.stale > 0);
        n = compare(SCENARIO(LEADER("ack: async, reads: follower, session: read_your_writes"), ""),
                    seed);
        CU_ASSERT_EQUAL(n.own_bad, 0);
        n = compare(SCENARIO(LEADER("ack: async, reads: nearest, session: monotonic"), ""), seed);
        CU_ASSERT_EQUAL(n.again_bad, 0);
    }
}

/* A deposed leader's tail is taken back. */
static void what_failover_takes_back_is_counted(void)
{
    uint64_t lost = 0;
    for (uint64_t seed = 1; seed <= 4; seed++)
        lost +=
            compare(SCENARIO(LEADER("ack: async, reads: any, failover: {heartbeat: 200ms, "
                                    "timeout: 600ms}"),
                             "faults: [{at: 3s, for: 4s, partition: n.1, clients: with n.1}]\n"),
                    seed)
                .lost;
    CU_ASSERT_TRUE(lost > 200);
}

/* A follower is cut off from 3 s to 7 s: it has caught up soon after, and until then no key that
 * was written meanwhile is held by all. */
static void replicas_agree_again(void)
{
    struct loaded l = load(SCENARIO(LEADER("ack: async, reads: leader, retransmit: 100ms"),
                                    "faults: [{at: 3s, for: 4s, partition: n.3}]\n"),
                           false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    struct consistency *judge = consistency_open(l.blueprint);
    struct simulation_options options = {.probe = consistency_probe(judge)};
    struct simulation *s = simulation_create(l.blueprint, 1, 1, &options);
    consistency_begin(judge, s);
    simulation_run(s, NULL);
    simulation_close(s);
    consistency_end(judge);
    const struct blueprint_node *store = node_in(l.blueprint, "store");
    int64_t took_ns = told_sum(s, store, CONSISTENCY_CONVERGENCE);
    /* 4 s of 90 writes a second, which the follower writes down one by one, 2 ms each. */
    CU_ASSERT_TRUE(took_ns > 450 * MILLISECOND && took_ns < 1100 * MILLISECOND);
    CU_ASSERT_EQUAL(told(s, store, CONSISTENCY_DIVERGED), 0);
    const struct record *r = consistency_record(&s->agents[store->first]);
    double held = (double)level_over(s->recorder, r->levels[CONSISTENCY_KEYS], 0);
    double agreed = (double)level_over(s->recorder, r->levels[CONSISTENCY_AGREED], 0);
    /* 20 keys, each written every 220 ms: of 12 s about a third is lost to the cut. */
    CU_ASSERT_TRUE(agreed / held > 0.4 && agreed / held < 0.7);
    simulation_free(s);
    consistency_free(judge);
    loaded_free(&l);
}

static void one_copy_is_never_stale(void)
{
    struct counted n = compare(
        SCENARIO("  store: {kind: database, slots: 4, read: exp(1ms), write: exp(2ms)}\n", ""), 1);
    CU_ASSERT_EQUAL(n.stale + n.realtime + n.own_bad + n.again_bad + n.lost, 0);
    CU_ASSERT_TRUE(n.linearizable);
    CU_ASSERT_TRUE(n.reads > 1000);
}

static void raft_is_never_stale(void)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct counted n =
            compare(SCENARIO(LEADER("mode: raft(election_min=500ms election_max=1s "
                                    "heartbeat=100ms)"),
                             "faults: [{at: 3s, for: 3s, partition: n.1}, {at: 7s, for: 1s, "
                             "crash: one of n}]\n"),
                    seed);
        CU_ASSERT_EQUAL(n.stale + n.realtime + n.own_bad + n.again_bad + n.lost, 0);
        CU_ASSERT_TRUE(n.linearizable);
        CU_ASSERT_TRUE(n.reads > 500);
    }
}

/* ---- what was judged on the way, judged again from its history.csv ---- */

static const char history_header[] =
    "process,op,key,value,invoke_ns,complete_ns,status,op_id,session,node,invoke_seq,complete_seq,"
    "version\n";

/* Whether it was linearizable. */
static bool judged_again(const char *text, uint64_t seed)
{
    struct loaded l = load(text, false);
    if (!l.scenario)
        diagnostic_print(l.diagnostics, stdout, false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    struct consistency *judge = consistency_open(l.blueprint);
    struct simulation_options options = {.probe = consistency_probe(judge)};
    struct simulation *s = simulation_create(l.blueprint, seed, 1, &options);
    consistency_begin(judge, s);
    simulation_run(s, NULL);
    simulation_close(s);
    consistency_end(judge);
    struct result_run run = {0};
    consistency_tell(judge, &run);
    size_t size = sizeof history_header - 1 + strlen(run.history);
    char *file = malloc(size + 1);
    memcpy(file, history_header, sizeof history_header);
    memcpy(file + sizeof history_header - 1, run.history, strlen(run.history) + 1);
    struct history_problem problem;
    struct history *h = history_parse(file, size, &problem);
    CU_ASSERT_PTR_NOT_NULL_FATAL(h);
    CU_ASSERT_TRUE(h->count > 500);
    struct recorded_key *keys = calloc(h->key_count, sizeof *keys);
    recorded_judge(h, &(struct recorded_options){.budget = 1}, keys);
    uint64_t anomalies = 0, own = 0, again = 0;
    for (uint32_t k = 0; k < h->key_count; k++) {
        CU_ASSERT_FALSE(keys[k].searched);
        anomalies += keys[k].anomalies;
        own += keys[k].own_violations;
        again += keys[k].again_violations;
    }
    const struct blueprint_node *store = node_in(l.blueprint, "store");
    bool good = !told(s, store, CONSISTENCY_ANOMALIES);
    CU_ASSERT_EQUAL(!anomalies, good);
    CU_ASSERT_EQUAL(own, told(s, store, CONSISTENCY_READ_YOUR_WRITES_REALTIME_COUNT));
    CU_ASSERT_EQUAL(again, told(s, store, CONSISTENCY_MONOTONIC_READS_REALTIME_COUNT));
    free(keys);
    history_free(h);
    free(file);
    simulation_free(s);
    consistency_free(judge);
    loaded_free(&l);
    return good;
}

#define UPDATES(store, faults) UPDATES_AT("[0s poisson(100/s), 9s poisson(0.001/s)]", store, faults)
#define UPDATES_AT(load, store, faults)                                                            \
    "orrery: 1\nrun: {warmup: 0s, duration: 12s, replications: 1}\noutput: {history: true}\n"      \
    "nodes:\n"                                                                                     \
    "  app: {kind: client, count: 2, arrivals: " load ", "                                         \
    "operations: {read: 60%, write: 20%, update: 20%}, keys: uniform(12), sessions: 15, "          \
    "timeout: 300ms, to: store}\n" store                                                           \
    "links: {default: {latency: uniform(1ms..60ms)}}\n" faults
#define CRASHES                                                                                    \
    "faults: [{at: 2s, for: 2s, crash: store.leader}, {at: 6s, for: 2s, "                          \
    "partition: store.leader, clients: with store.leader}]\n"
#define CUTS                                                                                       \
    "faults: [{at: 2s, for: 2s, crash: one of n}, {at: 5s, for: 2s, partition: one of n}]\n"

static void histories_tell_the_same(void)
{
    static const char *const texts[] = {
        UPDATES(LEADER("ack: async, reads: any"), ""),
        UPDATES(LEADER("ack: async, reads: leader, failover: {heartbeat: 100ms, timeout: 400ms}"),
                CRASHES),
        UPDATES(LEADER("ack: quorum, reads: leader, failover: {heartbeat: 100ms, timeout: 400ms, "
                       "fencing: true}"),
                CRASHES),
        UPDATES(LEADER("mode: raft(election_min=300ms election_max=600ms heartbeat=50ms)"),
                CRASHES),
        UPDATES(LEADER("mode: leaderless"), CUTS),
    };
    uint32_t good[5] = {0};
    for (uint64_t seed = 1; seed <= 30; seed++)
        for (int i = 0; i < 5; i++)
            good[i] += judged_again(texts[i], seed);
    CU_ASSERT_EQUAL(good[0] + good[1], 0);
    CU_ASSERT_EQUAL(good[3], 30);
}

/* The load goes on when the run ends, so that callers still wait for writes others have read: one
 * of these runs would be told not linearizable if such writes were missing from the history. */
static void histories_tell_writes_still_awaited(void)
{
    static const char *const texts[] = {
        UPDATES_AT("poisson(100/s)", LEADER("ack: quorum"), ""),
        UPDATES_AT("poisson(100/s)", LEADER("mode: raft"), ""),
    };
    for (uint64_t seed = 1; seed <= 20; seed++)
        for (int i = 0; i < 2; i++)
            CU_ASSERT_TRUE(judged_again(texts[i], seed));
}

SUITE("the consistency judge", TEST(lagging_followers_are_counted),
      TEST(sessions_are_kept_what_they_were_promised), TEST(what_failover_takes_back_is_counted),
      TEST(replicas_agree_again), TEST(histories_tell_the_same),
      TEST(histories_tell_writes_still_awaited), TEST(one_copy_is_never_stale),
      TEST(raft_is_never_stale))
