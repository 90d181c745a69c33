/* What the readers of distributions, keys and arrivals share: the arguments of a call. Inside
 * sampler*.c only. */
#ifndef ORRERY_SCENARIO_SAMPLER_CALL_H
#define ORRERY_SCENARIO_SAMPLER_CALL_H

#include "engine/scenario/call.h"
#include "engine/scenario/sampler.h"

/* One value that is being read: errors point at parts of it. */
struct sampler_reader {
    const struct sampler *sampler;
    const struct node *value;
    enum unit_dimension dimension; /* of a distribution's values */
};

/* A parameter of a call: by position in this order, or by name. */
struct sampler_parameter {
    const char *name;
    enum unit_dimension dimension;
    bool optional;
};

enum { SAMPLER_PARAMETERS_MAX = 6 };

/* Always false, so that readers end with `return sampler_fail(...)`. */
bool sampler_fail(const struct sampler_reader *reader, const struct call *at, const char *hint,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The text of a value as a tree; NULL after an error. */
const struct call *sampler_parse(const struct sampler_reader *reader);

/* Reads the arguments of a call: values[i] in base units, or NAN where an optional one is left
 * out. Arguments that are no WORD are errors. */
bool sampler_arguments(const struct sampler_reader *reader, const struct call *call,
                       const struct sampler_parameter *parameters, size_t count, double *values);

/* A quantity of this dimension. */
bool sampler_quantity(const struct sampler_reader *reader, const struct call *word,
                      enum unit_dimension dimension, double *value);

/* A distribution at any depth of a value. */
bool sampler_read(const struct sampler_reader *reader, const struct call *call,
                  struct distribution *out);

/* The argument with this name, or NULL. */
const struct call *sampler_named(const struct call *call, const char *name);

/* The name is none of the family's: told with the nearest. */
bool sampler_unknown(const struct sampler_reader *reader, const struct call *call,
                     enum sampler_family family);

/* The numbers of a column of a CSV file named by `call`: file.csv column=latency. `factor`
 * multiplies each. At least one value; NULL after an error. */
const double *sampler_column(const struct sampler_reader *reader, const struct call *call,
                             double factor, size_t *count);

/* The keys of a column, likewise: whole numbers as they are, any other text by its hash. */
const uint64_t *sampler_key_column(const struct sampler_reader *reader, const struct call *call,
                                   size_t *count);

#endif
