/* Kinds made for the validation, where the language has no word: copies of which the first answer
 * cancels the others, and a fault that stops a node for a while. */
#ifndef ORRERY_TESTS_VALIDATION_KINDS_H
#define ORRERY_TESTS_VALIDATION_KINDS_H

#include "engine/kernel/kind.h"

extern const struct kind redundant_kind; /* `to`, `copies` of a call to distinct ones */
extern const struct kind pause_kind;     /* `whom`, `at`, `for` */

#endif
