/* What users write for a client, and what it measures. */
#include "models/client.h"

#include <stddef.h>

const struct field_table client_fields = {
    .fields =
        (const struct field[]){
            {.name = "arrivals",
             .type = FIELD_ARRIVALS,
             .offset = offsetof(struct client_config, arrivals),
             .present = offsetof(struct client_config, has_arrivals),
             .flags = FIELD_PER_REQUEST | FIELD_WHOLE,
             .summary = "Open loop: when operations begin, whatever the answers; either this or "
                        "`users`. Each instance has all of it."},
            {.name = "users",
             .type = FIELD_COUNT,
             .offset = offsetof(struct client_config, users),
             .present = offsetof(struct client_config, has_users),
             .flags = FIELD_PER_REQUEST | FIELD_WHOLE,
             .min = 1,
             .max = CLIENT_USERS_MAX,
             .summary = "Closed loop: so many users, each of whom thinks, asks, waits for the "
                        "answer and thinks again; either this or `arrivals`. Each instance has all "
                        "of them."},
            {.name = "think",
             .type = FIELD_DURATION,
             .offset = offsetof(struct client_config, think),
             .otherwise = "0s",
             .flags = FIELD_WHOLE,
             .summary = "Closed loop: the pause before each operation, also before the first."},
            {.name = "keys",
             .type = FIELD_KEYS,
             .offset = offsetof(struct client_config, keys),
             .otherwise = "uniform(1)",
             .flags = FIELD_PER_OPERATION,
             .summary = "Which key an operation names."},
            {.name = "sizes",
             .type = FIELD_SIZE,
             .offset = offsetof(struct client_config, sizes),
             .otherwise = "0B",
             .flags = FIELD_PER_OPERATION,
             .summary = "Size of the value: goes out with write, insert, update, cas and send, "
                        "comes back with read and scan; every other message is 0 B."},
            {.name = "sessions",
             .type = FIELD_COUNT,
             .offset = offsetof(struct client_config, sessions),
             .present = offsetof(struct client_config, has_sessions),
             .flags = FIELD_PER_REQUEST | FIELD_WHOLE,
             .min = 1,
             .max = CLIENT_SESSIONS_MAX,
             .summary = "Who asks: one of so many sessions, drawn evenly. A session has one "
                        "operation at a time; others wait in it, first come first served, while "
                        "their latency counts. Left out: one session per operation, and in a "
                        "closed loop one per user."},
            {.name = "session_life",
             .type = FIELD_DURATION,
             .offset = offsetof(struct client_config, session_life),
             .otherwise = "none",
             .flags = FIELD_NONE | FIELD_WHOLE,
             .min = 1,
             .summary = "How long a session of `sessions`, or of a user, lasts before a new one "
                        "takes its place, which has another number; none: the whole run."},
            {.name = "share",
             .type = FIELD_SHARE,
             .offset = offsetof(struct client_config, share),
             .otherwise = "100%",
             .max = 1,
             .summary = "Of an operation: its share of all operations."},
            {.name = "to",
             .type = FIELD_POOL,
             .offset = offsetof(struct client_config, to),
             .flags = FIELD_REQUIRED,
             .summary = "Where requests go; of a list or a counted node one is picked at random "
                        "for each try."},
            {0},
        },
    .includes =
        (const struct field_include[]){
            {&caller_fields, offsetof(struct client_config, caller)},
            {0},
        },
};

#define BY_START "; operations by intended start"

const struct metric_table client_metrics = {
    .metrics =
        (const struct metric[]){
            [CLIENT_OPERATIONS] = {".operations", "1", METRIC_TOTAL, 0, 0,
                                   "Operations whose intended start lies in the window."},
            [CLIENT_OFFERED] = {"offered", "/s", METRIC_RATE, 1 + CLIENT_OPERATIONS, 0,
                                "Operations per second of the window, by intended start."},
            [CLIENT_THROUGHPUT] = {"throughput", "/s", METRIC_RATE, 0, 0,
                                   "Operations that were answered ok within the window, per "
                                   "second of it, whenever they began."},
            [CLIENT_GOODPUT] = {"goodput", "/s", METRIC_RATE, 0, 0,
                                "The same, of operations that took no longer than `deadline` or "
                                "else one `timeout`, where one is set."},
            [CLIENT_ATTEMPTS] = {"attempts", "/s", METRIC_RATE, 0, 0,
                                 "Tries sent within the window, per second of it."},
            [CLIENT_LATENCY] = {"latency", "ms", METRIC_DURATION, 0, 0,
                                "From the intended start to the answer, retries and pauses "
                                "included; ok operations only, by intended start. See `errors` "
                                "beside it: what failed is not in it."},
            [CLIENT_LATENCY_FAILED] = {"latency_failed", "ms", METRIC_DURATION, 0, 0,
                                       "From the intended start to giving up; operations that "
                                       "ended with fail or info, by intended start."},
            [CLIENT_OK] = {".ok", "1", METRIC_TOTAL, 1 + CLIENT_LATENCY, 0,
                           "Ok operations" BY_START "."},
            [CLIENT_FAILED] = {".failed", "1", METRIC_TOTAL, 0, 0,
                               "Operations that ended with fail or info or did not end" BY_START
                               "."},
            [CLIENT_ERRORS] = {"errors", "1", METRIC_RATIO, CLIENT_FAILED, CLIENT_OPERATIONS,
                               "Share of operations that were not ok: fail, info or "
                               "unfinished" BY_START "."},
            [CLIENT_AVAILABILITY] = {"availability", "1", METRIC_RATIO, CLIENT_OK,
                                     CLIENT_OPERATIONS,
                                     "Share of operations that were ok" BY_START "."},
            [CLIENT_TRIES] = {".tries", "1", METRIC_TOTAL, 0, 0,
                              "Tries of operations that ended" BY_START "."},
            [CLIENT_TIMEOUT_COUNT] = {".timeouts", "1", METRIC_TOTAL, 0, 0,
                                      "Tries that were not answered in time" BY_START "."},
            [CLIENT_TIMEOUTS] = {"timeouts", "1", METRIC_RATIO, CLIENT_TIMEOUT_COUNT, CLIENT_TRIES,
                                 "Share of tries that were not answered within "
                                 "`timeout`" BY_START "."},
            [CLIENT_RETRY_COUNT] = {".retries", "1", METRIC_TOTAL, 0, 0,
                                    "Tries after the first" BY_START "."},
            [CLIENT_RETRIES] = {"retries", "1", METRIC_RATIO, CLIENT_RETRY_COUNT, CLIENT_OPERATIONS,
                                "Tries after the first, per operation" BY_START "."},
            [CLIENT_REJECTED_COUNT] = {".rejected", "1", METRIC_TOTAL, 0, 0,
                                       "Tries that were refused" BY_START "."},
            [CLIENT_REJECTED] = {"rejected", "1", METRIC_RATIO, CLIENT_REJECTED_COUNT, CLIENT_TRIES,
                                 "Share of tries that were refused for want of room, where they "
                                 "went or further on" BY_START "."},
            [CLIENT_UNFINISHED_COUNT] = {".unfinished", "1", METRIC_TOTAL, 0, 0,
                                         "The same as `unfinished`."},
            [CLIENT_UNFINISHED] = {"unfinished", "1", METRIC_TOTAL, 0, 0,
                                   "Operations that had not ended when the drain was used "
                                   "up" BY_START "."},
            [CLIENT_IN_SYSTEM] = {"in_system", "1", METRIC_LEVEL, 0, 0,
                                  "Operations that have begun and not ended, waiting for their "
                                  "session included."},
        },
    .count = CLIENT_METRICS,
};
