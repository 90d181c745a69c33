/* What `orrery validate` says of a scenario that is not in error. */
#ifndef ORRERY_SCENARIO_VALIDATE_H
#define ORRERY_SCENARIO_VALIDATE_H

#include "engine/scenario/scenario.h"

#include <stdio.h>

/* Prints the first point of the scenario (of a sweep, the others in short): every key with its
 * value or default, mean and percentiles of every distribution, the predicted load of every node.
 * Adds to the diagnostics what is legal but odd: overload, a short warm-up, heavy tails, a normal
 * distribution that is cut at 0. */
void scenario_validate(const struct scenario *scenario, FILE *out);

/* The part of it that tells of faults: whom each means, and its first strikes with this seed. */
void validate_faults(const struct blueprint *blueprint, uint64_t seed, FILE *out);

#endif
