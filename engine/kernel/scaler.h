/* Scalers: the number of a node's instances over time.
 *
 * All instances that can ever be exist as agents from the start; those that are not there yet, or
 * not any more, are places that are down and stand outside of the pools.
 *
 *     OFF --order--> STARTING --start_up--> SERVING --fewer wanted--> DRAINING --empty--> OFF
 *                       `--fewer wanted--> OFF          `--more wanted--> SERVING
 *
 * A node with `autoscale` is looked at once each period. Wanted are as many instances as would have
 * had the target: the mean over the last period of busy slots / (slots of one x target), or of
 * requests inside / in_system, rounded up and kept within min and max. More are ordered at once,
 * counted against those that serve or start already; fewer only when the last change lies a
 * cooldown back. Those that drain are taken back first, then the lowest numbers started; those that
 * start are given up first, then the highest numbers drain. A draining instance takes nothing new
 * and is switched off, with all its memory, when nothing is inside and nothing on its way to it. An
 * instance is paid for from its order to the end of its draining. `utilization`, `up` and `live`
 * count instances while they are switched on. */
#ifndef ORRERY_KERNEL_SCALER_H
#define ORRERY_KERNEL_SCALER_H

#include "engine/kernel/simulation.h"

/* `change` instances more (+) or fewer (-) at a node, within those that can be; with the node's
 * start-up time where it has one. For faults and tests. */
void scaler_change(struct simulation *s, uint32_t node, int32_t change);

#endif
