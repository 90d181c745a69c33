/* What a fault can be: the tables that parser, manual and schema share. */
#include "engine/scenario/faults.h"

#include <stddef.h>

const struct fault_word fault_words[] = {
    {"crash", FAULT_CRASH, TARGET_PLACES, AMOUNT_NONE, "set", NULL,
     "The process is gone with all it held in memory, until the end, when it starts anew. Calls it "
     "held are lost, and so is what comes meanwhile."},
    {"restart", FAULT_RESTART, TARGET_PLACES, AMOUNT_NONE, "set", NULL,
     "At one instant: what is down comes up, whatever crash keeps it down; what is up crashes and "
     "comes back."},
    {"flush", FAULT_FLUSH, TARGET_PLACES, AMOUNT_NONE, "caches", NULL,
     "At one instant: a cache that is up forgets all its copies, and loses writes that wait in "
     "it."},
    {"pause", FAULT_PAUSE, TARGET_PLACES, AMOUNT_NONE, "set", NULL,
     "No progress, everything kept (SIGSTOP): at the end work goes on, and messages and timers "
     "that came meanwhile are handled late, in their order."},
    {"slow", FAULT_SLOW, TARGET_ANY, AMOUNT_FACTOR, "set or links", "factor",
     "A set: work takes so many times as long, what is under way too; timers do not. Links: so "
     "many times the latency, and the bandwidth divided by it, for messages sent from then on."},
    {"partition", FAULT_PARTITION, TARGET_SIDES, AMOUNT_NONE, "sides", NULL,
     "Messages from one side to another are lost, those under way too; whoever is on no side "
     "reaches all. `a b | c`: sides, two or more. `a -> b`: that direction only. `zone az1`, a "
     "set: it against everybody else. `halves of n`, a choice: the chosen against the rest of "
     "their set."},
    {"loss", FAULT_LOSS, TARGET_LINKS, AMOUNT_SHARE, "links", "%",
     "Share of messages that vanish, on top of the link's own."},
    {"delay", FAULT_DELAY, TARGET_LINKS, AMOUNT_TIME, "links", "time distribution",
     "On top of the latency, drawn for each message."},
    {"duplicate", FAULT_DUPLICATE, TARGET_LINKS, AMOUNT_SHARE, "links", "%",
     "Share of messages that come twice, on top of the link's own."},
    {"reorder", FAULT_REORDER, TARGET_LINKS, AMOUNT_SHARE, "links", "%",
     "Share of messages that take a second latency, on top of the link's own share."},
    {"hold", FAULT_HOLD, TARGET_LINKS, AMOUNT_NONE, "links", NULL,
     "What is sent meanwhile arrives when it ends, in the order of sending; what was under way "
     "arrives as ever. One without an end loses it."},
    {"clock", FAULT_CLOCK, TARGET_PLACES, AMOUNT_CLOCK, "set", "time, ppm or strobe(..)",
     "-500ms: the wall clock jumps, and back at the end. 200ppm: both clocks run fast (negative: "
     "slow) meanwhile, and keep what they gained. strobe(200ms 10ms): the wall clock jumps to and "
     "fro by the first, every second."},
    {"load", FAULT_LOAD, TARGET_CLIENTS, AMOUNT_FACTOR, "clients", "factor",
     "An open loop begins so many times as many operations: poisson, constant and their profiles "
     "at so many times the rate, the time of batches, mmpp and traces runs as much faster. A "
     "closed loop has so many times its users, rounded; those too many leave after their "
     "operation."},
    {"scale", FAULT_SCALE, TARGET_NODE, AMOUNT_CHANGE, "node", "+n or -n",
     "So many instances more, which start up first where `autoscale` says how long, or fewer, "
     "which "
     "drain; the other way round at the end. A scaler that looks later may think otherwise."},
    {0},
};

const struct fault_choice fault_choices[] = {
    {"one", PICK_ONE, 1, false, "One member."},
    {"minority", PICK_MINORITY, 3, false, "(n - 1) / 2 members, rounded down."},
    {"majority", PICK_MAJORITY, 1, false, "All but a minority."},
    {"minority_third", PICK_MINORITY_THIRD, 4, false,
     "(n - 1) / 3 members, rounded down: fewer than a third."},
    {"some", PICK_SOME, 1, false, "Any subset but the empty one, all as likely."},
    {"halves", PICK_HALVES, 2, false, "The first n / 2 members as written, rounded down."},
    {"random_halves", PICK_RANDOM_HALVES, 2, false, "n / 2 members at random."},
    {"uniform_size", PICK_UNIFORM_SIZE, 2, false, "1 to n - 1 members, each number as likely."},
    {"uniform", PICK_UNIFORM, 1, false, "Each member by a coin, perhaps none."},
    {"bridge", PICK_BRIDGE, 3, true,
     "Partitions only: two random halves, and one member that talks to both."},
    {"majorities_ring", PICK_MAJORITIES_RING, 3, true,
     "Partitions only: every member hears a majority, no two the same (exactly so up to 5)."},
    {0},
};

static const struct field_word answer_words[] = {
    {"silence", "Callers learn of it by their timeout, or when the link gives up.", NULL},
    {"reset",
     "Callers are told at once, a message's way later: what was inside is unknown (info), "
     "what is refused has failed.",
     NULL},
    {0},
};

static const struct field fault_fields[] = {
    {.name = "at",
     .type = FIELD_TIME,
     .offset = offsetof(struct fault_settings, at),
     .present = offsetof(struct fault_settings, has_at),
     .otherwise = "0s with mtbf, `every` with every, else required",
     .flags = FIELD_PER_REQUEST,
     .summary = "When it begins."},
    {.name = "for",
     .type = FIELD_TIME,
     .offset = offsetof(struct fault_settings, duration),
     .present = offsetof(struct fault_settings, has_for),
     .otherwise = "to the end of the run",
     .flags = FIELD_PER_REQUEST,
     .min = 1,
     .summary = "How long it lasts."},
    {.name = "every",
     .type = FIELD_TIME,
     .offset = offsetof(struct fault_settings, every),
     .present = offsetof(struct fault_settings, has_every),
     .otherwise = "once",
     .flags = FIELD_PER_REQUEST,
     .min = 1,
     .summary = "Begins again whenever so long has passed; left out while it still lasts."},
    {.name = "mtbf",
     .type = FIELD_DURATION,
     .offset = offsetof(struct fault_settings, mtbf),
     .present = offsetof(struct fault_settings, has_mtbf),
     .otherwise = "not at random",
     .flags = FIELD_PER_REQUEST,
     .summary = "Random: the time to the next failure, from the end of the last repair on. Drawn "
                "for the fault as a whole from a stream of its own name."},
    {.name = "mttr",
     .type = FIELD_DURATION,
     .offset = offsetof(struct fault_settings, mttr),
     .present = offsetof(struct fault_settings, has_mttr),
     .otherwise = "as `for` says",
     .flags = FIELD_PER_REQUEST,
     .summary = "Random: how long it lasts, instead of `for`."},
    {.name = "crash_answer",
     .type = FIELD_WORD,
     .offset = offsetof(struct fault_settings, crash_answer),
     .present = offsetof(struct fault_settings, has_crash_answer),
     .otherwise = "silence",
     .words = answer_words,
     .summary = "What callers of a crashed process get."},
    {0},
};
const struct field_table settings_fault = {.fields = fault_fields};

const struct settings_key settings_fault_keys[] = {
    {"<action>", "whom", "required", "One of the actions below: whom it hits."},
    {"by", "amount", "required by some actions", "How much: see the action."},
    {"name", "word", "f1, f2 .. by place", "For `expect`, reports and plots, and for its draws."},
    {"clients", "side", "both",
     "Partitions: `with ADDRESS`: clients stand on its side; both: they reach all."},
    {0},
};
