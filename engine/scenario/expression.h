/* Vars: `vars: {detect: 3s}` are values that stand elsewhere as `$detect`, alone (any tree) or as
 * an argument of a call (`timeout($detect)`), and in expressions `$(2 * detect)`.
 *
 * An expression has numbers with units, names of vars, + - * / and parentheses. It is typed: times
 * add to times, a rate times a time is a plain number, a share of anything is that thing. The
 * result is written back as canonical text, rounded to 15 significant digits (a time to the
 * nanosecond). */
#ifndef ORRERY_SCENARIO_EXPRESSION_H
#define ORRERY_SCENARIO_EXPRESSION_H

#include "engine/scenario/document.h"

/* Replaces every `$name` and `$(...)` of the tree, in place of document->root. Untouched stay
 * `name`, `question`, `sweep` (its values are put in place first, point by point) and `x-...`;
 * `vars` itself is replaced by its resolved values. Errors are told and leave a NODE_BAD. Unused
 * vars are warned of when `warn`: ask for that once, not at every point. */
void expression_resolve(struct document *document, bool warn);

#endif
