#include "engine/scenario/each.h"
#include "engine/kernel/check.h"
#include "engine/scenario/call.h"

#include <string.h>

/* A cheap look before the text is parsed: most values deal nothing. */
static bool may_deal(const struct node *value)
{
    return value->type == NODE_SCALAR && !value->quoted && strstr(value->text, "each(");
}

/* The outermost each(...) that comes first in a term, or NULL. */
static const struct call *find_each(const struct call *call)
{
    if (call->type == CALL_CALL && !strcmp(call->text, "each"))
        return call;
    for (uint32_t i = 0; call->type != CALL_WORD && i < call->count; i++) {
        const struct call *found = find_each(&call->arguments[i]);
        if (found)
            return found;
    }
    return NULL;
}

static uint32_t common_multiple(uint32_t a, uint32_t b, uint32_t limit)
{
    uint32_t x = a, y = b;
    while (y) {
        uint32_t rest = x % y;
        x = y;
        y = rest;
    }
    CHECK(x); /* both are at least 1 */
    uint64_t product = (uint64_t)(a / x) * b;
    return product < limit ? (uint32_t)product : limit;
}

static uint32_t period_of_call(const struct call *call, uint32_t limit)
{
    uint32_t period = 1;
    if (call->type == CALL_WORD)
        return period;
    if (call->type == CALL_CALL && !strcmp(call->text, "each") && call->count)
        period = common_multiple(period, call->count, limit);
    for (uint32_t i = 0; i < call->count; i++)
        period = common_multiple(period, period_of_call(&call->arguments[i], limit), limit);
    return period;
}

uint32_t each_period(struct document *document, const struct node *tree, uint32_t limit)
{
    uint32_t period = 1;
    if (may_deal(tree)) {
        struct call_problem problem;
        const struct call *call = call_parse(document->arena, tree->text, &problem);
        return call ? period_of_call(call, limit) : 1;
    }
    for (uint32_t i = 0; tree->type != NODE_SCALAR && i < tree->count; i++)
        period = common_multiple(period, each_period(document, tree->items[i], limit), limit);
    return period;
}

static const struct node *deal_scalar(struct document *document, const struct node *value,
                                      uint32_t instance)
{
    struct call_problem problem;
    const struct call *call = call_parse(document->arena, value->text, &problem);
    const struct call *each = call ? find_each(call) : NULL;
    if (!each)
        return value;
    if (!each->count || each->sum) {
        document_error(document, value, "values are separated by spaces: each(a b)",
                       "each(...) needs values to deal");
        return value;
    }
    const struct call *dealt = &each->arguments[instance % each->count];
    struct spot place = document_place(document, value, dealt->offset, dealt->length);
    if (each == call)
        return document_scalar(
            document, arena_text(document->arena, value->text + dealt->offset, dealt->length),
            place);
    char *text = arena_format(document->arena, "%.*s%.*s%s", (int)each->offset, value->text,
                              (int)dealt->length, value->text + dealt->offset,
                              value->text + each->offset + each->length);
    return document_scalar(document, text, value->place);
}

const struct node *each_deal(struct document *document, const struct node *tree, uint32_t instance)
{
    for (uint32_t depth = 0; may_deal(tree); depth++) {
        const struct node *dealt = deal_scalar(document, tree, instance);
        if (dealt == tree || depth == CALL_DEPTH_MAX)
            return dealt;
        tree = dealt;
    }
    if (tree->type != NODE_LIST && tree->type != NODE_MAP)
        return tree;
    struct node **items = NULL;
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct node *dealt = each_deal(document, tree->items[i], instance);
        if (dealt == tree->items[i])
            continue;
        if (!items) {
            items = arena_array(document->arena, tree->count, struct node *);
            memcpy(items, tree->items, tree->count * sizeof(struct node *));
        }
        /* Nodes are read-only by the document's invariant; its arrays merely do not say so. */
        memcpy(&items[i], &dealt, sizeof(struct node *));
    }
    if (!items)
        return tree;
    return tree->type == NODE_LIST
               ? document_list(document, items, tree->count, tree->place)
               : document_map(document, tree->keys, items, tree->count, tree->place);
}

bool each_refuse(struct document *document, const struct node *value, const char *key)
{
    if (!may_deal(value))
        return false;
    document_error(document, value, NULL,
                   "`%s` is one for all instances: each(...) cannot stand here", key);
    return true;
}
