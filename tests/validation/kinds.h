/* Kinds made for the validation, until the language has steps and faults: a fan-out that joins its
 * answers, and a fault that stops a node for a while. */
#ifndef ORRERY_TESTS_VALIDATION_KINDS_H
#define ORRERY_TESTS_VALIDATION_KINDS_H

#include "engine/kernel/kind.h"

extern const struct kind fork_kind;      /* `to`, `copies` of each, `need` answers (0: all) */
extern const struct kind redundant_kind; /* `to`, `copies` of a call to distinct ones */
extern const struct kind pause_kind;     /* `whom`, `at`, `for` */

#endif
