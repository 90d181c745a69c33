#include "engine/scenario/settings.h"

#include <stddef.h>

static const struct field seed_fields[] = {
    {.name = "seed",
     .type = FIELD_COUNT,
     .offset = offsetof(struct seed_settings, seed),
     .otherwise = "1",
     .summary = "Number from which every random draw follows: same scenario and seed, same bytes."},
    {0},
};
const struct field_table settings_seed = {.fields = seed_fields};

static const struct field run_fields[] = {
    {.name = "warmup",
     .type = FIELD_TIME,
     .offset = offsetof(struct run_settings, warmup),
     .present = offsetof(struct run_settings, has_warmup),
     .otherwise = "10% of duration",
     .flags = FIELD_PER_REQUEST | FIELD_AUTO,
     .summary =
         "Cuts measurement only: operations that start before it load the system but are not "
         "observed. `auto`: found by 5 pilot runs of each point (seeds of their own, never "
         "reported): where the mean course of every client's latency and of every node's number "
         "inside has settled (MSER over 200 intervals), at least 20 relaxation times of the "
         "predicted load and 10% of duration; the largest of these for all points. Needs a steady "
         "state."},
    {.name = "duration",
     .type = FIELD_TIME,
     .offset = offsetof(struct run_settings, duration),
     .otherwise = "60s",
     .min = 1,
     .summary = "Simulated time, the warm-up included."},
    {.name = "replications",
     .type = FIELD_COUNT,
     .offset = offsetof(struct run_settings, replications),
     .otherwise = "10",
     .min = 1,
     .max = 1e6,
     .summary = "Independent runs, each on its own seed; intervals come from their spread."},
    {.name = "confidence",
     .type = FIELD_SHARE,
     .offset = offsetof(struct run_settings, confidence),
     .otherwise = "95%",
     .min = 0.5,
     .max = 0.9999,
     .summary = "Of the intervals on which `expect` is judged."},
    {.name = "drain",
     .type = FIELD_TIME,
     .offset = offsetof(struct run_settings, drain),
     .present = offsetof(struct run_settings, has_drain),
     .otherwise = "the larger of duration and 10 x the longest client timeout",
     .flags = FIELD_PER_REQUEST,
     .summary = "Limit of the cool-down, in which operations that were begun are followed to their "
                "end."},
    {.name = "in_flight",
     .type = FIELD_COUNT,
     .offset = offsetof(struct run_settings, in_flight),
     .otherwise = "4M",
     .min = 1,
     .max = 1e9,
     .summary = "Calls alive at once; beyond, the design diverges and the run ends (exit 4)."},
    {0},
};
const struct field_table settings_run = {.fields = run_fields};

static const struct field output_fields[] = {
    {.name = "series",
     .type = FIELD_TIME,
     .offset = offsetof(struct output_settings, series),
     .otherwise = "none",
     .flags = FIELD_NONE,
     .min = 1,
     .summary = "Interval of series.csv; none: no such file."},
    {.name = "history",
     .type = FIELD_BOOL,
     .offset = offsetof(struct output_settings, history),
     .otherwise = "false",
     .summary = "Every operation on a store, begin, end and version, in history.csv: what "
                "`orrery check` reads. Large: 100 B an operation."},
    {.name = "leaders",
     .type = FIELD_BOOL,
     .offset = offsetof(struct output_settings, leaders),
     .otherwise = "false",
     .summary = "Who took itself for the leader when, in leaders.csv."},
    {0},
};
const struct field_table settings_output = {.fields = output_fields};

static const struct field scaling_fields[] = {
    {.name = "target",
     .type = FIELD_SHARE,
     .offset = offsetof(struct node_settings, scaling.target),
     .flags = FIELD_PER_REQUEST,
     .min = 0.001,
     .summary = "Utilization aimed at: as many are wanted as would have had it in the last period, "
                "rounded up."},
    {.name = "in_system",
     .type = FIELD_NUMBER,
     .offset = offsetof(struct node_settings, scaling.in_system),
     .flags = FIELD_PER_REQUEST,
     .min = 0.001,
     .summary = "Instead: requests, waiting or worked on, aimed at for each instance."},
    {.name = "schedule",
     .type = FIELD_SCHEDULE,
     .offset = offsetof(struct node_settings, schedule),
     .flags = FIELD_PER_REQUEST,
     .summary = "Instead: so many from that instant on, as [0s 6, 6min 8]."},
    {.name = "min",
     .type = FIELD_COUNT,
     .offset = offsetof(struct node_settings, least),
     .otherwise = "1",
     .min = 1,
     .summary = "Never fewer."},
    {.name = "max",
     .type = FIELD_COUNT,
     .offset = offsetof(struct node_settings, most),
     .flags = FIELD_PER_REQUEST,
     .min = 1,
     .max = 1e6,
     .summary = "Never more. With a schedule: its largest."},
    {.name = "period",
     .type = FIELD_TIME,
     .offset = offsetof(struct node_settings, scaling.period),
     .otherwise = "30s",
     .min = 1,
     .summary = "From one look to the next; the first comes after one."},
    {.name = "start_up",
     .type = FIELD_TIME,
     .offset = offsetof(struct node_settings, scaling.start_up),
     .otherwise = "0s",
     .summary = "From the order of an instance to its first request."},
    {.name = "cooldown",
     .type = FIELD_TIME,
     .offset = offsetof(struct node_settings, scaling.cooldown),
     .otherwise = "0s",
     .summary = "So long after a change none is taken away."},
    {0},
};

static const struct field node_fields[] = {
    {.name = "count",
     .type = FIELD_COUNT,
     .offset = offsetof(struct node_settings, count),
     .otherwise = "1",
     .min = 1,
     .max = 1e6,
     .summary = "Instances x.1 .. x.N; on a client each has the whole `arrivals` or `users`."},
    {.name = "weight",
     .type = FIELD_NUMBER,
     .offset = offsetof(struct node_settings, weight),
     .otherwise = "1",
     .min = 1e-9,
     .summary = "Share in weighted pools."},
    {.name = "speed",
     .type = FIELD_FACTOR,
     .offset = offsetof(struct node_settings, speed),
     .otherwise = "x1",
     .min = 1e-9,
     .summary = "Divides every service time."},
    {.name = "cost",
     .type = FIELD_MONEY,
     .offset = offsetof(struct node_settings, price),
     .otherwise = "0 USD/h",
     .flags = FIELD_PER_REQUEST,
     .summary = "Of each instance and hour, from its order to the end of its draining."},
    {.name = "autoscale",
     .type = FIELD_RECORD,
     .present = offsetof(struct node_settings, scales),
     .flags = FIELD_NONE,
     .record = &(const struct field_table){.fields = scaling_fields},
     .summary = "The number of instances follows the load, beginning with `count`: those to come "
                "start up first, those to go (the last ones first) finish what they hold and take "
                "nothing new."},
    {0},
};
const struct field_table settings_node = {.fields = node_fields};

static const struct field_word transport_words[] = {
    {"message", "What is lost is lost: the sender sees silence.", NULL},
    {"stream",
     "As over TCP, `loss` becomes delay: what is lost is sent again after 200 ms and a mean round "
     "trip of the latency, then after twice that, and so on up to 120 s, until `give_up`. Nothing "
     "comes twice or out of order. Every message is a stream of its own; a partition or a full "
     "queue loses it all the same.",
     NULL},
    {0},
};

static const struct field link_fields[] = {
    {.name = "latency",
     .type = FIELD_DURATION,
     .offset = offsetof(struct link_settings, config.latency),
     .present = offsetof(struct link_settings, has_latency),
     .otherwise = "0s",
     .summary = "One way, drawn for each message."},
    {.name = "bandwidth",
     .type = FIELD_BANDWIDTH,
     .offset = offsetof(struct link_settings, config.bandwidth),
     .present = offsetof(struct link_settings, has_bandwidth),
     .otherwise = "unlimited",
     .flags = FIELD_UNLIMITED,
     .summary =
         "Messages queue on the link; every ordered pair of instances is a link of its own."},
    {.name = "loss",
     .type = FIELD_SHARE,
     .offset = offsetof(struct link_settings, config.loss),
     .present = offsetof(struct link_settings, has_loss),
     .otherwise = "0%",
     .summary = "Share of messages that vanish; the sender sees silence."},
    {.name = "duplicate",
     .type = FIELD_SHARE,
     .offset = offsetof(struct link_settings, config.duplicate),
     .present = offsetof(struct link_settings, has_duplicate),
     .otherwise = "0%",
     .summary = "Share of messages that come twice, each with a latency of its own."},
    {.name = "reorder",
     .type = FIELD_SHARE,
     .offset = offsetof(struct link_settings, config.reorder),
     .present = offsetof(struct link_settings, has_reorder),
     .otherwise = "0%",
     .summary = "Share of messages that take a second latency on top, so that later ones overtake "
                "them. A latency that varies lets messages overtake in any case."},
    {.name = "queue",
     .type = FIELD_COUNT,
     .offset = offsetof(struct link_settings, config.queue),
     .present = offsetof(struct link_settings, has_queue),
     .otherwise = "unlimited",
     .flags = FIELD_UNLIMITED,
     .summary = "Messages that wait for the bandwidth, beyond the one that is being sent; one that "
                "finds so many is lost."},
    {.name = "give_up",
     .type = FIELD_TIME,
     .offset = offsetof(struct link_settings, config.give_up),
     .present = offsetof(struct link_settings, has_give_up),
     .otherwise = "60s",
     .min = 1,
     .summary = "After so long the sender of a lost message is told (outcome info)."},
    {.name = "transport",
     .type = FIELD_WORD,
     .offset = offsetof(struct link_settings, transport),
     .present = offsetof(struct link_settings, has_transport),
     .otherwise = "message",
     .words = transport_words,
     .summary = "What carries the messages."},
    {0},
};
const struct field_table settings_link = {.fields = link_fields};

const struct settings_key settings_top_keys[] = {
    {"orrery", "1", "required", "Version of the format."},
    {"name", "text", "the file's stem", "What the scenario is called."},
    {"question", "text", "none", "What the scenario is to answer."},
    {"include", "list of files", "none",
     "Files below this one's folder, merged key by key; what is written here wins."},
    {"seed", "count", "1",
     "From it follows every random draw: same scenario and seed, same bytes."},
    {"run", "record", "see below", "How long, how often, how sure."},
    {"vars", "map name -> value", "none", "Values used as $name or in $(...)."},
    {"zones", "map zone -> addresses", "none", "Where nodes or instances stand."},
    {"nodes", "map name -> node", "required", "The boxes of the design."},
    {"links", "map ends -> link", "none",
     "`a -> b`, `a <-> b` or `default`; ends are addresses or "
     "zones."},
    {"faults", "list of faults", "none", "What breaks, when: {at: 60s, for: 20s, crash: web.2}."},
    {"sweep", "map key -> values", "none",
     "Lists, ranges `1..9 step 2`, `1k..1M log 7`, or named "
     "points, each a map of path: value."},
    {"where", "condition or list", "none", "Points that do not meet every condition are left out."},
    {"expect", "list", "none", "`TERM CMP TERM [+- d] [when CONDITION]`, judged on the interval."},
    {"output", "record", "see below", "What is written beside the summary."},
    {0},
};

const struct settings_key settings_node_keys[] = {
    {"kind", "word", "required", "Model of the node."},
    {"zone", "name", "none", "Where it stands; each(a b) deals over the instances."},
    {"operations", "map operation -> keys", "none",
     "Any key of this node, for that operation only."},
    {0},
};

const struct settings_key settings_operation_keys[] = {
    {"share", "% or rest", "required",
     "Its share of the client's operations, bare or as a key: {read: 80%, buy: rest}."},
    {"type", "word", "the name, where it is a type",
     "read write insert update cas delete scan transaction send login logout."},
    {0},
};

const struct settings_key settings_output_keys[] = {
    {"percentiles", "list", "none", "More of them for every duration metric: [p45, p75]."},
    {0},
};
