/* A scenario file as a tree of values, each with its place in the source; still untyped: a scalar
 * is its text, and what the text means is decided by the field that reads it.
 *
 *     struct document d = {.arena = &arena, .diagnostics = &diagnostics};
 *     if (document_read(&d, "shop.yaml")) ... d.root is a tree; errors may still stand in it
 *     struct document point = document_copy(&d, &point_arena);
 *     document_set(&point, "nodes.web.count", value, place);
 *
 * Invariants. Nodes never change once they are built: aliases share them, and document_set makes
 * new nodes along its path, so a copy of a document is the copy of one pointer. The root is a map.
 * A key is a scalar and stands once in its map. Depth is at most 64, values (with aliases spelled
 * out) at most a million. A value that was refused is a NODE_BAD: it has been told, readers skip
 * it. */
#ifndef ORRERY_SCENARIO_DOCUMENT_H
#define ORRERY_SCENARIO_DOCUMENT_H

#include "engine/scenario/diagnostic.h"

enum {
    DOCUMENT_DEPTH_MAX = 64,
    DOCUMENT_VALUES_MAX = 1000000,
    DOCUMENT_SIZE_MAX = 16 * 1024 * 1024, /* bytes of a file */
    DOCUMENT_INCLUDES_MAX = 256,          /* files read for one scenario */
};

enum node_type {
    NODE_BAD, /* an error was told at this place; readers skip it silently */
    NODE_SCALAR,
    NODE_LIST,
    NODE_MAP,
};

struct node {
    enum node_type type;
    bool quoted;       /* scalar: written in quotes or as a block; never a number, word or $name */
    bool literal;      /* scalar: its text stands in the source byte for byte at its place */
    struct spot place; /* where it begins; a scalar's length, 1 for the bracket of a list or map */
    const char *text;  /* scalar: NUL-terminated UTF-8 without NUL inside; else NULL */
    uint32_t count;    /* list: items; map: pairs */
    uint32_t values;   /* values in this tree, itself and keys included */
    uint32_t height;   /* levels of lists and maps in this tree; 0 for a scalar */
    struct node *const *keys;  /* map: `count` scalars, in the order of the file */
    struct node *const *items; /* list and map: `count` values */
    const uint32_t *sorted;    /* map: indices of the pairs by key text, for document_find */
    const struct node *user;   /* the `$name` that put this value here, or NULL */
};

struct document {
    struct arena *arena;
    struct diagnostics *diagnostics;
    struct node *root; /* NULL: nothing could be read */
};

/* Reads a file, "-" for stdin, with everything it includes (`include` itself is taken out of the
 * tree). False when not even a tree could be made (unreadable, a syntax error); the diagnostics
 * tell what is wrong in both cases, and a tree with errors may be read on to find more. */
bool document_read(struct document *document, const char *path);

/* The same for a text in memory; includes are relative to `folder`, refused when it is NULL. */
bool document_read_text(struct document *document, const char *name, const char *text, size_t size,
                        const char *folder);

/* The value of a key of a map; NULL when it is not there or `map` is no map. O(log n). */
struct node *document_find(const struct node *map, const char *key);

/* The index of a key's pair; UINT32_MAX when there is none. O(log n). */
uint32_t document_index(const struct node *map, const char *key);

/* The value at a path such as `nodes.web.count`, `links.a <-> b.latency` or `expect.0`; a single
 * name that is no top-level key is looked up in `vars`. At each step the longest key that matches
 * wins. NULL when there is none. */
struct node *document_at(const struct document *document, const char *path);

/* Puts `value` at a path, replacing what stood there. The last key may be new in its map, the
 * others must exist; otherwise false, with an error at `place` that names the nearest key. */
bool document_set(struct document *document, const char *path, struct node *value,
                  struct spot place);

/* The same for `PATH=VALUE` as written after an option (`--set`), VALUE in YAML flow syntax. Errors
 * name the whole, `--set nodes.web.count=x`. */
bool document_set_text(struct document *document, const char *option, const char *assignment);

/* Another document that holds the same tree; what is set in it lives in `arena`, which must not
 * outlive this document's. */
struct document document_copy(const struct document *document, struct arena *arena);

/* A new scalar, for a value that was computed from what stands at `place`. */
struct node *document_scalar(struct document *document, const char *text, struct spot place);

/* A new list or map over arrays that live in the arena. Keys must differ. */
struct node *document_list(struct document *document, struct node *const *items, uint32_t count,
                           struct spot place);
struct node *document_map(struct document *document, struct node *const *keys,
                          struct node *const *items, uint32_t count, struct spot place);

/* The place of `length` bytes at `offset` of a scalar's text; the whole scalar's place where the
 * text does not stand in the source literally. */
struct spot document_place(const struct document *document, const struct node *scalar,
                           size_t offset, size_t length);

/* An error at a value; when a `$name` put the value there, a note shows where. */
void document_error(const struct document *document, const struct node *node, const char *hint,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The tree as canonical YAML: block style, two spaces, keys in their order, quotes only where
 * needed. Equal trees give equal bytes; reading it gives an equal tree. Lives in the arena. */
const char *document_canonical(const struct document *document, const struct node *tree);

/* Whether two trees hold the same values in the same order, places aside. */
bool document_equal(const struct node *a, const struct node *b);

#endif
