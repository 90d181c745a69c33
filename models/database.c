/* A database: a station whose work depends on the operation, and one copy of the data.
 *
 * What is simulated: slots, queue and discipline (models/parts/station.h), the work of reads,
 * writes and scans, and for every key the version that was written last. An operation takes effect
 * when its work is done: a read then sees the present version, a write becomes the next one. The
 * member of a replicated store is the machine alone: its station does the work, the group keeps the
 * data. What is left out: pages, disks, locks, transactions. Ties: see the station. */
#include "models/database.h"

#include "engine/kernel/batch.h"
#include "engine/kernel/consistency.h"
#include "models/parts/caller.h"
#include "models/parts/outbox.h"
#include "models/parts/registers.h"
#include "models/parts/store.h"
#include "models/registry.h"

#include <stddef.h>

/* Survives a crash: what was answered was written. */
struct database {
    struct station station;
    struct versions versions;
    struct registers registers;
    struct registers known; /* writes with an idempotency key, by op_id */
    struct outbox outbox;
    uint64_t written; /* versions so far: the order of them all */
    bool opened;
};

static const struct field_table database_fields = {
    .fields =
        (const struct field[]){
            {.name = "read",
             .type = FIELD_DURATION,
             .offset = offsetof(struct database_config, read),
             .otherwise = "0s",
             .summary = "Work of one point read."},
            {.name = "write",
             .type = FIELD_DURATION,
             .offset = offsetof(struct database_config, write),
             .otherwise = "0s",
             .summary = "Work of one write, insert, update, compare-and-set or delete."},
            {.name = "scan",
             .type = FIELD_DURATION,
             .offset = offsetof(struct database_config, scan),
             .present = offsetof(struct database_config, has_scan),
             .flags = FIELD_PER_REQUEST,
             .summary = "Work of one scan. Left out: as a read."},
            {.name = "absent",
             .type = FIELD_SHARE,
             .offset = offsetof(struct database_config, absent),
             .otherwise = "0%",
             .flags = FIELD_WHOLE,
             .summary =
                 "Share of the keys that hold nothing before their first write. A read of such a "
                 "key, and of one that was deleted, is answered without a value; a cache tells "
                 "it apart (`negative_ttl`). Of no effect in a member of a replicated store."},
            {0},
        },
    .includes =
        (const struct field_include[]){
            {&station_slots_one, offsetof(struct database_config, station)},
            {&station_fields, offsetof(struct database_config, station)},
            {&station_crowd, offsetof(struct database_config, station)},
            {0},
        },
};

struct database_frame {
    struct station_visit visit;
    uint32_t outbox; /* models/parts/outbox.h */
};

enum { STATION_TABLE = 1 };

static inline const struct database_config *config_of(const struct agent *agent,
                                                      const struct call *c)
{
    return agent->configs[c->operation];
}

static void database_start(struct agent *agent)
{
    struct database *db = agent->durable;
    station_start(&db->station, agent, STATION_TABLE, offsetof(struct database_config, station));
    outbox_start(&db->outbox, agent);
    if (db->opened)
        return;
    db->opened = true;
    versions_init(&db->versions, &agent->simulation->arena, 0);
    registers_init(&db->registers, &agent->simulation->arena);
    registers_init(&db->known, &agent->simulation->arena);
}

/* Whether the agent of a group that lives here asks for work alone. */
static bool works_only(const struct call *c)
{
    return c->verb >= STORE_WORK_READ && c->verb <= STORE_WORK_PING;
}

static const struct distribution *work_of(const struct database_config *config,
                                          enum store_verb verb)
{
    static const struct distribution nothing = {.kind = DISTRIBUTION_CONSTANT};
    return verb == STORE_WORK_PING                       ? &nothing
           : verb == STORE_WORK_WRITE                    ? &config->write
           : verb == STORE_WORK_SCAN && config->has_scan ? &config->scan
                                                         : &config->read;
}

static void finish(struct agent *agent, struct call *c, enum status status,
                   enum reply_reason reason)
{
    struct database *db = agent->durable;
    station_release(&db->station, c);
    caller_reply(c, agent, status, reason);
}

static void collect(struct database *db)
{
    versions_collect_begin(&db->versions);
    registers_keep(&db->registers, &db->versions);
    versions_collect_end(&db->versions);
}

/* False: a compare-and-set that found something else. */
static bool write(struct agent *agent, struct call *c)
{
    struct database *db = agent->durable;
    bool keyed = c->traits & REQUEST_IDEMPOTENT;
    if (keyed && registers_get(&db->known, c->op_id)) { /* done already */
        c->version = c->op_id;
        return true;
    }
    version_handle held = registers_get(&db->registers, c->key);
    const struct version *present = held ? version_at(&db->versions, held) : NULL;
    if (store_type(agent, c) == OPERATION_CAS && !store_matches(c, present ? present->op_id : 0)) {
        PROBE(agent->simulation, serve, agent, c, &present, present != NULL);
        c->version = present ? present->op_id : 0;
        return false;
    }
    struct version version = store_version(agent, c, present);
    version.order.low = ++db->written;
    if (versions_full(&db->versions))
        collect(db);
    version_handle made = version_new(&db->versions, &version);
    registers_set(&db->registers, c->key, made);
    if (keyed)
        registers_set(&db->known, c->op_id, 1);
    PROBE(agent->simulation, create, agent, c, &version);
    PROBE(agent->simulation, apply, agent, &version);
    PROBE(agent->simulation, decide, agent, &version);
    c->version = version.op_id;
    if (UNLIKELY(db->outbox.wanted))
        outbox_note(&db->outbox, c);
    return true;
}

/* The messages of a request one after another, at the same instant; false: one of them failed. */
static bool write_all(struct agent *agent, struct call *c)
{
    const struct batch *batch = batch_of(agent->simulation, c);
    if (LIKELY(!batch))
        return write(agent, c);
    bool ok = true;
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct batch_item *item = &batch->items[i];
        struct call line = *c;
        line.op_id = item->op_id;
        line.key = item->key;
        line.version = item->version;
        line.session = item->session;
        line.size = item->size;
        line.operation = item->operation;
        line.traits = item->traits;
        ok = write(agent, &line) && ok;
    }
    return ok;
}

/* Whether there is nothing under a key: it was deleted, or is one of those never filled. */
static bool is_absent(const struct database_config *config, uint64_t key,
                      const struct version *present)
{
    if (present)
        return present->deletes;
    return UNLIKELY(config->absent > 0) &&
           random_chance(random_mix(key ^ UINT64_C(0xab5e47)), config->absent);
}

static void read(struct agent *agent, struct call *c)
{
    struct database *db = agent->durable;
    version_handle held = registers_get(&db->registers, c->key);
    const struct version *present = held ? version_at(&db->versions, held) : NULL;
    PROBE(agent->simulation, serve, agent, c, &present, present != NULL);
    c->version = present ? present->op_id : 0;
    c->traits &= (uint8_t)~REQUEST_ABSENT;
    if (is_absent(config_of(agent, c), c->key, present)) {
        c->traits |= REQUEST_ABSENT;
        c->size = 0;
    }
}

/* The work is done, or the station has turned the call away. */
static void go_on(struct agent *agent, struct call *c, enum station_outcome outcome)
{
    struct database *db = agent->durable;
    if (outcome == STATION_KEPT)
        return;
    if (outcome == STATION_LEFT) {
        finish(agent, c, STATUS_FAIL, c->flags & CALL_REJECTED ? REASON_REJECTED : REASON_NONE);
        return;
    }
    bool ok = !station_fails(&db->station, c);
    if (ok && !works_only(c)) {
        if (store_writes(store_type(agent, c)))
            ok = write_all(agent, c);
        else
            read(agent, c);
    }
    finish(agent, c, ok ? STATUS_OK : STATUS_FAIL, REASON_NONE);
}

static void database_step(struct agent *agent, struct call *c)
{
    struct database *db = agent->durable;
    if (UNLIKELY(*outbox_entry_of(c))) {
        outbox_wake(&db->outbox, c, *outbox_entry_of(c));
    } else if (c->flags & CALL_IN_STATION) {
        go_on(agent, c, station_wake(&db->station, c));
    } else if (c->wake == WAKE_ARRIVED) {
        enum store_verb verb =
            works_only(c) ? (enum store_verb)c->verb : store_work(store_type(agent, c));
        go_on(agent, c, station_enter_work(&db->station, c, work_of(config_of(agent, c), verb)));
    } else {
        CHECK(c->wake == WAKE_CANCELLED);
        station_cancel(&db->station, c);
        finish(agent, c, STATUS_INFO, REASON_NONE);
    }
}

static void database_settle(struct agent *agent, struct call *parent, struct call *child)
{
    (void)agent, (void)parent,
        (void)child; /* of its outbox alone, whose calls look at their joins */
}

static void database_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    (void)agent, (void)tag, (void)argument;
    CHECK(!"a database sets no timers");
}

static const char *database_check(const void *config)
{
    const struct database_config *db = config;
    if (distribution_mean(&db->station.time) > 0)
        return "the work of a database is `read`, `write` and `scan`, not `time`";
    return station_check(&db->station);
}

static double load_work(const void *config)
{
    return distribution_mean(&((const struct database_config *)config)->read);
}

static double load_work_of(const void *config, enum operation_type type)
{
    return distribution_mean(work_of(config, store_work(type)));
}

static double load_slots(const void *config)
{
    return station_slots(&((const struct database_config *)config)->station);
}

static const struct pool *load_target(const void *config)
{
    (void)config;
    return NULL;
}

const struct kind database_kind = {
    .name = "database",
    .summary = "Keeps data: works on reads and writes in its slots and holds the last version of "
               "every key.",
    .semantics =
        "A request waits for a slot as at a service; its work is `read`, `write` or `scan` by the "
        "type of its operation. It takes effect at the instant its work is done: a read sees the "
        "version that is present then, a write (insert, update, delete) becomes the next one, a "
        "compare-and-set does so if the version it has read is still the present one and fails "
        "else. A write that is tried again is applied again, unless it carries an idempotency "
        "key. As a member of a replicated store it is the machine alone: the group keeps the "
        "data. A crash loses what was being worked on and nothing that was answered. Left out: "
        "pages, disks, locks.",
    .fields = &database_fields,
    .tables = {&visit_metrics, &station_metrics, &consistency_metrics},
    .flags = KIND_VISITED | KIND_STORE | KIND_OUTBOX,
    .config_size = sizeof(struct database_config),
    .durable_size = sizeof(struct database),
    .frame_size = sizeof(struct database_frame),
    .start = database_start,
    .step = database_step,
    .settle = database_settle,
    .tick = database_tick,
    .check = database_check,
    .load = &(const struct kind_load){.work_ns = load_work,
                                      .work_of_ns = load_work_of,
                                      .slots = load_slots,
                                      .target = load_target},
};
