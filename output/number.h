/* The one place where numbers become text for files: a point whatever the locale, `NaN` where there
 * is no number, the same bytes on every machine. */
#ifndef ORRERY_OUTPUT_NUMBER_H
#define ORRERY_OUTPUT_NUMBER_H

enum { NUMBER_ROOM = 400 }; /* bytes, enough for every double in every form */

/* Each writes a NUL-terminated text to `text` and returns it. */
const char *number_general(char text[NUMBER_ROOM],
                           double value); /* 9 significant digits, as %.9g */
const char *number_fixed(char text[NUMBER_ROOM], double value, int decimals); /* decimals 0 .. 9 */

/* A value of the CSV files in its unit: milliseconds and seconds have 6 decimals, the rest 9
 * significant digits. */
const char *number_in_unit(char text[NUMBER_ROOM], double value, const char *unit);

/* `count` (1 .. 9) significant digits. */
const char *number_short(char text[NUMBER_ROOM], double value, int count);

/* For people: four significant digits, never an exponent below 1e15, thousands grouped by spaces.
 */
const char *number_for_people(char text[NUMBER_ROOM], double value);

#endif
