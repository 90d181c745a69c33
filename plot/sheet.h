/* What gnuplot reads. A picture NAME has two files beside its script: NAME.csv with numbers only,
 * and NAME.txt with everything that is said or set, one `key<TAB>"text"` a line (style.gp reads
 * it). Names from scenarios enter NAME.txt alone, through one cleaner, and no script ever: they are
 * data to gnuplot, never commands. A file is written beside its name and renamed when whole. */
#ifndef ORRERY_PLOT_SHEET_H
#define ORRERY_PLOT_SHEET_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "plot/folder.h"

/* Characters after which a text is cut, with an ellipsis. */
enum { SHEET_TITLE = 62, SHEET_LINE = 104, SHEET_LABEL = 28, SHEET_TICK = 18, SHEET_ANY = 400 };

struct sheet {
    struct folder *folder;
    FILE *file;
    const char *path, *part; /* the name it will have, and the one it has until then */
    size_t column;           /* fields of the present row that are written */
};

/* Makes `text` fit to stand between quotes in NAME.txt, at most `limit` characters of it: quotes,
 * backslashes, control characters and what is no UTF-8 or no XML would break the line, begin an
 * escape of gnuplot or make an SVG unreadable. With `tick`, also `%`, which begins a number format
 * in a label of an axis. */
const char *sheet_clean(struct arena *arena, const char *text, size_t limit, bool tick);

/* Creates `plots/<name><suffix>` of the folder: 0, or 3 with a message. */
int sheet_open(struct sheet *sheet, struct folder *folder, const char *name, const char *suffix);

/* One line of NAME.txt. The key is ours. */
void sheet_say(struct sheet *sheet, const char *key, size_t limit, const char *text);
void sheet_say_item(struct sheet *sheet, const char *key, size_t item, size_t limit,
                    const char *text); /* the key is `key.item` */
void sheet_say_tick(struct sheet *sheet, const char *key, size_t item, const char *text);
void sheet_set(struct sheet *sheet, const char *key, double value);

/* One row of NAME.csv: numbers, then the end. NaN is written as such. */
void sheet_header(struct sheet *sheet, const char *columns);
void sheet_number(struct sheet *sheet, double value);
void sheet_end_row(struct sheet *sheet);

/* Makes the file whole: 0, or 3 with a message and no file. */
int sheet_close(struct sheet *sheet);

/* Writes a whole file, `plots/<name>`, in the same way. */
int sheet_write(struct folder *folder, const char *name, const char *text);

#endif
