/* Part files: one lossless file per (point, replication) below DIR/parts, from which every CSV is
 * derived. That one format gives independence from the number of workers, resuming, merging, and
 * survival of kills and full disks: a part is written beside its name and renamed when it is whole.
 *
 * Layout: "ORRYPART", version (u32), length of the rest (u64), hash of the rest (u64), all little
 * endian, then the rest: integers in groups of seven bits (sign folded into the lowest bit where a
 * value may be negative), doubles as their 64 bits, texts with their length before them. */
#ifndef ORRERY_OUTPUT_PART_H
#define ORRERY_OUTPUT_PART_H

#include "engine/kernel/result.h"
#include "output/output.h"

#include <stdbool.h>

struct part;

enum part_status { PART_READ, PART_MISSING, PART_DAMAGED, PART_FOREIGN };

/* Reads a part and checks all of it. NULL unless *status is PART_READ: missing; truncated or
 * changed (damaged); of another scenario, point, replication, seed or version (foreign). */
struct part *part_read(const char *dir, const struct part_identity *identity,
                       enum part_status *status);
void part_free(struct part *part);

/* What it holds, but for the histograms of the cells: those stay packed until they are asked for.
 */
const struct result *part_result(const struct part *part);
struct sparse part_histogram(const struct part *part, uint32_t cell, struct arena *arena);

#endif
