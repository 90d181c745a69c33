/* Batches: requests that stand for several messages at once. Such a request carries REQUEST_BATCH
 * and an op_id of its own, under which its messages are found by whoever works on them one by one
 * (a database) or longer for each (work written `batch(8ms each=0.2ms)`).
 *
 * Owner: the simulation. A batch lives as long as any call carries its op_id; what is left over is
 * found by a look over all calls when the table has filled up, so that memory goes with the batches
 * under way. */
#ifndef ORRERY_KERNEL_BATCH_H
#define ORRERY_KERNEL_BATCH_H

#include "engine/kernel/simulation.h"

/* One message: the part of a request line that is its own. */
struct batch_item {
    uint64_t op_id, key, version;
    uint32_t session, size;
    uint8_t operation, traits;
};

struct batch {
    uint64_t op_id; /* never 0 */
    uint32_t count;
    uint32_t room; /* of `items`: a power of two */
    struct batch_item *items;
};

/* A batch of `count` >= 1 messages, all zero, for the requests with this op_id; the caller fills in
 * its items before the next call. */
struct batch *batch_new(struct simulation *s, uint64_t op_id, uint32_t count);

/* The batch a request stands for; NULL: it is one message, or its batch is gone. */
const struct batch *batch_of(const struct simulation *s, const struct call *c);

/* How many messages a request stands for. */
uint32_t batch_count(const struct simulation *s, const struct call *c);

/* What work that is drawn from `work`, for one message, is longer by for all the others (ns). */
int64_t batch_more_ns(const struct simulation *s, const struct call *c,
                      const struct distribution *work);

#endif
