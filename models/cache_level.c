/* Two levels that hold no copy twice: what the first has to let go is sent to the second, and what
 * is found there leaves it. The message is lost or late like any other; then the copy is nowhere.
 */
#include "models/cache_copies.h"

#include "models/parts/caller.h"
#include "models/registry.h"

const struct pool *cache_find_victims(const struct agent *agent)
{
    const struct cache_config *config = agent->configs[0];
    if (!config->to.count)
        return NULL;
    const struct agent *behind = &agent->simulation->agents[config->to.agents[0]];
    if (behind->kind != &cache_kind)
        return NULL;
    const struct cache_config *second = behind->configs[0];
    return second->exclusive ? &config->to : NULL;
}

/* It travels with its value, as what a caller brings under cache_aside does. */
void cache_hand_down(struct agent *agent, uint32_t slot)
{
    struct cache *cache = agent->durable;
    const struct cache_copy copy = cache->table.copies[slot];
    if (copy.absent || copy.expires_ns <= simulation_now(agent->simulation))
        return;
    struct call *own = cache_own_call(agent, cache_read_operation(agent), copy.key, copy.size);
    own->version = copy.version;
    struct call *message =
        call_send(own, agent, pool_route(cache->victims, agent, own), copy.size, 0);
    message->size = copy.size;
    message->verb = CALLER_FILLS;
    message->deadline_ns = 0;
    cache_tell(cache, own, CACHE_HANDED_DOWN);
    call_free(own, agent);
}
