/* A cache: copies of what a store holds, in front of it.
 *
 *     read --> slot, own work --> a copy that is fresh: answered from it
 *                             `-> none: the store is asked, its answer becomes a copy
 *     write -> slot, own work --> the store is asked; then the copy is deleted, renewed or left
 *
 * What is simulated: the station in front, the copies with their versions, when they expire and in
 * which order they go, fills that were under way while a write passed, several reads that miss the
 * same key at once, and writes that wait in the cache to be written on. Under cache_aside it is the
 * caller who asks the cache, then the store, and who brings the copy (models/parts/caller.c); who
 * does not wait for an answer, and balancers, leave that to the cache. A crash empties it. What is
 * left out: memory that is not used by values, invalidations between instances. Ties: a copy that
 * expires at the very nanosecond of a read is expired. */
#include "models/cache_flight.h"

#include "models/parts/guard.h"
#include "models/parts/store.h"
#include "models/registry.h"

#include <stddef.h>

/* ---- answering ---- */

static void finish(struct agent *agent, struct call *c, enum status status,
                   enum reply_reason reason)
{
    struct cache *cache = agent->durable;
    station_release(&cache->station, c);
    if (c->flags & CALL_POST)
        call_free(c, agent);
    else
        caller_reply(c, agent, status, reason);
}

static void send(struct agent *agent, struct call *c)
{
    const struct cache_config *config = cache_config_of(agent, c);
    caller_send(&cache_frame_of(c)->caller, &config->caller, c, agent,
                pool_route(&config->to, agent, c), 0);
}

static void ask_store(struct agent *agent, struct call *c, enum cache_stage stage)
{
    const struct cache *cache = agent->durable;
    struct cache_frame *f = cache_frame_of(c);
    f->stage = (uint8_t)stage;
    f->asked_ns = simulation_now(agent->simulation);
    caller_begin(&f->caller, cache->guard);
    send(agent, c);
}

/* ---- calls of its own: refreshing, writing on ---- */

struct call *cache_own_call(struct agent *agent, uint8_t operation, uint64_t key, uint32_t size)
{
    struct cache *cache = agent->durable;
    struct call *c = call_begin(agent, ++cache->flushes);
    c->operation = operation;
    c->key = key;
    c->size = size;
    return c;
}

void cache_flush(struct agent *agent, uint32_t slot)
{
    struct cache *cache = agent->durable;
    const struct cache_copy copy = cache->table.copies[slot];
    struct call *c = cache_own_call(agent, copy.operation, copy.key, copy.size);
    cache_frame_of(c)->version = copy.version;
    cache_frame_of(c)->holder = copy.name;
    cache_table_clean(&cache->table, slot);
    record_count(cache->record, CACHE_FLUSHED, copy.operation, simulation_now(agent->simulation),
                 1);
    ask_store(agent, c, STAGE_FLUSH);
}

void cache_fetch(struct agent *agent, uint8_t operation, uint64_t key, uint32_t size,
                 uint64_t holder)
{
    struct cache *cache = agent->durable;
    struct call *c = cache_own_call(agent, operation, key, size);
    if (cache_flight_is_on(agent, c, holder)) {
        call_free(c, agent);
        return;
    }
    cache_flight_leads(agent, c, holder);
    cache_tell_asked(cache, c, cache_table_find(&cache->table, holder, key));
    ask_store(agent, c, STAGE_REFRESH);
}

static void refresh(struct agent *agent, const struct call *cause, uint64_t holder)
{
    if (cache_flight_is_on(agent, cause, holder))
        return;
    cache_tell(agent->durable, cause, CACHE_REFRESHES);
    cache_fetch(agent, cause->operation, cause->key, cause->size, holder);
}

/* ---- reads ---- */

/* True where the copy answers; `*slot` is what there is of it. */
static bool look_up(struct agent *agent, struct call *c, uint64_t holder, uint32_t *slot)
{
    struct cache *cache = agent->durable;
    const struct cache_config *config = cache_config_of(agent, c);
    *slot = cache_table_find(&cache->table, holder, c->key);
    cache_tell(cache, c, CACHE_LOOKUPS);
    cache_count_asked(cache, holder, c->key);
    record_count(cache->record, CACHE_BYTES, c->operation, *cache->record->now, c->size);
    bool fresh = cache_is_fresh(cache, *slot);
    if (fresh && cache_is_early(agent, c, *slot)) {
        cache_tell(cache, c, CACHE_MISSES);
        cache_tell(cache, c, CACHE_MISSES_EARLY);
        return false;
    }
    if (fresh) {
        cache_count_hit(cache, c);
        cache_serve(agent, c, *slot);
        if (UNLIKELY(config->exclusive))
            cache_drop(agent, *slot, CACHE_EVICTED); /* the level above has it from now on */
        else if (config->pattern == CACHE_REFRESH_AHEAD &&
                 cache->table.copies[*slot].early_ns <= simulation_now(agent->simulation))
            refresh(agent, c, holder);
        return true;
    }
    if (config->pattern != CACHE_ASIDE &&
        cache_is_within(cache, *slot, config->stale_while_revalidate)) {
        cache_count_hit(cache, c);
        cache_tell(cache, c, CACHE_EXPIRED_ANSWERS);
        cache_serve(agent, c, *slot);
        refresh(agent, c, holder);
        return true;
    }
    cache_count_miss(cache, c, holder, *slot);
    return false;
}

/* Under cache_aside: whether there is a copy. */
static void tell_caller(struct agent *agent, struct call *c, bool hit)
{
    struct cache *cache = agent->durable;
    if (!hit && cache_config_of(agent, c)->pattern == CACHE_ASIDE)
        cache_tell_asked(cache, c, 0);
    station_release(&cache->station, c);
    c->verb = hit ? REASON_HIT : REASON_MISS;
    call_reply(c, agent, STATUS_OK, hit ? c->size : 0);
}

static void look_aside(struct agent *agent, struct call *c, uint64_t holder)
{
    const struct cache_config *config = cache_config_of(agent, c);
    uint32_t slot;
    bool hit = look_up(agent, c, holder, &slot);
    if (!hit && config->single_flight) {
        if (cache_flight_joins(agent, c, holder))
            return;
        cache_flight_lease(agent, c, holder);
    }
    tell_caller(agent, c, hit);
}

static void read(struct agent *agent, struct call *c, uint64_t holder)
{
    const struct cache_config *config = cache_config_of(agent, c);
    uint32_t slot;
    if (look_up(agent, c, holder, &slot)) {
        finish(agent, c, STATUS_OK, REASON_HIT);
        return;
    }
    if (config->single_flight && cache_flight_joins(agent, c, holder))
        return;
    if (config->single_flight)
        cache_flight_leads(agent, c, holder);
    cache_tell_asked(agent->durable, c, slot);
    ask_store(agent, c, STAGE_STORE);
}

/* What a read that missed is answered with, now that the store has told or failed. */
static void end_read(struct agent *agent, struct call *c, enum status status,
                     enum reply_reason reason)
{
    struct cache *cache = agent->durable;
    const struct cache_config *config = cache_config_of(agent, c);
    uint64_t holder = cache_frame_of(c)->holder;
    uint32_t slot = cache_table_find(&cache->table, holder, c->key);
    if (status != STATUS_OK && cache_is_within(cache, slot, config->stale_if_error)) {
        cache_tell(cache, c, CACHE_EXPIRED_ANSWERS);
        cache_serve(agent, c, slot);
        finish(agent, c, STATUS_OK, REASON_HIT);
        return;
    }
    finish(agent, c, status, status == STATUS_OK ? REASON_MISS : reason);
}

/* ---- writes ---- */

static void write_back(struct agent *agent, struct call *c, uint64_t holder)
{
    struct cache *cache = agent->durable;
    const struct cache_config *config = cache_config_of(agent, c);
    if (cache->table.dirty >= config->flush_limit) {
        ask_store(agent, c, STAGE_STORE);
        return;
    }
    c->version = c->op_id;
    uint32_t slot = cache_install(agent, c, holder);
    if (!slot) { /* there is no room for it at all */
        ask_store(agent, c, STAGE_STORE);
        return;
    }
    cache->table.copies[slot].operation = c->operation;
    cache_table_soil(&cache->table, slot);
    cache_show(cache);
    finish(agent, c, STATUS_OK, REASON_NONE);
}

static enum cache_on_write after_write(const struct cache_config *config, const struct call *c,
                                       const struct agent *agent)
{
    bool deletes = store_type(agent, c) == OPERATION_DELETE;
    if (config->pattern == CACHE_WRITE_THROUGH || config->pattern == CACHE_WRITE_BACK)
        return deletes ? CACHE_DELETES : CACHE_UPDATES;
    return deletes && config->on_write == CACHE_UPDATES ? CACHE_DELETES
                                                        : (enum cache_on_write)config->on_write;
}

static void end_write(struct agent *agent, struct call *c, enum status status,
                      enum reply_reason reason)
{
    uint64_t holder = cache_frame_of(c)->holder;
    enum cache_on_write what = after_write(cache_config_of(agent, c), c, agent);
    if (status == STATUS_INFO && what == CACHE_UPDATES)
        what = CACHE_DELETES;
    if (status != STATUS_FAIL && what == CACHE_DELETES)
        cache_uninstall(agent, c, holder);
    else if (status == STATUS_OK && what == CACHE_UPDATES)
        cache_install(agent, c, holder);
    finish(agent, c, status, reason);
}

/* ---- steps ---- */

/* Under store_only: the copy is all there is. What is too large for it is refused. */
static void act_alone(struct agent *agent, struct call *c, uint64_t holder)
{
    struct cache *cache = agent->durable;
    enum operation_type type = store_type(agent, c);
    uint32_t slot = cache_table_find(&cache->table, holder, c->key);
    bool hit;
    if (!store_writes(type)) {
        hit = look_up(agent, c, holder, &slot);
        if (!hit)
            c->version = 0;
        tell_caller(agent, c, hit);
        return;
    }
    uint64_t present = cache_is_fresh(cache, slot) ? cache->table.copies[slot].version : 0;
    bool ok = type != OPERATION_CAS || store_matches(c, present);
    if (ok && type == OPERATION_DELETE) {
        cache_uninstall(agent, c, holder);
    } else if (ok) {
        c->version = c->op_id;
        ok = cache_install(agent, c, holder) != 0;
    }
    finish(agent, c, ok ? STATUS_OK : STATUS_FAIL, REASON_NONE);
}

/* The own work is done. */
static void act(struct agent *agent, struct call *c)
{
    const struct cache_config *config = cache_config_of(agent, c);
    struct cache_frame *f = cache_frame_of(c);
    bool writes = store_writes(store_type(agent, c));
    f->holder = cache_holder(config, c);
    switch (c->verb) {
    case CALLER_LOOKS_UP:
        look_aside(agent, c, f->holder);
        return;
    case CALLER_FILLS:
        cache_take(agent, c, f->holder);
        cache_flight_brought(agent, c, f->holder);
        finish(agent, c, STATUS_OK, REASON_NONE);
        return;
    case CALLER_HAS_WRITTEN:
        if (after_write(config, c, agent) == CACHE_UPDATES)
            cache_install(agent, c, f->holder);
        else if (after_write(config, c, agent) == CACHE_DELETES)
            cache_uninstall(agent, c, f->holder);
        finish(agent, c, STATUS_OK, REASON_NONE);
        return;
    default:
        break;
    }
    if (config->pattern == CACHE_STORE_ONLY)
        act_alone(agent, c, f->holder);
    else if (!writes)
        read(agent, c, f->holder);
    else if (config->pattern == CACHE_WRITE_BACK)
        write_back(agent, c, f->holder);
    else
        ask_store(agent, c, STAGE_STORE);
}

static void go_on(struct agent *agent, struct call *c, enum station_outcome outcome)
{
    struct cache *cache = agent->durable;
    if (outcome == STATION_KEPT)
        return;
    if (outcome == STATION_LEFT)
        finish(agent, c, STATUS_FAIL, c->flags & CALL_REJECTED ? REASON_REJECTED : REASON_NONE);
    else if (station_fails(&cache->station, c))
        finish(agent, c, STATUS_FAIL, REASON_NONE);
    else
        act(agent, c);
}

/* What the cache asked for itself has come to its end: a flush that has failed is dirty again,
 * unless something newer has come. */
static void end_own(struct agent *agent, struct call *c, enum status status)
{
    struct cache *cache = agent->durable;
    struct cache_frame *f = cache_frame_of(c);
    if (f->stage == STAGE_REFRESH) {
        if (status == STATUS_OK)
            cache_take(agent, c, f->holder);
        cache_flight_lands(agent, c, status);
    } else if (status != STATUS_OK) {
        uint32_t slot = registers_get(&cache->table.index, f->holder);
        if (slot && cache->table.copies[slot].version == f->version)
            cache_table_soil(&cache->table, slot);
    }
    cache_show(cache);
    call_free(c, agent);
}

static void store_told(struct agent *agent, struct call *c)
{
    struct cache_frame *f = cache_frame_of(c);
    enum caller_next next = caller_wake(&f->caller, &cache_config_of(agent, c)->caller, c, agent);
    if (next == CALLER_AGAIN)
        send(agent, c);
    if (next != CALLER_ENDED)
        return;
    enum status status = caller_status(&f->caller, c);
    enum reply_reason reason = caller_reason(&f->caller);
    if (f->stage != STAGE_STORE) {
        end_own(agent, c, status);
        return;
    }
    if (store_writes(store_type(agent, c))) {
        end_write(agent, c, status, reason);
        return;
    }
    if (status == STATUS_OK && !cache_config_of(agent, c)->exclusive)
        cache_take(agent, c, f->holder);
    cache_flight_lands(agent, c, status);
    end_read(agent, c, status, reason);
}

static void cancel(struct agent *agent, struct call *c)
{
    struct cache *cache = agent->durable;
    struct cache_frame *f = cache_frame_of(c);
    if (f->stage == STAGE_FOLLOWS)
        cache_flight_leaves(agent, c);
    if (f->stage == STAGE_LED)
        call_timer_stop(c, agent);
    caller_cancel(&f->caller, c);
    cache_flight_lands(agent, c, STATUS_INFO);
    station_cancel(&cache->station, c);
    finish(agent, c, STATUS_INFO, REASON_NONE);
}

/* The read it has waited for was answered at this very instant. */
static void led(struct agent *agent, struct call *c)
{
    struct cache *cache = agent->durable;
    struct cache_frame *f = cache_frame_of(c);
    uint32_t slot = cache_table_find(&cache->table, f->holder, c->key);
    bool aside = c->verb == CALLER_LOOKS_UP;
    if (f->outcome == STATUS_OK && slot && cache->table.copies[slot].version == c->version)
        cache_serve(agent, c, slot);
    if (aside)
        tell_caller(agent, c, f->outcome == STATUS_OK);
    else
        end_read(agent, c, (enum status)f->outcome, REASON_NONE);
}

static void cache_step(struct agent *agent, struct call *c)
{
    struct cache *cache = agent->durable;
    struct cache_frame *f = cache_frame_of(c);
    if (c->flags & CALL_IN_STATION)
        go_on(agent, c, station_wake(&cache->station, c));
    else if (c->wake == WAKE_ARRIVED)
        go_on(agent, c, station_enter(&cache->station, c));
    else if (c->wake == WAKE_CANCELLED)
        cancel(agent, c);
    else if (f->stage == STAGE_LED)
        led(agent, c);
    else if (f->stage == STAGE_LEASE)
        cache_flight_expires(agent, c);
    else
        store_told(agent, c);
}

static void cache_settle(struct agent *agent, struct call *parent, struct call *child)
{
    const struct cache *cache = agent->durable;
    if (!parent) {
        caller_late(cache->guard, child);
        return;
    }
    caller_reads(parent, child);
    caller_settle(&cache_frame_of(parent)->caller, child);
}

static void next_flush(struct agent *agent)
{
    const struct cache_config *config = agent->configs[0];
    if (config->pattern == CACHE_WRITE_BACK)
        timer_after(agent, config->flush_every, CACHE_TICK_FLUSH, 0);
}

static void cache_tick(struct agent *agent, uint32_t tag, uint64_t argument)
{
    struct cache *cache = agent->durable;
    const struct cache_config *config = agent->configs[0];
    (void)argument;
    if (tag == CACHE_TICK_PRELOAD) {
        cache_preload_next(agent);
        return;
    }
    CHECK(tag == CACHE_TICK_FLUSH);
    for (uint64_t i = 0; i < config->flush_batch && cache->table.dirty_first; i++)
        cache_flush(agent, cache->table.dirty_first);
    cache_show(cache);
    next_flush(agent);
}

/* ---- starting: empty, whatever there was ---- */

static void empty(struct agent *agent)
{
    struct cache *cache = agent->durable;
    for (uint32_t slot = 1; slot < cache->table.copies_used; slot++)
        if (cache->table.copies[slot].takes_part)
            cache_drop(agent, slot, CACHE_EMPTIED);
    cache_show(cache);
}

static void cache_start(struct agent *agent)
{
    struct cache *cache = agent->durable;
    const struct cache_config *config = agent->configs[0];
    station_start(&cache->station, agent, STATION_TABLE, offsetof(struct cache_config, station));
    cache->guard =
        caller_start(agent, offsetof(struct cache_config, caller), GUARD_TABLE, CALLER_TABLE, NULL);
    cache->record = agent->records[CACHE_TABLE];
    if (!cache->opened) {
        cache->opened = true;
        cache->store = cache_find_store(agent);
        agent->aside = config->pattern == CACHE_ASIDE;
        cache->victims = cache_find_victims(agent);
        bool counted = config->capacity != COUNT_UNLIMITED && !(config->capacity & COUNT_BYTES);
        cache_table_init(&cache->table, &agent->simulation->arena,
                         eviction_policies[config->eviction], counted ? config->capacity : 0,
                         agent_stream(agent, STREAM_POLICY));
        if (config->admission == CACHE_ADMITS_ASKED)
            sketch_init(&cache->asked, &agent->simulation->arena,
                        counted ? config->capacity : 65536);
        registers_init(&cache->flights, &agent->simulation->arena);
        if (cache->store == NO_STORE || config->pattern == CACHE_WRITE_BACK) {
            record_hide(cache->record, CACHE_STALE_HITS);
            record_hide(cache->record, CACHE_STALE_FILLS);
        }
    }
    registers_clear(&cache->flights);
    empty(agent);
    next_flush(agent);
    cache->preload_next = 0;
    cache_preload_next(agent);
}

static double load_work(const void *config)
{
    return station_work_ns(&((const struct cache_config *)config)->station);
}

static double load_slots(const void *config)
{
    return station_slots(&((const struct cache_config *)config)->station);
}

static const struct pool *load_target(const void *config)
{
    const struct cache_config *cache = config;
    return cache->to.count || cache->to.group ? &cache->to : NULL;
}

static bool load_weighted(const void *config)
{
    (void)config;
    return false;
}

/* Every request as if nothing were ever found: the load of a cold cache. */
static double load_attempts(const void *config)
{
    (void)config;
    return 1;
}

const struct kind cache_kind = {
    .name = "cache",
    .summary = "Keeps copies of what the store behind it holds and answers reads from them.",
    .semantics =
        "A request waits for a slot as at a service and is worked on for `time`. A read that finds "
        "a copy which has not expired is answered from it; else the store is asked and its answer "
        "becomes the copy, at the instant it comes in, whatever was written meanwhile: that is "
        "where old values come from. A write goes to the store first; then the copy is deleted, "
        "renewed or left, by `on_write`. Under cache_aside the caller carries the messages: it "
        "asks the cache, then the store, sends the copy without waiting for it, and tells the "
        "cache "
        "after a write, so that what is lost or late leaves the cache old; balancers, branches of "
        "steps and messages nobody waits for leave all that to the cache. Under write_back a write "
        "is answered when the copy is made and written on later, by a flush; a crash loses what "
        "was not flushed. A crash empties the cache. The predicted load is that of an empty one. "
        "Where one fetches for all the others wait in the cache; under cache_aside for the copy "
        "that "
        "the first of them was told to bring. What the store has nothing under is no copy, but may "
        "be remembered (`negative_ttl`). An `exclusive` level holds only what the one before it "
        "had "
        "to let go. "
        "Reads are judged against the store that the copies come from, except under write_back.",
    .fields = &cache_fields,
    .tables = {&visit_metrics, &station_metrics, &caller_metrics, &guard_metrics, &cache_metrics},
    .flags = KIND_VISITED,
    .config_size = sizeof(struct cache_config),
    .durable_size = sizeof(struct cache),
    .frame_size = sizeof(struct cache_frame),
    .start = cache_start,
    .step = cache_step,
    .settle = cache_settle,
    .tick = cache_tick,
    .flush = empty,
    .check = cache_check,
    .load = &(const struct kind_load){.work_ns = load_work,
                                      .slots = load_slots,
                                      .target = load_target,
                                      .weighted = load_weighted,
                                      .attempts = load_attempts},
};
