/* A recorded history of operations on registers: what clients did and saw, and when. CSV with a
 * header line; columns in any order, others are passed over:
 *
 *     process,op,key,value,invoke_ns,complete_ns,status
 *
 * `op` is read, write, cas (its value is from:to) or append (to a value that grows); `status` is
 * ok, fail (certainly without effect) or info (nobody knows); `complete_ns` is empty where it never
 * ended. `invoke_seq` and `complete_seq`, numbers of events, order the history instead of the times
 * where both columns are there; `session` tells sessions apart, else `process` does. Where there
 * are columns `point` and `replication`, every pair of them is a history of its own. */
#ifndef ORRERY_OUTPUT_HISTORY_H
#define ORRERY_OUTPUT_HISTORY_H

#include "engine/kernel/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HISTORY_NEVER INT64_MAX

enum history_type { HISTORY_READ, HISTORY_WRITE, HISTORY_CAS, HISTORY_APPEND };
enum history_status { HISTORY_OK, HISTORY_FAIL, HISTORY_INFO };

struct history_operation {
    int64_t invoke, complete; /* by number or time; HISTORY_NEVER: it never ended */
    uint32_t line;            /* in the file, from 1 */
    uint32_t key;             /* index into keys */
    uint32_t session;         /* the same for operations of one session of one history */
    uint32_t value, from;     /* numbers of texts; from: of a cas */
    enum history_type type;
    enum history_status status;
};

/* One register. */
struct history_key {
    const char *name;
    const char *run;       /* "point 1, replication 2: " or "" */
    uint32_t first, count; /* its operations: they stand together, in order of begin */
};

struct history {
    struct arena arena;
    struct history_operation *operations;
    uint32_t count;
    struct history_key *keys; /* in order of appearance */
    uint32_t key_count;
    const char **texts; /* by number; 0 is "" */
    uint32_t text_count, text_room;
    uint32_t *text_keys; /* by text: 1 + the key it names; private */
    uint32_t *slots;     /* of the texts by hash; private */
    uint32_t slot_count;
    bool appends;
};

/* Why a file is no history. `line` 0: it cannot be read (errno tells why). */
struct history_problem {
    uint32_t line;
    char message[200];
};

/* Reads a file. NULL: *problem says why. */
struct history *history_read(const char *path, struct history_problem *problem);
struct history *history_parse(char *text, size_t size, struct history_problem *problem);
void history_free(struct history *history);

/* The number of a text, a new one where it is new. */
uint32_t history_text(struct history *history, const char *text, size_t length);

#endif
