/* `links:` as rules: ends, directions, keys, ties. */
#include "tests/scenario.h"

#define TIER                                                                                       \
    "orrery: 1\nnodes:\n"                                                                          \
    "  app: {kind: service, count: 3, zone: each(east west), to: db}\n"                            \
    "  db: {kind: service, zone: west}\n"                                                          \
    "  users: {kind: client, users: 5, to: app}\n"

/* Agents: app.1 0, app.2 1, app.3 2, db 3, users 4. Zones: east 0, west 1. */
static bool has_rule(const struct loaded *l, enum link_end from, uint32_t from_id, enum link_end to,
                     uint32_t to_id, uint32_t keys)
{
    for (uint32_t i = 0; i < l->blueprint->link_count; i++) {
        const struct link_rule *r = &l->blueprint->links[i];
        if (r->from == from && r->from_id == from_id && r->to == to && r->to_id == to_id)
            return r->keys == keys;
    }
    return false;
}

static void ends_are_nodes_instances_zones_or_anything(void)
{
    struct loaded l = load(TIER "links:\n"
                                "  default: {latency: 1ms}\n"
                                "  users -> app: {loss: 1%}\n"
                                "  app.2 -> db: {bandwidth: 8Mbit/s}\n"
                                "  east -> west: {give_up: 5s, latency: exp(2ms)}\n",
                           false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    CU_ASSERT_EQUAL(l.blueprint->link_count, 4);
    CU_ASSERT_TRUE(has_rule(&l, LINK_ANY, 0, LINK_ANY, 0, LINK_LATENCY));
    CU_ASSERT_TRUE(has_rule(&l, LINK_NODE, 2, LINK_NODE, 0, LINK_LOSS));
    CU_ASSERT_TRUE(has_rule(&l, LINK_INSTANCE, 1, LINK_NODE, 1, LINK_BANDWIDTH));
    CU_ASSERT_TRUE(has_rule(&l, LINK_ZONE, 0, LINK_ZONE, 1, LINK_GIVE_UP | LINK_LATENCY));
    CU_ASSERT_DOUBLE_EQUAL(l.blueprint->links[2].config.bandwidth, 1e6, 0);
    CU_ASSERT_DOUBLE_EQUAL(l.blueprint->links[1].config.loss, 0.01, 0);
    CU_ASSERT_EQUAL(l.blueprint->links[3].config.give_up, 5 * SECOND);
    loaded_free(&l);
}

static void a_double_arrow_is_both_directions(void)
{
    struct loaded l =
        load(TIER "links: {users <-> app: {latency: 3ms}, app <-> app: {loss: 1%}}\n", false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    CU_ASSERT_EQUAL(l.blueprint->link_count, 3);
    CU_ASSERT_TRUE(has_rule(&l, LINK_NODE, 2, LINK_NODE, 0, LINK_LATENCY));
    CU_ASSERT_TRUE(has_rule(&l, LINK_NODE, 0, LINK_NODE, 2, LINK_LATENCY));
    CU_ASSERT_TRUE(has_rule(&l, LINK_NODE, 0, LINK_NODE, 0, LINK_LOSS));
    loaded_free(&l);
}

static void the_more_specific_pair_is_no_tie(void)
{
    static const char *const fine[] = {
        "links: {default: {loss: 1%}, east <-> west: {loss: 2%}, app -> db: {loss: 3%}, "
        "app.1 -> db: {loss: 4%}}\n",
        /* Of one specificity, but of different keys. */
        "links: {app -> west: {loss: 1%}, west -> db: {latency: 1ms}}\n",
        /* Of one specificity and key, but no pair in common. */
        "links: {app.1 -> db: {loss: 1%}, app.2 -> db: {loss: 2%}}\n",
        "links: {app.1 -> west: {loss: 1%}, users -> db: {loss: 2%}}\n",
        "links: {app -> db: {loss: 1%}, db -> app: {loss: 2%}}\n",
    };
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        char text[700];
        snprintf(text, sizeof text, TIER "%s", fine[i]);
        struct loaded l = load(text, false);
        CU_ASSERT_PTR_NOT_NULL(l.scenario);
        if (!l.scenario)
            diagnostic_print(l.diagnostics, stdout, false);
        loaded_free(&l);
    }
}

static void a_tie_is_told_with_both_entries(void)
{
    CU_ASSERT_TRUE(refused(TIER "links: {app -> west: {loss: 1%}, west -> db: {loss: 2%}}\n", false,
                           "`app -> west` and `west -> db` both set `loss`"));
    CU_ASSERT_TRUE(refused(TIER "links: {app <-> db: {loss: 1%}, db -> app: {loss: 2%}}\n", false,
                           "`app <-> db` and `db -> app` both set `loss`"));
    /* Instance to zone against node to node: 3 + 1 and 2 + 2, and app.2 -> db is of both. */
    CU_ASSERT_TRUE(refused(TIER "links: {app.2 -> west: {loss: 1%}, app -> db: {loss: 2%}}\n",
                           false, "both set `loss`"));
}

static void an_end_must_exist(void)
{
    CU_ASSERT_TRUE(refused(TIER "links: {app -> dbb: {loss: 1%}}\n", false, "did you mean `db`"));
    CU_ASSERT_TRUE(refused(TIER "links: {app.4 -> db: {loss: 1%}}\n", false, "has 3 instances"));
    CU_ASSERT_TRUE(refused(TIER "links: {app: {loss: 1%}}\n", false, "`app` is no link"));
    CU_ASSERT_TRUE(refused(TIER "links: {app -> default: {loss: 1%}}\n", false, "two ends"));
    CU_ASSERT_TRUE(refused(TIER "links: {app -> db: {protocol: http2}}\n", false, "unknown key"));
}

SUITE("links", TEST(ends_are_nodes_instances_zones_or_anything),
      TEST(a_double_arrow_is_both_directions), TEST(the_more_specific_pair_is_no_tie),
      TEST(a_tie_is_told_with_both_entries), TEST(an_end_must_exist))
