/* Values that draw: distributions, key choosers, arrival processes, from their texts. One table of
 * words serves the parser, the manual and the schema. */
#ifndef ORRERY_SCENARIO_SAMPLER_H
#define ORRERY_SCENARIO_SAMPLER_H

#include "engine/kernel/arrivals.h"
#include "engine/kernel/distribution.h"
#include "engine/kernel/keys.h"
#include "engine/scenario/document.h"
#include "engine/scenario/unit.h"

#include <stdbool.h>

enum sampler_family { SAMPLER_DISTRIBUTION, SAMPLER_KEYS, SAMPLER_ARRIVALS };

struct sampler_word {
    const char *name;      /* "lognormal" */
    const char *signature; /* "lognormal(p50=4ms p99=20ms)"; without parentheses: a bare word */
    const char *summary;   /* one sentence */
};

/* Ends with a name of NULL. */
const struct sampler_word *sampler_words(enum sampler_family family);

/* A table of zipf that several points share. */
struct sampler_zipf {
    double s;
    uint64_t n;
    struct key_chooser chooser; /* without offset and shuffle */
};

/* A file that a value names: empirical(file.csv column=latency unit=ms). */
struct sampler_file {
    const char *name;
    const char *text;
    size_t size;
    bool unreadable; /* told */
};

enum { SAMPLER_FILES_MAX = 64, SAMPLER_ZIPF_MAX = 64 };

/* What is made once for the whole scenario. Every point is bound while loading, which fills this;
 * afterwards it is frozen, so that threads may read it. */
struct sampler_shared {
    struct arena *arena;
    const char *folder; /* files are named relative to it and never lead outside; NULL: no files */
    bool frozen;
    uint32_t file_count, zipf_count;
    struct sampler_file files[SAMPLER_FILES_MAX];
    struct sampler_zipf zipf[SAMPLER_ZIPF_MAX];
};

struct sampler {
    struct document *document;
    struct arena *arena;           /* receives tables and segments */
    struct sampler_shared *shared; /* NULL: no files, no tables kept */
    const char *field;             /* for messages */
};

/* Each reads a value of the document; false after an error (told), `out` is untouched then.
 * `dimension`: UNIT_TIME (in ns) or UNIT_BYTES. */
bool sampler_distribution(const struct sampler *sampler, const struct node *value,
                          enum unit_dimension dimension, struct distribution *out);
bool sampler_keys(const struct sampler *sampler, const struct node *value, struct key_chooser *out);
bool sampler_arrivals(const struct sampler *sampler, const struct node *value,
                      struct arrivals *out);

#endif
