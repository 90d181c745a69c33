/* Reading files, and what they include. A file is read before those it includes; maps are merged by
 * key, and what stands in the including file wins. */
#include "engine/scenario/document.h"
#include "engine/scenario/reader.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The files that are open one inside the other, for finding circles. */
struct chain {
    const struct chain *outer;
    const char *path;   /* resolved by realpath; NULL for a text or stdin */
    const char *folder; /* resolved; NULL: nothing can be included */
    uint32_t *files;    /* read so far, shared by all */
};

static struct node *merged(struct document *document, struct node *inner, struct node *outer)
{
    if (inner->type != NODE_MAP || outer->type != NODE_MAP)
        return outer;
    uint32_t room = inner->count + outer->count, count = 0;
    struct node **keys = arena_array(document->arena, room, struct node *);
    struct node **items = arena_array(document->arena, room, struct node *);
    for (uint32_t i = 0; i < inner->count; i++) {
        struct node *own = document_find(outer, inner->keys[i]->text);
        keys[count] = inner->keys[i];
        items[count++] = own ? merged(document, inner->items[i], own) : inner->items[i];
    }
    for (uint32_t i = 0; i < outer->count; i++) {
        if (document_find(inner, outer->keys[i]->text))
            continue;
        keys[count] = outer->keys[i];
        items[count++] = outer->items[i];
    }
    return document_map(document, keys, items, count, outer->place);
}

static struct node *without_include(struct document *document, const struct node *root)
{
    uint32_t count = 0;
    struct node **keys = arena_array(document->arena, root->count, struct node *);
    struct node **items = arena_array(document->arena, root->count, struct node *);
    for (uint32_t i = 0; i < root->count; i++) {
        if (!strcmp(root->keys[i]->text, "include"))
            continue;
        keys[count] = root->keys[i];
        items[count++] = root->items[i];
    }
    return document_map(document, keys, items, count, root->place);
}

/* The bytes of a file, or NULL with `error` set. At most one byte more than a scenario may have. */
static char *slurp(struct arena *arena, FILE *from, size_t *size, int *error)
{
    size_t room = 64 * 1024;
    char *bytes = malloc(room);
    *size = 0;
    for (;;) {
        if (!bytes) {
            *error = ENOMEM;
            return NULL;
        }
        *size += fread(bytes + *size, 1, room - *size, from);
        if (*size < room || *size > DOCUMENT_SIZE_MAX)
            break;
        room *= 2;
        char *wider = realloc(bytes, room);
        if (!wider)
            free(bytes);
        bytes = wider;
    }
    *error = ferror(from) ? errno : 0;
    char *copy = *error ? NULL : arena_text(arena, bytes, *size);
    free(bytes);
    return copy;
}

static struct node *read_text(struct document *document, const char *name, const char *text,
                              size_t size, const struct chain *chain);

static bool tell_unreadable(struct document *document, const char *name, const struct spot *user,
                            int error)
{
    struct diagnostics *diagnostics = document->diagnostics;
    struct spot place = {0};
    if (user)
        place = *user;
    else
        place.source = diagnostic_source(diagnostics, name, "", 0);
    diagnostic_error(diagnostics, place, NULL, "cannot be read: %s", strerror(error));
    return false;
}

static bool is_inside(const char *path, const char *folder)
{
    size_t size = strlen(folder);
    if (size == 1)
        return true;
    return !strncmp(path, folder, size) && path[size] == '/';
}

static const char *real_path(struct arena *arena, const char *path)
{
    char *resolved = realpath(path, NULL);
    if (!resolved)
        return NULL;
    const char *copy = arena_text(arena, resolved, strlen(resolved));
    free(resolved);
    return copy;
}

/* Whether the name may be included: relative, never outside its folder, no file that is being read.
 */
static const char *allowed_path(struct document *document, const struct node *name,
                                const struct chain *chain)
{
    if (name->type == NODE_BAD)
        return NULL;
    if (name->type != NODE_SCALAR || !*name->text) {
        document_error(document, name, "for example include: [base.yaml]",
                       "`include` takes names of files");
        return NULL;
    }
    if (!chain->folder) {
        document_error(document, name, NULL, "nothing can be included here");
        return NULL;
    }
    if (name->text[0] == '/') {
        document_error(document, name, "write it relative to this file",
                       "`include` takes no absolute path");
        return NULL;
    }
    const char *joined = arena_format(document->arena, "%s/%s", chain->folder, name->text);
    const char *path = real_path(document->arena, joined);
    if (!path) {
        tell_unreadable(document, name->text, &name->place, errno);
        return NULL;
    }
    if (!is_inside(path, chain->folder)) {
        document_error(document, name, "copy the file next to this one",
                       "`%s` lies outside the folder of the file that includes it", name->text);
        return NULL;
    }
    for (const struct chain *c = chain; c; c = c->outer) {
        if (!c->path || strcmp(c->path, path) != 0)
            continue;
        document_error(document, name, NULL, "`%s` includes itself", name->text);
        return NULL;
    }
    return path;
}

static struct node *read_path(struct document *document, const char *name, const char *path,
                              const struct spot *user, const struct chain *outer);

/* The name under which an included file is told: relative to where the program was started, as the
 * including file's own name is. */
static const char *told_name(struct document *document, uint32_t source, const char *name)
{
    const char *base = diagnostic_source_name(document->diagnostics, source);
    const char *slash = strrchr(base, '/');
    return slash ? arena_format(document->arena, "%.*s/%s", (int)(slash - base), base, name) : name;
}

static struct node *with_includes(struct document *document, struct node *root,
                                  const struct chain *chain)
{
    struct node *include = document_find(root, "include");
    if (!include)
        return root;
    root = without_include(document, root);
    struct node *below = NULL;
    uint32_t count = include->type == NODE_LIST ? include->count : 1;
    for (uint32_t i = 0; i < count; i++) {
        const struct node *name = include->type == NODE_LIST ? include->items[i] : include;
        const char *path = allowed_path(document, name, chain);
        if (!path)
            continue;
        if (++*chain->files >= DOCUMENT_INCLUDES_MAX) {
            document_error(document, name, NULL, "more than %d files for one scenario",
                           DOCUMENT_INCLUDES_MAX);
            break;
        }
        const char *told = told_name(document, name->place.source, name->text);
        struct node *inner = read_path(document, told, path, &name->place, chain);
        if (inner)
            below = below ? merged(document, below, inner) : inner;
    }
    return below ? merged(document, below, root) : root;
}

static struct node *read_text(struct document *document, const char *name, const char *text,
                              size_t size, const struct chain *chain)
{
    struct diagnostics *diagnostics = document->diagnostics;
    if (size > DOCUMENT_SIZE_MAX) {
        uint32_t source = diagnostic_source(diagnostics, name, "", 0);
        diagnostic_error(diagnostics, (struct spot){.source = source}, NULL,
                         "the file is larger than 16 MiB");
        return NULL;
    }
    uint32_t source = diagnostic_source(diagnostics, name, text, size);
    struct node *root = reader_tree(document, source, text, size);
    return root ? with_includes(document, root, chain) : NULL;
}

static struct node *read_path(struct document *document, const char *name, const char *path,
                              const struct spot *user, const struct chain *outer)
{
    uint32_t files = 0;
    struct chain chain = {.outer = outer, .files = outer ? outer->files : &files};
    int error = 0;
    size_t size = 0;
    char *text = NULL;
    if (!strcmp(path, "-") && !user) {
        chain.folder = real_path(document->arena, ".");
        text = slurp(document->arena, stdin, &size, &error);
    } else {
        chain.path = real_path(document->arena, path);
        FILE *from = chain.path ? fopen(chain.path, "rb") : NULL;
        error = errno;
        if (from) {
            const char *slash = strrchr(chain.path, '/');
            chain.folder = slash == chain.path ? "/"
                                               : arena_text(document->arena, chain.path,
                                                            (size_t)(slash - chain.path));
            text = slurp(document->arena, from, &size, &error);
            fclose(from);
        }
    }
    if (!text) {
        tell_unreadable(document, name, user, error);
        return NULL;
    }
    return read_text(document, name, text, size, &chain);
}

/* The whole scenario has a limit too, since many files come together in it. */
static bool finish(struct document *document)
{
    if (document->root && document->root->values > DOCUMENT_VALUES_MAX) {
        document_error(document, document->root, NULL, "more than 1000000 values in one scenario");
        document->root = NULL;
    }
    return document->root != NULL;
}

bool document_read(struct document *document, const char *path)
{
    document->root = read_path(document, !strcmp(path, "-") ? "<stdin>" : path, path, NULL, NULL);
    return finish(document);
}

bool document_read_text(struct document *document, const char *name, const char *text, size_t size,
                        const char *folder)
{
    uint32_t files = 0;
    struct chain chain = {
        .folder = folder ? real_path(document->arena, folder) : NULL,
        .files = &files,
    };
    document->root = read_text(document, name, text, size, &chain);
    return finish(document);
}
