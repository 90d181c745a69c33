/* Copies in caches: which version each is, since when it is old, and the reads it answers. They are
 * judged like answers of the store that they come from. A copy holds the record of its version;
 * where there is none any more when the copy is made, the version was final and something newer
 * too, so that it is older than all that have one: the length of its staleness is then told from
 * the oldest acknowledgement still known, and is too short. */
#include "output/consistency_tables.h"

void copies_acked(struct judged_key *key, const struct judged_write *acked)
{
    if (!key->first_ack) {
        key->first_ack = acked->ack;
        key->first_ack_ns = acked->ack_ns;
    }
    for (struct judged_write *w = key->first; w; w = w->after)
        if (!w->newer_ack && version_compare(w->order, acked->order) < 0) {
            w->newer_ack = acked->ack;
            w->newer_ack_ns = acked->ack_ns;
        }
}

static struct judged_write *write_of(const struct consistency *j, uint64_t version)
{
    return version ? table_find(&j->writes, version) : NULL;
}

/* Whether some replica holds, or has held, what is newer. */
static bool has_newer(const struct judged_key *key, const struct judged_write *than)
{
    for (const struct judged_write *w = key->first; w; w = w->after)
        if (w->holders && (!than || version_compare(w->order, than->order) > 0))
            return true;
    return false;
}

bool copies_take(void *context, const struct agent *at, uint64_t key, uint64_t version)
{
    struct consistency *j = context;
    struct judged_key *judged = key_of(j, at, key);
    struct judged_write *w = write_of(j, version);
    if (w)
        w->copies++;
    if (w)
        w->held++;
    else if (!version)
        judged->initial_reads++;
    return (version && !w) || has_newer(judged, w);
}

void copies_drop(void *context, const struct agent *at, uint64_t key, uint64_t version)
{
    struct consistency *j = context;
    struct judged_key *judged = key_of(j, at, key);
    struct judged_write *w = write_of(j, version);
    if (w && w->copies) { /* else it had no record when the copy was made */
        w->copies--;
        w->held--;
    } else if (!version) {
        judged->initial_reads--;
    }
    judge_prune(j, judged);
}

/* The oldest acknowledgement known of what is newer than every version without a record. */
static const struct judged_mark *first_newer(const struct judged_key *key)
{
    for (uint32_t i = 0; key->first && i < key->mark_count; i++)
        if (version_compare(key->marks[i].order, key->first->order) >= 0)
            return &key->marks[i];
    return NULL;
}

bool copies_serve(void *context, const struct agent *at, const struct call *c)
{
    struct consistency *j = context;
    struct judged_operation *o = table_find(&j->operations, c->op_id);
    struct judged_key *key = key_of(j, at, c->key);
    struct judged_write *w = write_of(j, c->version);
    uint64_t ack = w ? w->newer_ack : key->first_ack;
    int64_t ack_ns = w ? w->newer_ack_ns : key->first_ack_ns;
    if (!o)
        return false;
    struct judged_answer answer = {
        .key = key, .agent = at->index, .version = c->version, .write = w};
    if (w) {
        answer.order = w->order;
        answer.ack = w->ack;
        answer.invoke = w->invoke;
    } else if (c->version) {
        const struct judged_mark *mark = first_newer(key);
        ack = mark ? mark->ack : 0;
        ack_ns = mark ? mark->ack_ns : 0;
    }
    answer.latest_invoke = marks_latest_invoke(key, o->invoke);
    answer.age_ns = marks_age_ns(key, o);
    answer.staleness_ns = ack && ack < o->invoke ? o->invoke_ns - ack_ns : -1;
    judge_answer(j, o, &answer);
    return answer.staleness_ns >= 0;
}
