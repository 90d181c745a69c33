/* Whom a strike hit, as people write it: "web.2", "web" where it hit every instance, "n.1 | n.2
 * n.3" for the sides of a partition, "az1.1 -> db" for one way. Where members are cut one by one (a
 * ring), or every link is hit, what stands in the scenario. */
#ifndef ORRERY_KERNEL_STRIKE_TEXT_H
#define ORRERY_KERNEL_STRIKE_TEXT_H

#include "engine/kernel/strike.h"

/* In `arena`, or the blueprint's own. */
const char *strike_text(struct arena *arena, const struct blueprint *blueprint,
                        const struct strike *strike);

#endif
