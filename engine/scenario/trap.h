/* The traps of YAML, told in plain words: what libyaml says about a text it cannot read, and texts
 * that it reads as something the author did not mean. */
#ifndef ORRERY_SCENARIO_TRAP_H
#define ORRERY_SCENARIO_TRAP_H

#include "engine/scenario/document.h"

/* Tells the bytes that no scenario may hold: no UTF-8, NUL, control characters, tabs outside
 * comments. False when there were any. */
bool trap_bytes(struct diagnostics *diagnostics, uint32_t source, const char *text, size_t size);

/* Tells a syntax error. `problem` and `context` are libyaml's words (either may be NULL), `place`
 * is where it stopped, `begin` where what it was reading began (line 0: unknown). */
void trap_syntax(struct document *document, const char *problem, const char *context,
                 struct spot place, struct spot begin);

/* Warns of a pair that other YAML readers, or people, understand differently. */
void trap_pair(struct document *document, const struct node *key, const struct node *value,
               bool is_top);

/* Tells that a key has no value. True when the key is not what was meant either, as in `{a:1}`. */
bool trap_empty(struct document *document, const struct node *key, bool in_flow);

/* Whether a comma has cut a call in two: the text has more `(` than `)`. */
bool trap_cut(const char *text);

#endif
