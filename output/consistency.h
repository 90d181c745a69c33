/* The consistency judge: a probe that sees every operation's true begin and end and the true order
 * of versions, and counts during the run what a store's clients could have noticed and what became
 * of their data (engine/kernel/consistency.h tells what). One judge for each simulation:
 *
 *     struct consistency *judge = consistency_open(blueprint);      NULL: there is no store
 *     s = simulation_create(.. options.probe = consistency_probe(judge))
 *     consistency_begin(judge, s);
 *     ... the run, simulation_close ...
 *     consistency_end(judge);                                       before the results are taken
 *     consistency_tell(judge, &run);                                what `output` asks for
 *     consistency_free(judge);
 *
 * Cost: a few table looks an operation. Memory: operations in flight, a record for each version
 * that a replica may still serve or that is not final, and what sessions have seen of keys. */
#ifndef ORRERY_OUTPUT_CONSISTENCY_H
#define ORRERY_OUTPUT_CONSISTENCY_H

#include "engine/kernel/probe.h"
#include "engine/kernel/result.h"
#include "engine/kernel/simulation.h"

struct consistency;

struct consistency *consistency_open(const struct blueprint *blueprint);
const struct probe *consistency_probe(const struct consistency *judge);
void consistency_begin(struct consistency *judge, struct simulation *s);
void consistency_end(struct consistency *judge);
/* history and leaders of the run, where they are asked for: the judge's own until it is freed. */
void consistency_tell(const struct consistency *judge, struct result_run *run);
void consistency_free(struct consistency *judge);

#endif
