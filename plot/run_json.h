/* The few top-level keys of run.json that pictures show. Everything else, nested or not, is passed
 * over; this is no JSON parser for other uses. */
#ifndef ORRERY_PLOT_RUN_JSON_H
#define ORRERY_PLOT_RUN_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/kernel/arena.h"

/* The value of a top-level key of the JSON object at `text`: a string without its quotes, its
 * escapes undone and in UTF-8; a number, true, false or null as written. NULL where the key is
 * missing, its value is an object or an array, or the text is no JSON object up to there. */
const char *run_json_value(struct arena *arena, const char *text, const char *key);

#endif
