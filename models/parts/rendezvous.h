/* Rendezvous hashing, or highest random weight (Thaler, Ravishankar, IEEE/ACM Trans. Networking
 * 1998): every owner draws a score for the key from both their hashes, and the highest has it. With
 * weights the score is -w / ln u (Schindelhauer, Schomaker, SPAA 2005), by which an owner's share
 * is its part of all weights. Who comes takes its own share, who goes leaves the rest alone. */
#ifndef ORRERY_MODELS_PARTS_RENDEZVOUS_H
#define ORRERY_MODELS_PARTS_RENDEZVOUS_H

#include <stdint.h>

/* Index of the owner of a hash among `count` >= 1; O(count). `weights` NULL: all alike. */
uint32_t rendezvous_find(const uint64_t *ids, const double *weights, uint32_t count, uint64_t hash);

#endif
