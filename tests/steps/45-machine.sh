# Bad usage and faults of the machine: exit codes as README says, nothing half-written, and whatever
# was finished before a kill or a full disk serves the run that goes on with --resume.
. tests/steps/lib
. tests/steps/bytes
out=build/machine
rm -rf $out
mkdir -p $out
if ! can_run release; then
    skip "all of it: the program does not play scenarios yet"
    close machine
fi
orrery=$PWD/$ORRERY
sweep=tests/machine/sweep.yaml

# ends WHAT STATUS COMMAND...: the exit status, and a message on stderr whenever that is not 0.
ends() {
    what=$1
    want=$2
    shift 2
    "$@" >$out/said 2>$out/complaint </dev/null
    status=$?
    if [ $status -ne "$want" ]; then
        bad "$what: exit $status instead of $want: $(tail -n 3 $out/complaint)"
    elif [ "$want" -ne 0 ] && [ ! -s $out/complaint ]; then
        bad "$what: exit $want without a word"
    else
        ok "$what"
    fi
}

# whole FOLDER: every CSV is a header and lines with as many commas as it, and ends in a newline.
# (No name in these scenarios holds a comma or a quote.)
whole() {
    for file in $(find "$1" -name '*.csv' 2>/dev/null); do
        awk -F, 'NR == 1 { n = NF } NF != n { exit 1 } END { exit NR < 2 }' "$file" || return 1
        [ -z "$(tail -c 1 "$file")" ] || return 1
    done
}

ends "no command" 2 "$orrery"
ends "an unknown command" 2 "$orrery" rum
ends "an unknown flag" 2 "$orrery" run --colour scenarios/quickstart.yaml
ends "a flag without its value" 2 "$orrery" run scenarios/quickstart.yaml -o
ends "a count that is none" 2 "$orrery" run scenarios/quickstart.yaml -r two
ends "--help" 0 "$orrery" --help
ends "--version" 0 "$orrery" --version
ends "a scenario that is not there" 3 "$orrery" run $out/absent.yaml
ends "a folder for a scenario" 3 "$orrery" run $out
ends "a folder without results to plot" 3 "$orrery" plot $out/absent
ends "a mistake in the scenario" 2 "$orrery" run tests/machine/mistake.yaml -o $out/never
if [ -e $out/never ]; then bad "a mistake wrote files"; else ok "a mistake writes nothing"; fi
if [ "$(id -u)" -ne 0 ]; then
    cp scenarios/quickstart.yaml $out/secret.yaml
    chmod 000 $out/secret.yaml
    ends "a scenario that may not be read" 3 "$orrery" run $out/secret.yaml
    rm -f $out/secret.yaml
fi

: >$out/file
ends "a file where the results belong" 3 "$orrery" run scenarios/quickstart.yaml -r 2 -o $out/file
ends "a folder that cannot be made" 3 \
    "$orrery" run scenarios/quickstart.yaml -r 2 -o /dev/null/results
if [ -c /dev/full ]; then
    "$orrery" run scenarios/quickstart.yaml -r 2 -o $out/full >/dev/full 2>$out/complaint
    status=$?
    if [ $status -eq 3 ] && [ -s $out/complaint ] && whole $out/full &&
        [ -s $out/full/summary.csv ]; then
        ok "standard output on a full device: told, and the files are whole"
    else
        bad "standard output on a full device: exit $status: $(cat $out/complaint)"
    fi
    ends "the manual on a full device" 3 sh -c "'$orrery' models >/dev/full"
fi
# The reader is gone before the first byte: dying of SIGPIPE (141) would be silent and leave files
# behind half-way.
{
    "$orrery" run scenarios/quickstart.yaml -r 4 -o $out/pipe 2>$out/complaint
    echo $? >$out/status
} | (
    exec <&-
    sleep 1
)
status=$(cat $out/status)
if [ "$status" -eq 3 ] && [ -s $out/pipe/summary.csv ] && whole $out/pipe; then
    ok "a closed pipe: the files are whole"
else
    bad "a closed pipe: exit $status: $(cat $out/complaint)"
fi

# The undisturbed sweep, the reference for all that follow.
mkdir -p $out/reference
ends "the undisturbed sweep" 0 "$orrery" sweep $sweep -q -j 1 -o $out/reference/sweep
whole $out/reference/sweep || bad "the undisturbed sweep writes a crooked CSV"

# What the plan says it will write is right within a factor of two.
told=$("$orrery" sweep $sweep --plan -q | awk '/ on disk/ {
    print int($2 * ($3 == "KB" ? 1e3 : $3 == "MB" ? 1e6 : $3 == "GB" ? 1e9 : 1)) }')
written=$(find $out/reference/sweep -name '*.part' -o -name '*.csv' | xargs cat | wc -c)
if [ "${told:-0}" -gt $((written / 2)) ] && [ "${told:-0}" -lt $((written * 2)) ]; then
    ok "the plan says how much is written"
else
    bad "the plan says ${told:-nothing} bytes, and $written are written"
fi

# A shell without job control starts a background process with SIGINT ignored; env can undo that.
heard=
if env --default-signal=INT true 2>/dev/null; then
    heard="env --default-signal=INT"
fi

# struck SIGNAL STATUS LABEL: the sweep is struck when a third of its 36 parts is there, and resumed.
struck() {
    mkdir -p "$out/$3"
    $heard "$orrery" sweep $sweep -q -j 2 -o "$out/$3/sweep" >$out/said 2>$out/complaint &
    pid=$!
    tries=0
    while [ "$(find "$out/$3/sweep/parts" -type f 2>/dev/null | wc -l)" -lt 12 ] &&
        [ $tries -lt 1000 ] && kill -0 $pid 2>/dev/null; do
        sleep 0.02
        tries=$((tries + 1))
    done
    kill -"$1" $pid 2>/dev/null
    wait $pid
    status=$?
    if [ $status -ne "$2" ]; then
        bad "$3: exit $status instead of $2 (0: the sweep was over before the signal)"
    elif ! whole "$out/$3/sweep"; then
        bad "$3: a CSV is half-written"
    else
        ok "$3: exit $2, nothing half-written"
    fi
    ends "$3: resumed" 0 "$orrery" sweep $sweep -q -j 1 --resume -o "$out/$3/sweep"
    same "$3"
}
struck KILL 137 killed
struck INT 130 interrupted

# More replications than the folder holds are added to them; fewer leave the rest where it is and
# count none of it. A run of the scenario as it stands is no point of its sweep.
mkdir -p $out/fewer $out/more
ends "two replications" 0 "$orrery" sweep $sweep -q -j 1 -r 2 -o $out/fewer/sweep
cp -R $out/fewer/sweep $out/more/sweep
touch -d '2001-01-01' $out/more/sweep/parts/*.part
ends "two replications and four more" 0 "$orrery" sweep $sweep -q -j 1 -r 6 --resume -o $out/more/sweep
old=$(find $out/more/sweep/parts -name '*.part' ! -newermt 2002-01-01 | wc -l)
if [ "$old" -eq 12 ]; then ok "what was there is kept"; else bad "of 12 parts that were there $old are kept"; fi
ends "back to two of them" 0 "$orrery" sweep $sweep -q -j 1 -r 2 --resume -o $out/more/sweep
for file in summary replications distributions series; do
    if cmp $out/more/sweep/$file.csv $out/fewer/sweep/$file.csv; then
        ok "two of six replications: $file.csv is that of two"
    else
        bad "two of six replications: $file.csv is another than that of two"
    fi
done
if grep -q '^  "looks": \[2, 6, 2\],$' $out/more/sweep/run.json; then
    ok "run.json tells how often was looked"
else
    bad "run.json tells of the looks: $(grep looks $out/more/sweep/run.json)"
fi
ends "six of them again" 0 "$orrery" sweep $sweep -q -j 1 --resume -o $out/more/sweep
same more
mkdir -p $out/other
ends "a run of the scenario as it stands" 0 "$orrery" run $sweep -q -j 1 -o $out/other/sweep
ends "its sweep, resumed" 0 "$orrery" sweep $sweep -q -j 1 --resume -o $out/other/sweep
same other

# A disk too small for the sweep; then it grows and the sweep goes on.
disk=$PWD/$out/disk
mkdir -p "$disk" $out/small
if mount -t tmpfs -o size=96k none "$disk" 2>/dev/null; then
    ends "a full disk" 3 "$orrery" sweep $sweep -q -j 2 -o "$disk/sweep"
    if whole "$disk/sweep"; then ok "a full disk: nothing half-written"; else bad "a full disk: a CSV is half-written"; fi
    mount -o remount,size=256m "$disk"
    ends "a full disk, resumed" 0 "$orrery" sweep $sweep -q -j 1 --resume -o "$disk/sweep"
    cp -R "$disk/sweep" $out/small/sweep
    umount "$disk"
    same small
else
    skip "a full disk: a tmpfs cannot be mounted here"
fi
close machine
