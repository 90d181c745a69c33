/* From bytes to a tree: checks of the bytes, libyaml's events, anchors, merge keys, limits. Used by
 * document.c's neighbours only; the rest of the loader includes document.h. */
#ifndef ORRERY_SCENARIO_READER_H
#define ORRERY_SCENARIO_READER_H

#include "engine/scenario/document.h"

/* The tree of a whole text, which must be a map; NULL after a syntax error (told). */
struct node *reader_tree(struct document *document, uint32_t source, const char *text, size_t size);

/* The one value that stands in flow syntax in `text` from `offset` on; NULL after an error (told).
 */
struct node *reader_value(struct document *document, uint32_t source, const char *text,
                          size_t offset);

/* The indices of a map's pairs by key text; equal keys stand in their order. */
const uint32_t *reader_sorted(struct arena *arena, struct node *const *keys, uint32_t count);

#endif
