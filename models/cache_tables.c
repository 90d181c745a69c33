/* What users write for a cache, and what it measures. */
#include "models/cache.h"

#include "engine/kernel/metric.h"

#include <stddef.h>

static const struct field_word patterns[] = {
    [CACHE_ASIDE] = {"cache_aside",
                     "The caller asks the cache, then the store, and brings the copy itself.",
                     NULL},
    [CACHE_READ_THROUGH] = {"read_through", "The cache asks the store for what it has not.", NULL},
    [CACHE_WRITE_THROUGH] = {"write_through",
                             "The same; a write becomes the copy when the store has it.", NULL},
    [CACHE_WRITE_BACK] = {"write_back",
                          "A write is answered when the cache has it, and written on by `flush`.",
                          NULL},
    [CACHE_WRITE_AROUND] = {"write_around",
                            "As read_through: writes make no copy, and `on_write` says what "
                            "becomes of an old one.",
                            NULL},
    [CACHE_REFRESH_AHEAD] = {"refresh_ahead",
                             "As write_around; a copy that is read in the last part of its life is "
                             "renewed in the background (`refresh_after`).",
                             NULL},
    [CACHE_STORE_ONLY] =
        {"store_only",
         "There is no store behind: what is written is here until it expires or has "
         "to go, and a read that finds nothing is answered so.",
         NULL},
    {0},
};

static const struct field_word writes[] = {
    [CACHE_DELETES] = {"delete", "The copy goes.", NULL},
    [CACHE_UPDATES] = {"update", "What was written becomes the copy.", NULL},
    [CACHE_LEAVES] = {"none", "The copy stays until it expires or has to go.", NULL},
    {0},
};

#define EVICTION_WORD(name, summary) [EVICTION_##name] = {#name, summary, NULL},
static const struct field_word evictions[] = {EVICTIONS(EVICTION_WORD){0}};
#undef EVICTION_WORD

static const struct field probabilistic_fields[] = {
    {.name = "share",
     .type = FIELD_SHARE,
     .offset = offsetof(struct cache_config, admission_share),
     .otherwise = "10%",
     .flags = FIELD_WHOLE,
     .summary = "Of them."},
    {0},
};

static const struct field_word admissions[] = {
    [CACHE_ADMITS_ALL] = {"all", "Whatever was read from the store.", NULL},
    [CACHE_ADMITS_SOME] = {"probabilistic", "A share of it, drawn for each request.",
                           &(const struct field_table){.fields = probabilistic_fields}},
    [CACHE_ADMITS_ASKED] = {"tinylfu",
                            "Where there is no room, what was asked for more often lately than "
                            "what would go for it (Einziger et al. 2017).",
                            NULL},
    {0},
};

static const struct field_word scopes[] = {
    [CACHE_SHARED] = {"shared", "One cache for all who call it.", NULL},
    [CACHE_INSTANCE] = {"instance",
                        "Each instance that calls has copies of its own; `capacity` is for each.",
                        NULL},
    [CACHE_SESSION] = {"session", "Each session has copies of its own; `capacity` is for each.",
                       NULL},
    {0},
};

static const struct field flush_fields[] = {
    {.name = "every",
     .type = FIELD_TIME,
     .offset = offsetof(struct cache_config, flush_every),
     .otherwise = "1s",
     .flags = FIELD_WHOLE,
     .min = 1,
     .summary = "From one flush to the next."},
    {.name = "batch",
     .type = FIELD_COUNT,
     .offset = offsetof(struct cache_config, flush_batch),
     .otherwise = "unlimited",
     .flags = FIELD_UNLIMITED | FIELD_WHOLE,
     .min = 1,
     .summary = "Copies written on by one flush, the oldest first."},
    {.name = "dirty_limit",
     .type = FIELD_COUNT,
     .offset = offsetof(struct cache_config, flush_limit),
     .otherwise = "unlimited",
     .flags = FIELD_UNLIMITED | FIELD_WHOLE,
     .min = 1,
     .summary = "While so many wait to be written on, writes go through to the store."},
    {0},
};

static const struct field_word flushes[] = {
    {"interval", "Again and again; a copy that has to go before is written on then.",
     &(const struct field_table){.fields = flush_fields}},
    {0},
};

static const struct field early_fields[] = {
    {.name = "beta",
     .type = FIELD_NUMBER,
     .offset = offsetof(struct cache_config, early_beta),
     .otherwise = "1",
     .flags = FIELD_WHOLE,
     .min = 0,
     .max = 1000,
     .summary = "Above 1 earlier, below 1 later."},
    {.name = "cost",
     .type = FIELD_TIME,
     .offset = offsetof(struct cache_config, early_cost),
     .otherwise = "auto",
     .flags = FIELD_AUTO | FIELD_WHOLE,
     .summary = "What fetching a value takes; `auto`: what it took the last time."},
    {0},
};

static const struct field_word earlies[] = {
    [CACHE_ON_TIME] = {"none", "When it has expired.", NULL},
    [CACHE_AT_RANDOM] = {"probabilistic",
                         "A read asks the store although its copy has t left, where cost * beta * "
                         "-ln(a random number in 0..1) is t or more (Vattani et al. 2015).",
                         &(const struct field_table){.fields = early_fields}},
    {0},
};

static const struct field preload_fields[] = {
    {.name = "keys",
     .type = FIELD_KEYS,
     .offset = offsetof(struct cache_config, preload_keys),
     .flags = FIELD_REQUIRED,
     .summary = "Whose keys, the likeliest first: as the client has it."},
    {.name = "count",
     .type = FIELD_COUNT,
     .offset = offsetof(struct cache_config, preload_count),
     .flags = FIELD_REQUIRED,
     .min = 1,
     .max = 1e9,
     .summary = "How many of them."},
    {.name = "rate",
     .type = FIELD_RATE,
     .offset = offsetof(struct cache_config, preload_rate),
     .otherwise = "1k/s",
     .min = 1e-3,
     .max = 1e9,
     .summary = "Questions to the store a second; what is there already is passed over."},
    {.name = "sizes",
     .type = FIELD_SIZE,
     .offset = offsetof(struct cache_config, preload_sizes),
     .otherwise = "0B",
     .summary = "Size of a value, drawn for each key."},
    {0},
};

const struct field_table cache_fields = {
    .fields =
        (const struct field[]){
            {.name = "to",
             .type = FIELD_POOL,
             .offset = offsetof(struct cache_config, to),
             .flags = FIELD_PER_REQUEST,
             .summary = "The store behind, or what stands before it; required but for store_only."},
            {.name = "pattern",
             .type = FIELD_WORD,
             .offset = offsetof(struct cache_config, pattern),
             .otherwise = "cache_aside",
             .flags = FIELD_WHOLE,
             .words = patterns,
             .summary = "Who asks the store, and when a write is there."},
            {.name = "capacity",
             .type = FIELD_COUNT,
             .offset = offsetof(struct cache_config, capacity),
             .otherwise = "unlimited",
             .flags = FIELD_UNLIMITED | FIELD_WHOLE | FIELD_BYTES,
             .min = 1,
             .summary = "Copies in each instance, or bytes of their values (5MB, by the "
                        "`sizes` of the client)."},
            {.name = "eviction",
             .type = FIELD_WORD,
             .offset = offsetof(struct cache_config, eviction),
             .otherwise = "lru",
             .flags = FIELD_WHOLE,
             .words = evictions,
             .summary = "Which copy goes where there is no room."},
            {.name = "admission",
             .type = FIELD_WORD,
             .offset = offsetof(struct cache_config, admission),
             .otherwise = "all",
             .flags = FIELD_WHOLE,
             .words = admissions,
             .summary = "What becomes a copy at all."},
            {.name = "ttl",
             .type = FIELD_DURATION,
             .offset = offsetof(struct cache_config, ttl),
             .otherwise = "none",
             .flags = FIELD_NONE,
             .summary = "How long a copy is fresh, drawn for each: a distribution spreads the "
                        "expiries."},
            {.name = "negative_ttl",
             .type = FIELD_DURATION,
             .offset = offsetof(struct cache_config, negative_ttl),
             .otherwise = "none",
             .flags = FIELD_NONE,
             .summary =
                 "How long it is remembered that the store has nothing under a key (`absent` of "
                 "a database, or deleted); none: the store is asked each time."},
            {.name = "sliding",
             .type = FIELD_BOOL,
             .offset = offsetof(struct cache_config, sliding),
             .otherwise = "false",
             .summary = "Every hit begins the `ttl` anew."},
            {.name = "on_write",
             .type = FIELD_WORD,
             .offset = offsetof(struct cache_config, on_write),
             .otherwise = "delete",
             .flags = FIELD_WHOLE,
             .words = writes,
             .summary = "What a write does to the copy; under write_through and write_back it "
                        "always becomes the copy."},
            {.name = "single_flight",
             .type = FIELD_BOOL,
             .offset = offsetof(struct cache_config, single_flight),
             .otherwise = "false",
             .flags = FIELD_WHOLE,
             .summary = "Reads that miss a key which the store is being asked for wait for that "
                        "answer, under cache_aside at the cache for the copy."},
            {.name = "lease",
             .type = FIELD_TIME,
             .offset = offsetof(struct cache_config, lease),
             .otherwise = "1s",
             .min = 1,
             .summary = "cache_aside with single_flight: so long the others wait for a caller that "
                        "was told to fetch the value; then the next of them is told."},
            {.name = "preload",
             .type = FIELD_RECORD,
             .offset = 0,
             .present = offsetof(struct cache_config, has_preload),
             .flags = FIELD_WHOLE,
             .record = &(const struct field_table){.fields = preload_fields},
             .summary =
                 "What the cache asks the store for by itself at the beginning and after every "
                 "crash: warming up, or pushing what is published to the edge."},
            {.name = "refresh_after",
             .type = FIELD_SHARE,
             .offset = offsetof(struct cache_config, refresh_after),
             .otherwise = "80%",
             .summary = "refresh_ahead: the share of its life behind which a read renews a copy."},
            {.name = "early_refresh",
             .type = FIELD_WORD,
             .offset = offsetof(struct cache_config, early),
             .otherwise = "none",
             .flags = FIELD_WHOLE,
             .words = earlies,
             .summary = "When a read fetches a copy anew."},
            {.name = "stale_while_revalidate",
             .type = FIELD_TIME,
             .offset = offsetof(struct cache_config, stale_while_revalidate),
             .otherwise = "0s",
             .summary = "So long after its expiry a copy still answers, while the store is asked "
                        "in the background."},
            {.name = "stale_if_error",
             .type = FIELD_TIME,
             .offset = offsetof(struct cache_config, stale_if_error),
             .otherwise = "0s",
             .summary = "So long after its expiry a copy answers where the store fails to."},
            {.name = "flush",
             .type = FIELD_WORD,
             .offset = offsetof(struct cache_config, flush),
             .otherwise = "interval",
             .flags = FIELD_WHOLE,
             .words = flushes,
             .summary = "write_back: when what was written goes on to the store."},
            {.name = "exclusive",
             .type = FIELD_BOOL,
             .offset = offsetof(struct cache_config, exclusive),
             .otherwise = "false",
             .flags = FIELD_WHOLE,
             .summary =
                 "As the level behind another cache that has it as `to`: it takes what that one "
                 "has to let go, and a read that finds a copy takes it along. Else every level "
                 "keeps a copy of what passes."},
            {.name = "scope",
             .type = FIELD_WORD,
             .offset = offsetof(struct cache_config, scope),
             .otherwise = "shared",
             .flags = FIELD_WHOLE,
             .words = scopes,
             .summary = "Whose copies they are. The way to the cache is a link like any other."},
            {0},
        },
    .includes =
        (const struct field_include[]){
            {&station_slots_unlimited, offsetof(struct cache_config, station)},
            {&station_fields, offsetof(struct cache_config, station)},
            {&caller_fields, offsetof(struct cache_config, caller)},
            {0},
        },
};

#define COUNTED(name, what)                                                                        \
    {                                                                                              \
        name, "1", METRIC_TOTAL, 0, 0, what, NULL                                                  \
    }

const struct metric_table cache_metrics = {
    .metrics =
        (const struct metric[]){
            [CACHE_LOOKUPS] = COUNTED(".lookups", "Reads looked up within the window."),
            [CACHE_HITS] = COUNTED("hits", "Reads answered from a copy within the window."),
            [CACHE_HIT_RATIO] = {"hit_ratio", "1", METRIC_RATIO, CACHE_HITS, CACHE_LOOKUPS,
                                 "Share of the reads looked up that a copy answered.", NULL},
            [CACHE_BYTES] = COUNTED(".bytes", "Bytes of the values looked up."),
            [CACHE_HIT_BYTES] = COUNTED(".hit_bytes", "Bytes of the values found."),
            [CACHE_BYTE_HIT_RATIO] = {"byte_hit_ratio", "1", METRIC_RATIO, CACHE_HIT_BYTES,
                                      CACHE_BYTES,
                                      "The same, by bytes of the values (`sizes` of the client).",
                                      "*sizes"},
            [CACHE_MISSES] = COUNTED("misses", "Reads that no copy answered."),
            [CACHE_MISSES_COLD] =
                COUNTED("misses_cold", "Misses of what was never there, or not since it was "
                                       "emptied."),
            [CACHE_MISSES_CAPACITY] =
                COUNTED("misses_capacity", "Misses of what had to go for want of room."),
            [CACHE_MISSES_EXPIRED] = COUNTED("misses_expired", "Misses of what had expired."),
            [CACHE_MISSES_INVALIDATED] =
                COUNTED("misses_invalidated", "Misses of what a write had deleted."),
            [CACHE_MISSES_EARLY] = {"misses_early", "1", METRIC_TOTAL, 0, 0,
                                    "Reads that fetched a copy anew before it had expired.",
                                    "early_refresh"},
            [CACHE_SHARED_FILLS] = {"shared_fills", "1", METRIC_TOTAL, 0, 0,
                                    "Misses that waited for another read's answer.",
                                    "single_flight"},
            [CACHE_ASKED] =
                COUNTED(".asked", "Reads that asked the store for want of a fresh copy."),
            [CACHE_BROUGHT] = COUNTED(".brought", "Copies that came where none was fresh."),
            [CACHE_STAMPEDE_SIZE] = {"stampede_size", "1", METRIC_RATIO, CACHE_ASKED, CACHE_BROUGHT,
                                     "Reads that asked the store for want of a copy, for each copy "
                                     "that came: 1 where nobody asks for what is on its way.",
                                     NULL},
            [CACHE_PRELOADED] = {"preloaded", "1", METRIC_TOTAL, 0, 0,
                                 "Copies the cache asked for by itself.", "preload"},
            [CACHE_FILLS] = COUNTED(".fills", "Copies put in within the window."),
            [CACHE_ENDED] = COUNTED(".ended", "Copies that went within the window."),
            [CACHE_USEFUL] = COUNTED(".useful", "Those of them that had been read."),
            [CACHE_USEFUL_FILL_RATIO] = {"useful_fill_ratio", "1", METRIC_RATIO, CACHE_USEFUL,
                                         CACHE_ENDED,
                                         "Share of the copies that went which had been read at "
                                         "least once.",
                                         NULL},
            [CACHE_EVICTIONS] = {"evictions", "1", METRIC_TOTAL, 0, 0,
                                 "Copies that had to go for want of room.", "capacity"},
            [CACHE_HANDED_DOWN] = {"handed_down", "1", METRIC_TOTAL, 0, 0,
                                   "Copies sent to the exclusive level behind when they had to go.",
                                   "capacity"},
            [CACHE_STALE_COUNT] = COUNTED(".stale_hits", "Stale hits."),
            [CACHE_STALE_HITS] = {"stale_hits", "1", METRIC_RATIO, CACHE_STALE_COUNT, CACHE_HITS,
                                  "Share of the hits for which something newer had been "
                                  "acknowledged before the read began.",
                                  NULL},
            [CACHE_STALE_FILL_COUNT] = COUNTED(".stale_fills", "Stale fills."),
            [CACHE_STALE_FILLS] = {"stale_fills", "1", METRIC_RATIO, CACHE_STALE_FILL_COUNT,
                                   CACHE_FILLS,
                                   "Share of the copies put in that were older than what the store "
                                   "held at that instant.",
                                   NULL},
            [CACHE_REFRESHES] = {"refreshes", "1", METRIC_TOTAL, 0,
                                 0, "Times the store was asked in the background.",
                                 "stale_while_revalidate pattern=refresh_ahead"},
            [CACHE_EXPIRED_ANSWERS] = {"expired_answers", "1", METRIC_TOTAL, 0, 0,
                                       "Reads answered from a copy that had expired.",
                                       "stale_while_revalidate stale_if_error"},
            [CACHE_NEGATIVE_HITS] = {"negative_hits", "1", METRIC_TOTAL, 0,
                                     0, "Reads answered from the memory that there is nothing.",
                                     "negative_ttl"},
            [CACHE_FLUSHED] = {"flushed", "1", METRIC_TOTAL, 0, 0, "Copies sent on to the store.",
                               "pattern"},
            [CACHE_LOST_DIRTY] =
                COUNTED("lost_dirty_writes",
                        "Acknowledged writes that a crash took before they were "
                        "written on."),
            [CACHE_ITEMS] = {"items", "1", METRIC_LEVEL, 0, 0, "Copies held.", NULL},
            [CACHE_DIRTY] = {"dirty", "1", METRIC_LEVEL, 0, 0, "Copies that wait to be written on.",
                             "pattern"},
        },
    .count = CACHE_METRICS,
};
