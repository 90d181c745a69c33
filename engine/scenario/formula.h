/* The arithmetic inside `$( ... )`: numbers with units, names of vars, + - * / and parentheses.
 *
 * Every value has a dimension. Sums want equal ones. Products and quotients follow physics: rate x
 * time is a plain number, bytes / time a bandwidth. Shares, factors and plain numbers scale
 * whatever they meet; among themselves, a share times a share is a share and a quotient of two
 * alike is plain.
 *
 * A number takes its unit where that stands at once behind it: `200/s` is a rate, also where there
 * is a var `s`; write `200 / s` for the quotient. */
#ifndef ORRERY_SCENARIO_FORMULA_H
#define ORRERY_SCENARIO_FORMULA_H

#include "engine/scenario/unit.h"

/* Where names get their values. `value` reads the var of that name, or tells the error itself and
 * returns false. */
struct formula_names {
    bool (*value)(void *context, const char *name, size_t offset, size_t length,
                  struct quantity *value);
    void *context;
};

struct formula_problem {
    struct unit_problem text; /* message is "" when `names` has told the error */
    size_t offset, length;    /* of the offending part */
};

/* Evaluates `text` from `offset`, which is behind the opening parenthesis, up to the closing one
 * that belongs to it; `end` is behind that. The result is rounded to 15 significant digits, a time
 * to the nanosecond, and written as canonical text. Offsets count from the beginning of `text`. */
bool formula_evaluate(const char *text, size_t offset, const struct formula_names *names,
                      char result[UNIT_TEXT_SIZE], size_t *end, struct formula_problem *problem);

/* The end of a name at `text`: letters, digits and `_`, not beginning with a digit; `text` itself
 * when there is none. */
const char *formula_name_end(const char *text);

#endif
