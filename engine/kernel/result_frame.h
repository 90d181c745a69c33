/* What a result holds beside its cells and courses: the run, its windows, what struck. Private to
 * the taking of results. */
#ifndef ORRERY_KERNEL_RESULT_FRAME_H
#define ORRERY_KERNEL_RESULT_FRAME_H

#include "engine/kernel/result.h"

void result_take_frame(struct result *result, const struct recorder *recorder,
                       const struct result_run *run);

/* A text in the arena; "" for NULL. */
const char *result_copy(struct arena *arena, const char *text);

#endif
