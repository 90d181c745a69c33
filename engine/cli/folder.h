/* A result folder: made, emptied of an earlier run's files, and described by run.json. */
#ifndef ORRERY_CLI_FOLDER_H
#define ORRERY_CLI_FOLDER_H

#include "engine/scenario/scenario.h"

#include <stdbool.h>
#include <stdint.h>

/* What run.json tells beside the scenario. */
struct run_facts {
    uint64_t events, fingerprint, runs, unfinished;
    double wall_s;
    bool complete;
    const char *divergence; /* "" where nothing diverged */
    bool resumed;           /* goes on from what the folder holds */
};

/* Makes DIR, its parents and DIR/parts. False: complained, exit with EXIT_MACHINE. */
bool folder_make(const char *directory);

/* Removes what an earlier run of ours has left: the CSV files, run.json and all parts; nothing
 * else in the folder is touched. */
bool folder_empty(const char *directory);

/* Writes DIR/run.json, whole or not at all. A resumed run takes over the `looks` of the file that
 * is there, the numbers of replications that were judged before: who looks and then plays more
 * stops in sequence by hand, and what was seen on the way is part of the result. */
bool folder_describe(const char *directory, const struct scenario *scenario,
                     const char *scenario_file, const struct run_facts *facts);

#endif
