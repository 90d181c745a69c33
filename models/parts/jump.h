/* Jump consistent hash (Lamping, Veach, arXiv:1406.2294, 2014): no memory, perfectly even; owners
 * are numbers, so only the last one can come or go without disturbing the others. */
#ifndef ORRERY_MODELS_PARTS_JUMP_H
#define ORRERY_MODELS_PARTS_JUMP_H

#include <stdint.h>

/* The bucket, below `buckets` >= 1, of a hash. O(log buckets). */
uint32_t jump_find(uint64_t hash, uint32_t buckets);

#endif
