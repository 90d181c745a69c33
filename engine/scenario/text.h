/* UTF-8: reading code points, counting characters, and making text safe to print. */
#ifndef ORRERY_SCENARIO_TEXT_H
#define ORRERY_SCENARIO_TEXT_H

#include "engine/kernel/arena.h"

#include <stdbool.h>
#include <stdint.h>

/* The bytes of the code point at `text`, of which `size` > 0 bytes are there: 1 to 4, with the code
 * point in `code`; 0 when they are no UTF-8 (overlong forms and surrogates are none). */
size_t text_decode(const char *text, size_t size, uint32_t *code);

/* Characters in the text; a byte that is no UTF-8 counts as one. */
size_t text_count(const char *text, size_t size);

/* Whether printing the code point could move the cursor, colour the terminal or turn the direction
 * of the text around it: control characters, line separators and bidirectional marks. */
bool text_is_control(uint32_t code);

/* A copy in the arena that is safe to print: control characters are written `?`, a tab as a space,
 * a byte that is no UTF-8 as U+FFFD, so that each still counts as one character. */
char *text_printable(struct arena *arena, const char *text, size_t size);

#endif
