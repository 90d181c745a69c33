# Every scenario of scenarios/ does what its first comment promises: it validates without a word,
# runs, sweeps, and its pictures are drawn. A few replications are enough to see that nothing fails;
# an expectation may stay undecided on them, so only an exit status other than 0 is a failure.
. tests/steps/lib

work=$BUILD/test/scenarios
rm -rf "$work"
mkdir -p "$work"

# may_warn STEM: the scenarios that overload something because that is their lesson.
may_warn() {
    [ "$1" = full_queue ] || [ "$1" = parking_lots ] || [ "$1" = late_scaler ] ||
        [ "$1" = shedding ] || [ "$1" = noisy_neighbour ] || [ "$1" = important_first ] ||
        [ "$1" = hidden_overload ] || [ "$1" = cold_restart ]
}

# works WHAT COMMAND...: the command ends with 0.
works() {
    what=$1
    shift
    "$@" >"$work/said" 2>&1
    status=$?
    if [ "$status" -eq 0 ]; then ok "$what"; else bad "$what: $status, $(tail -n 20 "$work/said")"; fi
}

for scenario in scenarios/*.yaml; do
    stem=${scenario##*/}
    stem=${stem%.yaml}
    works "$stem validates" "$BUILD/orrery" validate -q "$scenario"
    if grep -q 'warning:' "$work/said" && ! may_warn "$stem"; then
        bad "$stem: $(cat "$work/said")"
    else
        ok "$stem validates without a warning"
    fi
    if head -n 1 "$scenario" | grep -q "orrery [a-z]* $scenario"; then
        ok "$stem says how it is played"
    else
        bad "$stem: its first line does not say how it is played"
    fi
    if grep -q '^question: ' "$scenario" && grep -q '^expect:' "$scenario"; then
        ok "$stem asks a question and says what to expect"
    else
        bad "$stem has no question or expects nothing"
    fi
    works "$stem runs" "$BUILD/orrery" run -q -j "$JOBS" -r 4 -o "$work/$stem.run" "$scenario"
    works "$stem sweeps" "$BUILD/orrery" sweep -q -j "$JOBS" -r 4 -o "$work/$stem" "$scenario"
    if ! command -v gnuplot >/dev/null; then
        skip "the pictures of $stem: gnuplot is not installed"
        continue
    fi
    for folder in "$work/$stem.run" "$work/$stem"; do
        works "pictures of ${folder##*/}" "$BUILD/orrery" plot -q "$folder"
        if [ -s "$folder/plots/latency.svg" ]; then
            ok "${folder##*/} has a picture of its latency"
        else
            bad "${folder##*/} has no picture of its latency"
        fi
    done
done
close scenarios
