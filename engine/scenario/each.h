/* `each(a b c)` deals values over the instances of a node in turn: instance 1 gets a, 2 gets b, 4
 * gets a again. It stands for a whole value or for an argument: zipf(0.7 1M offset=each(0 1M)). */
#ifndef ORRERY_SCENARIO_EACH_H
#define ORRERY_SCENARIO_EACH_H

#include "engine/scenario/document.h"

/* After how many instances the values of a tree repeat: the least common multiple of the lengths
 * of its each(...), at most `limit`. 1 where there is none. */
uint32_t each_period(struct document *document, const struct node *tree, uint32_t limit);

/* The tree as the instance (from 0) sees it; the tree itself where nothing is dealt. */
const struct node *each_deal(struct document *document, const struct node *tree, uint32_t instance);

/* True, with an error, when each(...) stands in a value that is one for all instances. */
bool each_refuse(struct document *document, const struct node *value, const char *key);

#endif
