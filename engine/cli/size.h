/* How much a sweep will write, before it is played. */
#ifndef ORRERY_CLI_SIZE_H
#define ORRERY_CLI_SIZE_H

#include "engine/scenario/scenario.h"

struct size {
    double parts, csv; /* bytes */
};

/* From the number of cells and rows, which the kinds' tables tell, and from the predicted number of
 * observations, which fill the histograms. Mostly within a factor of two; larger than what is
 * written where times are constant or operations do not reach every node. O(points). */
struct size size_predict(const struct scenario *scenario);

#endif
