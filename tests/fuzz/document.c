/* Any bytes: reading them as a scenario, resolving its vars and reading the canonical text again
 * ends without a fault, and what was read without an error reads back as itself. */
#include "engine/scenario/document.h"
#include "engine/scenario/call.h"
#include "engine/scenario/expression.h"
#include "engine/scenario/unit.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* Ends as libFuzzer expects it, which then keeps the input; a CHECK would end the process silently.
 */
static void must(bool condition)
{
    if (!condition)
        abort();
}

static void read_scalars(struct arena *arena, const struct node *node)
{
    for (uint32_t i = 0; i < node->count; i++)
        read_scalars(arena, node->items[i]);
    if (node->type != NODE_SCALAR)
        return;
    struct call_problem call_problem;
    struct unit_problem unit_problem;
    struct quantity quantity, back;
    char text[UNIT_TEXT_SIZE];
    call_parse(arena, node->text, &call_problem);
    if (!unit_read(node->text, &quantity, &unit_problem))
        return;
    unit_format(quantity.value, quantity.dimension, text);
    must(unit_parse(text, quantity.dimension, &back, NULL) && back.value == quantity.value);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct arena arena = {0};
    struct diagnostics diagnostics = {0};
    struct document document = {.arena = &arena, .diagnostics = &diagnostics};
    bool read = document_read_text(&document, "fuzz", (const char *)data, size, NULL);
    if (read && !diagnostics.error_count) {
        const char *text = document_canonical(&document, document.root);
        struct document again = document_copy(&document, &arena);
        must(document_read_text(&again, "again", text, strlen(text), NULL));
        must(!diagnostics.error_count && document_equal(document.root, again.root));
        read_scalars(&arena, document.root);
    }
    if (read)
        expression_resolve(&document, true);
    if (read && size < 200) {
        char *assignment = malloc(size + 1);
        must(assignment);
        memcpy(assignment, data, size);
        assignment[size] = '\0';
        document_set_text(&document, "--set", assignment);
        free(assignment);
    }
    char *told = NULL;
    size_t told_size = 0;
    FILE *to = open_memstream(&told, &told_size);
    must(to);
    diagnostic_print(&diagnostics, to, size % 2);
    fclose(to);
    free(told);
    diagnostic_free(&diagnostics);
    arena_free(&arena);
    return 0;
}
