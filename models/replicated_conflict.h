/* Versions that meet at a replica: which one stays, which have not seen one another, and what a
 * version is stamped with. For modes that let several members accept writes of one key; all of it
 * needs version vectors (replicated_mode.vector).
 *
 * A *value* is what a replica holds of a key: a handle of a version or, under `siblings`, of a set
 * of versions none of which has seen another. Sets stand in the table of versions too, as chains of
 * pairs, the newest version first; like versions they never change. 0 is the value before any
 * write.
 *
 * Every version has seen what its `accept` was given, and all that this had seen: its vector. The
 * order of versions is total: by stamp under `last_write_wins`, else Lamport's (one more than the
 * largest it has seen; of equals the higher node), so that a version is always newer than what it
 * has seen, but for clocks that are wrong. Whoever merges values in whatever order ends with the
 * same one. Sets converge only if what is passed on is whole: a member accepts into its own value
 * first (conflict_take) and sends that. */
#ifndef ORRERY_MODELS_REPLICATED_CONFLICT_H
#define ORRERY_MODELS_REPLICATED_CONFLICT_H

#include "models/replicated.h"

enum replicated_conflict {
    CONFLICT_LAST_WRITE_WINS,
    CONFLICT_SIBLINGS,
    CONFLICT_STICKY, /* all writes of a key go to one member; what meets nevertheless: as below */
    CONFLICT_HIGHEST_NODE,
};
enum conflict_clock { CONFLICT_NODE_CLOCK, CONFLICT_CLIENT_CLOCK };

/* Words of `conflict`, for the field table. */
extern const struct field_word conflict_words[];

/* At the caller, from `route`: an operation is about to be sent. Notes the client's clock where the
 * rule goes by it; a retry keeps the stamp of its first try. */
void conflict_sent(struct group *group, const struct agent *caller, const struct call *call);

/* The write `c` becomes a version that has seen `seen` (0: nothing); the probe is told of it. The
 * stamp is read now, on the replica's wall clock, or was noted by conflict_sent. The version is not
 * held by anybody yet: the caller puts it into a frame or register at once. `seen` has to be held,
 * since this may collect. */
version_handle conflict_accept(struct replica *r, struct call *c, version_handle seen);

/* What remains of two values; either of them where it covers the other. May collect: both have to
 * be held. Nobody is told. */
version_handle conflict_merge(struct replica *r, version_handle a, version_handle b);

/* The replica merges a value into what it holds of that key, and tells the probe what it applies,
 * what it discards for a version that had not seen it, and that two have met neither of which had
 * seen the other. False: it held all of it. */
bool conflict_take(struct replica *r, version_handle value);

/* Whether `value` holds or has seen all of `other`. */
bool conflict_covers(const struct group *group, version_handle value, version_handle other);

/* The version of this write in a value, else the newest one. */
version_handle conflict_find(const struct group *group, version_handle value, uint64_t op_id);

/* Tells the probe that the read `c` is answered with this value, and puts the op_id of its newest
 * version (0: none) into the call. */
void conflict_serve(struct replica *r, struct call *c, version_handle value);

/* The newest version of a value that is not 0, the number of its versions, and all their bytes. */
const struct version *conflict_newest(const struct group *group, version_handle value);
uint32_t conflict_siblings(const struct group *group, version_handle value);
uint32_t conflict_bytes(const struct group *group, version_handle value);

/* The nth (0 ..) version of a value. */
version_handle conflict_nth(const struct group *group, version_handle value, uint32_t n);

/* The run is over: what a member that is up holds survives. For struct replicated_mode. */
void conflict_finish(struct agent *agent);

/* In a collection, after everything else of the mode has been marked: marks what is in sets. */
void conflict_keep(struct group *group);

#endif
