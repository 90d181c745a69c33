# Draws pictures from fixtures (tests/plot/fixture.c) and looks at what came of it: which pictures
# there are, that the same data gives the same bytes, that names are never commands, and what happens
# without gnuplot. tests/plot/draw.c stands for `orrery plot`, so that no run is needed.
. tests/steps/lib

tools=$BUILD/tests/plot
work=$BUILD/test/plot
rm -rf "$work"
mkdir -p "$tools" "$work"
make -s -j"$JOBS" "$BUILD/liborrery.a" || bad "the library does not build"
for tool in fixture draw; do
    ${CC:-cc} -std=c17 -D_GNU_SOURCE -O1 -I. -o "$tools/$tool" "tests/plot/$tool.c" \
        "$BUILD/liborrery.a" -lm || bad "tests/plot/$tool.c does not build"
done
[ "$failed" -eq 0 ] || close plot

root=$PWD
# folder KIND NAME: a fresh result folder, written from within.
folder() {
    rm -rf "$work/$2"
    mkdir -p "$work/$2"
    (cd "$work/$2" && "$root/$tools/fixture" "$1" .)
}

# Without gnuplot on the PATH: exit 5, a way out, and the scripts and data for another machine.
folder run bare
said=$(PATH="$root/$work/bare" "$tools/draw" "$work/bare" svg 2>&1)
status=$?
if [ "$status" -eq 5 ]; then ok "exit 5 without gnuplot"; else bad "without gnuplot: $status"; fi
case $said in
*"gnuplot is not installed"*apt-get*) ok "the message names the way out" ;;
*) bad "without gnuplot it says: $said" ;;
esac
if [ -s "$work/bare/plots/latency.gp" ] && [ -s "$work/bare/plots/style.gp" ]; then
    ok "scripts are left without gnuplot"
else
    bad "no script is left without gnuplot"
fi

# A gnuplot that fails: exit 5, what it said is passed on, no half-written picture.
folder run broken
mkdir "$work/bin"
printf '#!/bin/sh\necho ruined >latency.part.svg\necho "no such terminal" >&2\nexit 1\n' \
    >"$work/bin/gnuplot"
chmod +x "$work/bin/gnuplot"
said=$(PATH="$root/$work/bin:$PATH" "$tools/draw" "$work/broken" svg 2>&1)
status=$?
case $status:$said in
5:*"gnuplot: no such terminal"*) ok "what a failing gnuplot says is passed on" ;;
*) bad "a failing gnuplot: $status, $said" ;;
esac
if find "$work/broken/plots" -name '*.svg' | grep -q .; then
    bad "a failing gnuplot leaves a picture"
else
    ok "a failing gnuplot leaves no picture"
fi

# A gnuplot whose disk is full ends well all the same.
printf '#!/bin/sh\necho "<svg><path d=" >latency.part.svg\n' >"$work/bin/gnuplot"
said=$(PATH="$root/$work/bin:$PATH" "$tools/draw" "$work/broken" svg 2>&1)
status=$?
if [ "$status" -eq 5 ] && [ ! -e "$work/broken/plots/latency.svg" ]; then
    ok "half a picture is exit 5 and is not kept"
else
    bad "half a picture: $status, $said"
fi

# Input that cannot be read: exit 3.
mkdir "$work/empty"
"$tools/draw" "$work/empty" svg 2>"$work/said"
status=$?
if [ "$status" -eq 3 ] && grep -q 'orrery run' "$work/said"; then
    ok "a folder without summary.csv is exit 3 and says what to do"
else
    bad "a folder without summary.csv: $status"
fi
folder run cut
printf '1,1,0.0,"web' >>"$work/cut/series.csv"
"$tools/draw" "$work/cut" svg 2>"$work/said"
status=$?
if [ "$status" -eq 3 ] && grep -q 'series.csv:[0-9]*: a quoted field' "$work/said"; then
    ok "a file cut short is exit 3 and names the line"
else
    bad "a file cut short: $status $(cat "$work/said")"
fi

if ! command -v gnuplot >/dev/null; then
    skip "drawing pictures: gnuplot is not installed"
    close plot
fi

# expect KIND PICTURE...: exactly these pictures are drawn, and none is empty.
expect() {
    kind=$1
    shift
    folder "$kind" "$kind"
    if ! drawn=$("$tools/draw" "$work/$kind" svg 2>"$work/said"); then
        bad "$kind: $(cat "$work/said")"
        return
    fi
    [ ! -s "$work/said" ] || bad "$kind: $(cat "$work/said")"
    wanted=$(for p in "$@"; do echo "plots/$p.svg"; done)
    if [ "$drawn" = "$wanted" ]; then ok "$kind: $*"; else bad "$kind draws $drawn"; fi
    for p in "$@"; do
        [ "$(wc -c <"$work/$kind/plots/$p.svg")" -gt 4000 ] || bad "$kind: $p.svg is too small"
        grep -q '</svg>' "$work/$kind/plots/$p.svg" || bad "$kind: $p.svg is not whole"
        cmp -s "plot/$p.gp" "$work/$kind/plots/$p.gp" || bad "$kind: $p.gp is not the script"
    done
    if find "$work/$kind/plots" -name '*part*' | grep -q .; then bad "$kind leaves parts"; fi
}
expect run latency timeline balance queue
expect load latency load
expect grid load heat
expect words latency timeline balance queue
expect many latency timeline load balance queue
expect hostile latency timeline balance heat queue

# Where nobody ever waits no picture of queues is drawn, and latencies of minutes stand in seconds.
folder run idle
sed 's/,queue_length,mean,,.*/,queue_length,mean,,0/' "$work/idle/series.csv" >"$work/series.csv"
mv "$work/series.csv" "$work/idle/series.csv"
if ! "$tools/draw" "$work/idle" svg >/dev/null 2>"$work/said" || [ -s "$work/said" ]; then
    bad "series without a queue: $(cat "$work/said")"
elif [ -e "$work/idle/plots/queue.svg" ] || [ ! -e "$work/run/plots/queue.svg" ]; then
    bad "a picture of queues where nobody waits"
else
    ok "no picture of queues where nobody waits"
fi
for figure in timeline queue; do
    if grep -q '^fault_start\.2' "$work/run/plots/$figure.txt"; then
        ok "$figure has the bands of both faults"
    else
        bad "$figure lacks the bands of the faults"
    fi
done
folder run slow
sed 's/\(,latency,p99,ms,[0-9]*\)\.\([0-9]\{4\}\)/\1\2./' "$work/slow/series.csv" >"$work/series.csv"
if cmp -s "$work/series.csv" "$work/slow/series.csv"; then
    bad "the fixture has no p99 to make longer"
fi
mv "$work/series.csv" "$work/slow/series.csv"
"$tools/draw" "$work/slow" svg >/dev/null 2>"$work/said"
if grep -q 'p99 latency (s)' "$work/slow/plots/timeline.svg" &&
    grep -q 'p99 latency (ms)' "$work/run/plots/timeline.svg"; then
    ok "long latencies stand in seconds, others in milliseconds"
else
    bad "the unit of latency: $(cat "$work/said")"
fi

# The same data, the same bytes; elsewhere and by hand too.
cp -r "$work/run/plots" "$work/first"
"$tools/draw" "$work/run" svg >/dev/null 2>&1
if diff -r "$work/first" "$work/run/plots" >/dev/null; then
    ok "twice the same bytes"
else
    bad "a second call gives other bytes"
fi
mv "$work/first" "$work/elsewhere"
rm "$work/elsewhere"/*.svg
if (cd "$work/elsewhere" && for p in latency timeline balance queue; do gnuplot -d $p.gp; done) &&
    diff -r "$work/elsewhere" "$work/run/plots" >/dev/null; then
    ok "gnuplot NAME.gp draws the same picture by hand, wherever the folder is"
else
    bad "gnuplot NAME.gp does not draw the same picture by hand"
fi
if grep -r -e "$root" -e '/tmp/' "$work/run/plots" >/dev/null; then
    bad "a path of this machine in plots/"
else
    ok "no path of this machine in plots/"
fi

# The other formats; PDF carries no date but the epoch.
for format in png pdf; do
    folder run "$format"
    if "$tools/draw" "$work/$format" $format >/dev/null 2>"$work/said" &&
        [ -s "$work/$format/plots/timeline.$format" ]; then
        ok "$format is drawn"
    else
        bad "$format: $(cat "$work/said")"
    fi
done
sleep 1
cp "$work/pdf/plots/latency.pdf" "$work/first.pdf"
"$tools/draw" "$work/pdf" pdf >/dev/null 2>&1
if cmp -s "$work/first.pdf" "$work/pdf/plots/latency.pdf"; then
    ok "a PDF does not tell the time"
else
    bad "a PDF differs a second later"
fi

# A picture for which there is no data any more goes.
rm "$work/run/series.csv"
"$tools/draw" "$work/run" svg >/dev/null 2>&1
if [ -e "$work/run/plots/timeline.svg" ] || [ -e "$work/run/plots/queue.gp" ]; then
    bad "a stale picture stays"
else
    ok "a stale picture goes"
fi

# Names from scenarios are text and never run. The planted command makes the check prove itself.
if find "$work" . -name 'pwned*' | grep -q .; then
    bad "a name was run as a command"
else
    ok "no name was run as a command"
fi
(cd "$work/hostile/plots" && echo 'system "touch pwned"' | gnuplot -d -)
if [ -e "$work/hostile/plots/pwned" ]; then
    ok "a command that is run would be noticed"
else
    bad "a command that is run would not be noticed"
fi
text_of() { sed 's/&lt;/</g; s/&amp;/\&/g' "$work/hostile/plots/$1.svg"; }
shows() {
    if text_of "$1" | grep -qF -- "$2"; then ok "$1 shows a hostile name"; else bad "$1 lacks: $2"; fi
}
shows latency "'.system(”touch pwned”).' \`touch pwned\`, {/:Bold x}_1"
shows latency "a'.system(”touch pwned”).': latency by percentile"
shows timeline "'.system(”touch pwned”).'"
shows queue '$(touch pwned), {/*9 x}^2 \n <b>&amp;＆#x0; 100% %s'
shows heat "a”b,%s \$(touch p"
if command -v xmllint >/dev/null; then
    if xmllint --noout "$work"/*/plots/*.svg; then ok "every SVG is XML"; else bad "XML"; fi
else
    skip "whether every SVG is XML: xmllint is not installed"
fi
close plot
