#include "models/parts/store.h"

struct version store_version(const struct agent *agent, const struct call *c,
                             const struct version *present)
{
    enum operation_type type = store_type(agent, c);
    bool modifies = type == OPERATION_UPDATE || type == OPERATION_CAS || c->version;
    uint64_t base = c->version ? c->version : present ? present->op_id : 0;
    return (struct version){
        .op_id = c->op_id,
        .key = c->key,
        .base = modifies ? base : 0,
        .made_ns = simulation_now(agent->simulation),
        .origin = agent->index,
        .session = c->session,
        .size = c->size,
        .operation = c->operation,
        .deletes = type == OPERATION_DELETE,
        .modifies = modifies,
    };
}

enum store_verb store_work(enum operation_type type)
{
    return store_writes(type)       ? STORE_WORK_WRITE
           : type == OPERATION_SCAN ? STORE_WORK_SCAN
                                    : STORE_WORK_READ;
}
