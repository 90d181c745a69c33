/* Field tables: the one source of what a user may write for a kind of node. From a table come the
 * parser, the ranges, the defaults, `orrery models` and the JSON Schema.
 *
 * A configuration is a plain struct; a field says where in it a key's value goes and what it may
 * be. Defaults are texts in the user's own syntax and pass through the same parser.
 *
 *     struct service_config { uint64_t slots; struct distribution time; struct pool to; };
 *     static const struct field fields[] = {
 *         {.name = "slots", .type = FIELD_COUNT, .offset = offsetof(struct service_config, slots),
 *          .otherwise = "1", .flags = FIELD_UNLIMITED, .min = 1, .summary = "..."},
 *     };
 *
 * The loader makes one configuration per (instance, operation) where `each(...)`, `operations:` or
 * the short form `time: {view: 2ms}` make them differ, and shares it where they do not. */
#ifndef ORRERY_KERNEL_FIELD_H
#define ORRERY_KERNEL_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNT_UNLIMITED UINT64_MAX      /* a FIELD_COUNT written `unlimited` */
#define COUNT_BYTES (UINT64_C(1) << 63) /* set in a FIELD_COUNT written in bytes (5MB) */
#define TIME_NONE INT64_C(-1)           /* a FIELD_TIME written `none` */
#define TIME_AUTO INT64_C(-2)           /* a FIELD_TIME written `auto` */

/* Agents one of which is called: resolved by the loader; indices of struct agent, the same in every
 * simulation of a point. A name without `count` is a pool of one. */
struct pool {
    const uint32_t *agents;
    uint32_t count;
    uint32_t group; /* 1 + the node of a group (KIND_GROUP), which picks the member; 0: no group */
};

enum field_type {
    FIELD_COUNT,      /* uint64_t: bare, may carry k M G; `unlimited` with FIELD_UNLIMITED */
    FIELD_NUMBER,     /* double: bare */
    FIELD_BOOL,       /* bool: true, false */
    FIELD_TIME,       /* int64_t ns: 5ms; `none` with FIELD_NONE, `auto` with FIELD_AUTO */
    FIELD_SHARE,      /* double 0..1: 25% */
    FIELD_FACTOR,     /* double: x4 */
    FIELD_RATE,       /* double per second: 100/s */
    FIELD_BANDWIDTH,  /* double bytes per second: 10Mbit/s; `unlimited` (0) with FIELD_UNLIMITED */
    FIELD_DURATION,   /* struct distribution of ns: exp(5ms); `none` (DISTRIBUTION_NONE) with
                         FIELD_NONE */
    FIELD_SIZE,       /* struct distribution of bytes: uniform(1KB..9KB) */
    FIELD_KEYS,       /* struct key_chooser: zipf(0.99 1M) */
    FIELD_ARRIVALS,   /* struct arrivals: poisson(200/s), or a list of segments */
    FIELD_WORD,       /* uint8_t: index into `words`; a word may have parameters: policy(x=1) */
    FIELD_WORDS,      /* uint32_t: bit i for word i of `words`; one word or a list of them;
                         none: the default */
    FIELD_POOL,       /* struct pool: a name or a list of names */
    FIELD_RECORD,     /* a map of `record`'s fields; their offsets count from the outer struct. With
                         `words`, one of those may stand instead: uint8_t, the number of words for
                         a map */
    FIELD_MONEY,      /* int64_t 1e-9 USD an hour: 0.17 USD/h */
    FIELD_SCHEDULE,   /* struct field_list of struct scaling_point: [0s 6, 6min 8] */
    FIELD_OPERATION,  /* uint32_t: the index of an operation, which is declared by this */
    FIELD_OPERATIONS, /* struct field_list of uint32_t: operations, one name or a list */
    FIELD_STEPS,      /* struct field_list: a list of records as `steps` describes them */
    FIELD_PARTS,      /* struct field_list of struct pool: the instances of each node that stands in
                         this one, as a map from names to their keys, or (without `record`) of the
                         one that is written as a pool; kind->parts in engine/kernel/kind.h */
};

enum field_flags {
    FIELD_REQUIRED = 1,      /* no default: leaving it out is an error */
    FIELD_UNLIMITED = 2,     /* `unlimited` is a value */
    FIELD_NONE = 4,          /* `none` is a value */
    FIELD_PER_OPERATION = 8, /* the short form {view: 2ms, buy: 9ms} is allowed */
    FIELD_PER_REQUEST = 16, /* its default is told in `summary`, not as a value: 0 or NONE stored */
    FIELD_WHOLE = 32,       /* read once for the node: `operations:` cannot override it */
    FIELD_AUTO = 64,        /* `auto` is a value */
    FIELD_BYTES = 128,      /* COUNT: a number of bytes is a value too */
    FIELD_OUTBOX = 512,     /* POOL: nodes of kinds with KIND_OUTBOX only */
    FIELD_BARE = 256,       /* WORD: a bare quantity is the first word with it as its first
                               parameter: `errors: 50%` means `errors: share(50%)` */
};

struct field_table;

/* A list of steps, as configurations hold it. */
struct field_list {
    const void *items; /* `count` structs of the size that struct field_steps tells */
    uint32_t count;
};

/* One verb of a step, and the keys that may stand beside it, separated by spaces; `*` stands for
 * every key of the included tables, behind it `-name` for all but that one. */
struct field_verb {
    const char *name;
    const char *modifiers;
};

/* What a list of steps holds: names, each short for a record with the verb `shorthand`, and records
 * with exactly one verb. Steps may hold lists of steps. */
struct field_steps {
    const struct field_table *record; /* of all verbs and their modifiers */
    const struct field_verb *verbs;   /* ends with a name of NULL */
    const char *shorthand;
    size_t size;                         /* of a step's struct */
    size_t number;                       /* offset of a uint32_t: 1, 2, .. in order of the text */
    size_t verb;                         /* offset of a uint8_t: index into `verbs` */
    const struct field_table *inherited; /* included by both tables: what the node says in it holds
                                            for steps with the verb `shorthand` too; or NULL */
    size_t inherited_size;               /* of its struct */
    const char *(*check)(const void *step); /* why this step cannot be, or NULL */
};

/* One word of a FIELD_WORD, with its parameters (positional in this order, or by name). */
struct field_word {
    const char *name;
    const char *summary; /* one sentence, for the manual */
    const struct field_table
        *parameters; /* NULL: a bare word; offsets count from the outer struct */
};

struct field {
    const char *name;
    enum field_type type;
    size_t offset;         /* of the value in the configuration struct */
    size_t present;        /* offset of a bool that is set when the user wrote it; 0: none */
    const char *otherwise; /* the default, in the user's syntax; NULL only with REQUIRED, or for
                              a RECORD that may be left out (its `present` bool stays false) */
    uint32_t flags;
    double min, max;                  /* in base units (ns, bytes, plain); max 0: no upper bound */
    const struct field_word *words;   /* FIELD_WORD, FIELD_RECORD: ends with a name of NULL */
    const struct field_table *record; /* FIELD_RECORD, FIELD_PARTS */
    const struct field_steps *steps;  /* FIELD_STEPS */
    const char *unit;                 /* for the manual where the type does not tell; or NULL */
    const char *summary;              /* one sentence: what it means */
};

/* Fields of a struct. `include`: further tables (shared parts such as a station's or a caller's
 * fields), each with the offset at which that part's struct is embedded. */
struct field_include {
    const struct field_table *table;
    size_t offset;
};

struct field_table {
    const struct field *fields;           /* ends with a name of NULL; may be NULL */
    const struct field_include *includes; /* ends with a table of NULL; may be NULL */
};

/* A field found by name: tables may embed other tables. */
struct field_found {
    const struct field *field; /* NULL: no such field */
    size_t offset;             /* of the value in the whole configuration */
    size_t base;               /* of the struct that the field's own offsets count from */
};
struct field_found field_find(const struct field_table *table, const char *name);

/* Whether a configuration uses this key: it is written, or its value is neither none, unlimited,
 * false, 0 nor the first word. Configurations made in C say so by their values alone. */
bool field_used(const struct field_found *found, const void *config);

#endif
