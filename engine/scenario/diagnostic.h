/* What is wrong with a scenario, collected, so that all errors of a file are told at once:
 *
 *     shop.yaml:14:5: error: unknown key `latncy` of a link
 *        14 |     latncy: 5ms
 *           |     ^~~~~~
 *           = did you mean `latency`?
 *
 * Lines and columns count from 1, columns count characters (code points), not bytes. A diagnostic
 * is about the user's input only; our own faults are CHECKs, the machine's are check_machine.
 *
 *     struct diagnostics d = {0};
 *     uint32_t source = diagnostic_source(&d, "shop.yaml", text, size);
 *     diagnostic_error(&d, place, "did you mean `latency`?", "unknown key `%s`", key);
 *     if (diagnostic_print(&d, stderr, colour)) return 2;
 *     diagnostic_free(&d); */
#ifndef ORRERY_SCENARIO_DIAGNOSTIC_H
#define ORRERY_SCENARIO_DIAGNOSTIC_H

#include "engine/kernel/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Errors (and warnings) printed for one source; the rest is told as a number. */
enum { DIAGNOSTIC_SHOWN_MAX = 20 };

/* A stretch of a source on one line. Line 0: the source as a whole, no line is shown. */
struct spot {
    uint32_t source; /* as diagnostic_source returned it */
    uint32_t line;   /* from 1 */
    uint32_t column; /* from 1, in characters */
    uint32_t length; /* in characters; 0 is shown as 1 */
};

struct diagnostic_source;
struct diagnostic_entry;

/* Zero is an empty collection. Everything it holds lives in its own arena. */
struct diagnostics {
    struct arena arena;
    struct diagnostic_source *sources;
    struct diagnostic_entry *entries;
    uint32_t source_count, source_room;
    uint32_t entry_count, entry_room;
    uint32_t error_count; /* errors only: nothing runs while this is not 0 */
};

/* Adds a file that places may name. `name` and `text` are copied; a BOM at the start of the text is
 * no character. Sources are told in the order in which they were added. */
uint32_t diagnostic_source(struct diagnostics *diagnostics, const char *name, const char *text,
                           size_t size);

/* Adds a source that is no file: one line such as `--set nodes.web.count=8`, shown without line and
 * column in front. */
uint32_t diagnostic_option(struct diagnostics *diagnostics, const char *text);

const char *diagnostic_source_name(const struct diagnostics *diagnostics, uint32_t source);

/* The place of the byte at `offset` of a source's text (the BOM counted), `length` bytes long; cut
 * at the end of its line. */
struct spot diagnostic_at(const struct diagnostics *diagnostics, uint32_t source, size_t offset,
                          size_t length);

/* Adds one error or warning. `hint` is printed on a line of its own after `=`; NULL for none. Both
 * texts are copied. An error at exactly the place and with exactly the words of an earlier one is
 * dropped, so that a value read for many instances is told once. */
void diagnostic_error(struct diagnostics *diagnostics, struct spot place, const char *hint,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));
void diagnostic_warning(struct diagnostics *diagnostics, struct spot place, const char *hint,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Adds a second place to the diagnostic that was added last: `note: used here` with its line. */
void diagnostic_note(struct diagnostics *diagnostics, struct spot place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints everything, sorted by source, line and column. Returns the number of errors. `colour`:
 * with terminal escapes. */
uint32_t diagnostic_print(const struct diagnostics *diagnostics, FILE *to, bool colour);

/* The source text from a place on to the end of its line, `size` bytes, not NUL-terminated. */
const char *diagnostic_text(const struct diagnostics *diagnostics, struct spot place, size_t *size);

void diagnostic_free(struct diagnostics *diagnostics);

/* The candidate nearest to `word` by Damerau-Levenshtein distance (an insertion, deletion, change
 * or swap of neighbours costs 1), or NULL when none is near enough: at most a third of the word's
 * length, at least 1 for words of 3 letters and more. The first of equals wins. */
const char *diagnostic_nearest(const char *word, const char *const *candidates, size_t count);

/* "did you mean `latency`?" in the arena of the diagnostics, or NULL when nothing is near. */
const char *diagnostic_suggest(struct diagnostics *diagnostics, const char *word,
                               const char *const *candidates, size_t count);

#endif
