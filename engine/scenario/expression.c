#include "engine/scenario/expression.h"

#include "engine/scenario/call.h"
#include "engine/scenario/formula.h"

#include <stdio.h>
#include <string.h>

enum { CHAIN_MAX = 64 };

enum var_state { VAR_UNREAD, VAR_OPEN, VAR_READ };

struct var {
    const struct node *key;
    struct node *value; /* resolved once it is READ */
    enum var_state state;
    bool used;
};

struct resolver {
    struct document *document;
    const struct node *map; /* `vars`; NULL when there are none */
    struct var *vars;
    uint32_t count;
    uint32_t values;           /* put in place of names so far */
    uint32_t depth;            /* of the node that is being resolved */
    uint32_t chain;            /* vars that are being read, one for another */
    const struct node *scalar; /* whose text is being read */
};

static struct node *resolve(struct resolver *resolver, struct node *node);

static struct node *bad_at(struct resolver *resolver, struct spot place)
{
    struct node *node = document_scalar(resolver->document, "", place);
    node->type = NODE_BAD;
    return node;
}

static void tell(struct resolver *resolver, const struct node *scalar, size_t offset, size_t length,
                 const char *hint, const char *message)
{
    diagnostic_error(resolver->document->diagnostics,
                     document_place(resolver->document, scalar, offset, length),
                     hint && *hint ? hint : NULL, "%s", message);
}

/* The var of that name, resolved; NULL after an error. */
static struct var *find_var(struct resolver *resolver, const char *name, size_t offset,
                            size_t length)
{
    struct arena *arena = &resolver->document->diagnostics->arena;
    struct var *var = NULL;
    const struct node *scalar = resolver->scalar;
    uint32_t index = resolver->count ? document_index(resolver->map, name) : UINT32_MAX;
    if (index != UINT32_MAX)
        var = &resolver->vars[index];
    if (!var) {
        const char **names = arena_array(arena, resolver->count, const char *);
        for (uint32_t i = 0; i < resolver->count; i++)
            names[i] = resolver->vars[i].key->text;
        const char *hint =
            diagnostic_suggest(resolver->document->diagnostics, name, names, resolver->count);
        if (!hint)
            hint = arena_format(arena, "define it: vars: {%s: ...}", name);
        tell(resolver, scalar, offset, length, hint,
             arena_format(arena, "no var is named `%s`", name));
        return NULL;
    }
    var->used = true;
    if (var->state == VAR_OPEN) {
        tell(resolver, scalar, offset, length, NULL,
             arena_format(arena, "the var `%s` is defined by itself", name));
        return NULL;
    }
    if (var->state == VAR_UNREAD && resolver->chain == CHAIN_MAX) {
        tell(resolver, scalar, offset, length, NULL, "vars of vars, deeper than 64");
        return NULL;
    }
    if (var->state == VAR_UNREAD) {
        uint32_t depth = resolver->depth;
        resolver->chain++;
        var->state = VAR_OPEN;
        resolver->depth = 0;
        var->value = resolve(resolver, var->value);
        var->state = VAR_READ;
        resolver->chain--;
        resolver->depth = depth;
        resolver->scalar = scalar;
    }
    return var->value->type == NODE_BAD ? NULL : var;
}

static bool number_of(void *context, const char *name, size_t offset, size_t length,
                      struct quantity *value)
{
    struct resolver *resolver = context;
    struct arena *arena = &resolver->document->diagnostics->arena;
    const struct node *scalar = resolver->scalar;
    struct var *var = find_var(resolver, name, offset, length);
    if (!var)
        return false;
    struct unit_problem problem = {0};
    const struct node *node = var->value;
    if (node->type == NODE_SCALAR && !node->quoted && unit_read(node->text, value, &problem))
        return true;
    tell(resolver, scalar, offset, length, NULL,
         arena_format(arena, "the var `%s` is no number", name));
    diagnostic_note(resolver->document->diagnostics, node->place, "its value");
    return false;
}

/* Text that is put together from pieces. */
struct built {
    char *text;
    size_t size, room;
};

static void append(struct arena *arena, struct built *built, const char *text, size_t size)
{
    if (built->size + size + 1 > built->room) {
        size_t room = (built->size + size + 1) * 2;
        char *wider = arena_take(arena, room);
        if (built->size)
            memcpy(wider, built->text, built->size);
        built->text = wider;
        built->room = room;
    }
    memcpy(built->text + built->size, text, size);
    built->size += size;
    built->text[built->size] = '\0';
}

/* A name may stand where an argument begins, and must end where it ends. */
static bool is_argument(const char *text, size_t from, size_t to)
{
    bool begins = from == 0 || strchr(" (=", text[from - 1]) ||
                  (from >= 2 && text[from - 1] == '.' && text[from - 2] == '.');
    bool ends = !text[to] || strchr(" )", text[to]) || (text[to] == '.' && text[to + 1] == '.');
    return begins && ends;
}

/* Appends the value of the var `name` as one argument. */
static bool append_var(struct resolver *resolver, struct built *built, const char *name,
                       size_t offset, size_t length)
{
    const struct node *scalar = resolver->scalar;
    struct arena *arena = &resolver->document->diagnostics->arena;
    struct var *var = find_var(resolver, name, offset, length);
    if (!var)
        return false;
    struct call_problem problem;
    const struct node *value = var->value;
    const struct call *term = value->type == NODE_SCALAR && !value->quoted
                                  ? call_parse(resolver->document->arena, value->text, &problem)
                                  : NULL;
    if (!term || term->type == CALL_GROUP) {
        tell(resolver, scalar, offset, length, "inside a value only a single word or number can",
             arena_format(arena, "the value of `%s` cannot stand here", name));
        diagnostic_note(resolver->document->diagnostics, value->place, "its value");
        return false;
    }
    append(resolver->document->arena, built, value->text, strlen(value->text));
    return true;
}

static bool append_formula(struct resolver *resolver, struct built *built, size_t offset,
                           size_t *end)
{
    const struct node *scalar = resolver->scalar;
    struct formula_names names = {.value = number_of, .context = resolver};
    struct formula_problem problem;
    char result[UNIT_TEXT_SIZE];
    if (formula_evaluate(scalar->text, offset + 2, &names, result, end, &problem)) {
        append(resolver->document->arena, built, result, strlen(result));
        return true;
    }
    if (problem.text.message[0])
        tell(resolver, scalar, problem.offset, problem.length, problem.text.hint,
             problem.text.message);
    return false;
}

/* Replaces one `$name` or `$(...)` at `from`; the rest goes on at `to`. */
static bool append_value(struct resolver *resolver, struct built *built, size_t from, size_t *to)
{
    const char *text = resolver->scalar->text;
    if (text[from + 1] == '(') {
        if (!append_formula(resolver, built, from, to))
            return false;
    } else {
        const char *name = text + from + 1;
        size_t size = (size_t)(formula_name_end(name) - name);
        *to = from + 1 + size;
        if (size && is_argument(text, from, *to))
            return append_var(resolver, built, arena_text(resolver->document->arena, name, size),
                              from, size + 1);
        tell(resolver, resolver->scalar, from, size + 1,
             "`$name` stands for a whole value or argument; quote a text that holds `$`",
             "a `$` that is no name of a var");
        return false;
    }
    if (is_argument(text, from, *to))
        return true;
    tell(resolver, resolver->scalar, from, *to - from, "separate it with spaces",
         "a formula stands for a whole value or argument");
    return false;
}

static struct node *resolve_text(struct resolver *resolver, const struct node *scalar)
{
    struct built built = {0};
    const char *text = scalar->text;
    resolver->scalar = scalar;
    for (size_t at = 0; text[at];) {
        size_t plain = strcspn(text + at, "$");
        append(resolver->document->arena, &built, text + at, plain);
        at += plain;
        if (text[at] && !append_value(resolver, &built, at, &at))
            return bad_at(resolver, scalar->place);
    }
    return document_scalar(resolver->document, built.text ? built.text : "", scalar->place);
}

/* The node for a scalar that is `$name` and nothing else: the var's value, whatever it is. */
static struct node *resolve_name(struct resolver *resolver, const struct node *scalar)
{
    size_t length = strlen(scalar->text);
    struct diagnostics *diagnostics = resolver->document->diagnostics;
    resolver->scalar = scalar;
    struct var *var = find_var(resolver, scalar->text + 1, 0, length);
    if (!var)
        return bad_at(resolver, scalar->place);
    resolver->values += var->value->values;
    if (resolver->values > DOCUMENT_VALUES_MAX) {
        diagnostic_error(diagnostics, scalar->place, NULL,
                         "the vars put more than 1000000 values in place");
        return bad_at(resolver, scalar->place);
    }
    if (resolver->depth + var->value->height > DOCUMENT_DEPTH_MAX) {
        diagnostic_error(diagnostics, scalar->place, NULL,
                         "lists and maps are nested deeper than 64");
        return bad_at(resolver, scalar->place);
    }
    struct node *copy = arena_new(resolver->document->arena, struct node);
    *copy = *var->value;
    copy->user = scalar;
    return copy;
}

static void check_key(struct resolver *resolver, const struct node *key)
{
    const char *dollar = key->quoted ? NULL : strchr(key->text, '$');
    if (dollar)
        tell(resolver, key, (size_t)(dollar - key->text), 1, "only values can be vars",
             "a `$` in a key");
}

static struct node *resolve(struct resolver *resolver, struct node *node)
{
    if (node->type == NODE_SCALAR) {
        if (node->quoted || !strchr(node->text, '$'))
            return node;
        const char *end = formula_name_end(node->text + 1);
        if (node->text[0] == '$' && end > node->text + 1 && !*end)
            return resolve_name(resolver, node);
        return resolve_text(resolver, node);
    }
    struct node **items = NULL;
    resolver->depth++;
    for (uint32_t i = 0; i < node->count; i++) {
        if (node->type == NODE_MAP)
            check_key(resolver, node->keys[i]);
        struct node *item = resolve(resolver, node->items[i]);
        if (item == node->items[i])
            continue;
        if (!items) {
            items = arena_array(resolver->document->arena, node->count, struct node *);
            memcpy(items, node->items, node->count * sizeof *items);
        }
        items[i] = item;
    }
    resolver->depth--;
    if (!items)
        return node;
    struct node *copy = document_list(resolver->document, items, node->count, node->place);
    copy->type = node->type;
    copy->keys = node->keys;
    copy->sorted = node->sorted;
    copy->user = node->user;
    copy->values += node->type == NODE_MAP ? node->count : 0;
    return copy;
}

/* Notes the vars that values not resolved here will need: those of a sweep. */
static void note_uses(struct resolver *resolver, const struct node *node)
{
    for (uint32_t i = 0; i < node->count; i++)
        note_uses(resolver, node->items[i]);
    if (node->type != NODE_SCALAR || !strchr(node->text, '$'))
        return;
    for (const char *at = node->text; *at;) {
        const char *end = formula_name_end(at);
        char name[64];
        if (end > at && (size_t)(end - at) < sizeof name) {
            snprintf(name, sizeof name, "%.*s", (int)(end - at), at);
            uint32_t index = document_index(resolver->map, name);
            if (index != UINT32_MAX)
                resolver->vars[index].used = true;
        }
        at = end > at ? end : at + 1;
    }
}

static void warn_of_unused(const struct resolver *resolver)
{
    for (uint32_t i = 0; i < resolver->count; i++) {
        if (!resolver->vars[i].used)
            diagnostic_warning(resolver->document->diagnostics, resolver->vars[i].key->place, NULL,
                               "no value uses the var `%s`", resolver->vars[i].key->text);
    }
}

static void read_vars(struct resolver *resolver, const struct node *vars)
{
    if (!vars || vars->type == NODE_BAD)
        return;
    if (vars->type != NODE_MAP) {
        diagnostic_error(resolver->document->diagnostics, vars->place,
                         "for example vars: {detect: 3s}", "`vars` is a map of names to values");
        return;
    }
    resolver->vars = arena_array(resolver->document->arena, vars->count, struct var);
    resolver->map = vars;
    resolver->count = vars->count;
    for (uint32_t i = 0; i < vars->count; i++) {
        const struct node *key = vars->keys[i];
        resolver->vars[i] = (struct var){.key = key, .value = vars->items[i]};
        if (*formula_name_end(key->text))
            diagnostic_error(resolver->document->diagnostics, key->place,
                             "letters, digits and `_`, the first no digit",
                             "`%s` cannot be the name of a var", key->text);
    }
}

static bool is_untouched(const char *key)
{
    return !strcmp(key, "name") || !strcmp(key, "question") || !strcmp(key, "sweep") ||
           !strncmp(key, "x-", 2);
}

/* `vars` with every value resolved. */
static struct node *resolved_vars(struct resolver *resolver, const struct node *vars)
{
    struct node **items = arena_array(resolver->document->arena, vars->count, struct node *);
    for (uint32_t i = 0; i < vars->count; i++) {
        struct var *var = &resolver->vars[i];
        if (var->state == VAR_UNREAD) {
            var->state = VAR_OPEN;
            resolver->depth = 1;
            var->value = resolve(resolver, var->value);
            var->state = VAR_READ;
        }
        items[i] = var->value;
    }
    return document_map(resolver->document, vars->keys, items, vars->count, vars->place);
}

void expression_resolve(struct document *document, bool warn)
{
    struct resolver resolver = {.document = document};
    struct node *root = document->root;
    if (!root || root->type != NODE_MAP)
        return;
    read_vars(&resolver, document_find(root, "vars"));
    struct node **items = arena_array(document->arena, root->count, struct node *);
    for (uint32_t i = 0; i < root->count; i++) {
        const char *key = root->keys[i]->text;
        items[i] = root->items[i];
        resolver.depth = 1;
        if (!strcmp(key, "vars") && items[i]->type == NODE_MAP)
            items[i] = resolved_vars(&resolver, items[i]);
        else if (!is_untouched(key))
            items[i] = resolve(&resolver, items[i]);
        else if (!strcmp(key, "sweep"))
            note_uses(&resolver, items[i]);
    }
    if (warn)
        warn_of_unused(&resolver);
    document->root = document_map(document, root->keys, items, root->count, root->place);
}
