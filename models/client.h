/* The configuration of a client, as the loader and the tests make it; and what it measures. */
#ifndef ORRERY_MODELS_CLIENT_H
#define ORRERY_MODELS_CLIENT_H

#include "engine/kernel/arrivals.h"
#include "engine/kernel/distribution.h"
#include "engine/kernel/keys.h"
#include "models/parts/caller.h"

/* Arrivals, users, think and sessions are read from the first operation's configuration, the others
 * from that of the operation. Exactly one of has_arrivals and has_users. */
struct client_config {
    struct caller_config caller;
    struct arrivals arrivals;
    uint64_t users;
    struct distribution think;        /* ns */
    uint64_t sessions;                /* of no meaning without has_sessions */
    struct distribution session_life; /* ns; the constant 0: the whole run */
    struct key_chooser keys;
    struct distribution sizes; /* bytes */
    double share;              /* of the operations, 0..1 */
    struct pool to;
    bool has_arrivals, has_users, has_sessions;
};

enum { CLIENT_TABLE = 0, CLIENT_USERS_MAX = 1 << 24, CLIENT_SESSIONS_MAX = 1 << 30 };
enum client_metric {
    CLIENT_OPERATIONS, /* hidden */
    CLIENT_OFFERED,
    CLIENT_THROUGHPUT,
    CLIENT_GOODPUT,
    CLIENT_ATTEMPTS,
    CLIENT_LATENCY,
    CLIENT_LATENCY_FAILED,
    CLIENT_OK,     /* hidden */
    CLIENT_FAILED, /* hidden: fail, info and unfinished */
    CLIENT_ERRORS,
    CLIENT_AVAILABILITY,
    CLIENT_TRIES,         /* hidden: attempts, by the operation's intended start */
    CLIENT_TIMEOUT_COUNT, /* hidden */
    CLIENT_TIMEOUTS,
    CLIENT_RETRY_COUNT, /* hidden */
    CLIENT_RETRIES,
    CLIENT_REJECTED_COUNT, /* hidden */
    CLIENT_REJECTED,
    CLIENT_UNFINISHED_COUNT, /* hidden: what the estimators of latency look for */
    CLIENT_UNFINISHED,
    CLIENT_IN_SYSTEM,
    CLIENT_METRICS,
};
extern const struct metric_table client_metrics;
extern const struct field_table client_fields;

#endif
