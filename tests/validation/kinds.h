/* Kinds made for the validation, where the language has no word. */
#ifndef ORRERY_TESTS_VALIDATION_KINDS_H
#define ORRERY_TESTS_VALIDATION_KINDS_H

#include "engine/kernel/kind.h"

extern const struct kind redundant_kind; /* `to`, `copies`: the first answer cancels the others */
extern const struct kind wear_kind;      /* `whom`, `every`, `lasts`: breaks it while it works */
extern const struct kind ticking_kind;   /* `every`: answers its oldest request at each tick */
extern const struct kind row_kind;       /* one row with a version */
extern const struct kind update_kind;    /* `to`: reads a row, then compares and sets */
extern const struct kind pair_kind;      /* `to`, `pause`: writes a key, then reads it */

#endif
