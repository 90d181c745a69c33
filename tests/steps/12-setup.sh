# The scripts that carry everything else: setup asks for no right when nothing is missing, names the
# packages where it knows no package manager, and the runner cannot be silent about a failure.
. tests/steps/lib

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$PWD

# A machine where nothing is missing: apt-get and sudo must not be called.
mkdir "$work/bin"
for tool in apt-get sudo dnf pacman; do
    printf '#!/bin/sh\necho called >>"%s/called"\nexit 1\n' "$work" >"$work/bin/$tool"
done
chmod +x "$work"/bin/*
if (PATH=$work/bin:$PATH sh tests/setup test) && [ ! -e "$work/called" ]; then
    ok "setup does nothing where nothing is missing"
else
    bad "setup called a package manager where nothing is missing"
fi

# A bare machine: only a shell and what POSIX gives, no compiler and no package manager.
mkdir "$work/bare"
for tool in sh cat id tr sed; do
    ln -s "$(command -v $tool)" "$work/bare/$tool"
done
sh=$(command -v sh)
PATH=$work/bare "$sh" tests/setup test >"$work/out" 2>&1
status=$?
if [ $status -eq 3 ] && grep -q 'libyaml' "$work/out" && grep -q 'CUnit' "$work/out"; then
    ok "setup names what to install where it knows no package manager"
else
    bad "setup on an unknown system: exit $status: $(cat "$work/out")"
fi

# The same with an apt-get that succeeds and installs nothing: setup must not believe it.
printf '#!/bin/sh\necho "$@" >>"%s/asked"\n' "$work" >"$work/bare/apt-get"
printf '#!/bin/sh\necho 0\n' >"$work/bare/id.new"
mv "$work/bare/id.new" "$work/bare/id"
chmod +x "$work/bare/id" "$work/bare/apt-get"
ln -s "$(command -v env)" "$work/bare/env"
PATH=$work/bare "$sh" tests/setup demo >"$work/out" 2>&1
status=$?
if [ $status -eq 3 ] && grep -q 'install.* libyaml-dev libgsl-dev gnuplot-nox' "$work/asked" &&
    ! grep -q cunit "$work/asked"; then
    ok "setup asks apt-get for the demo's packages and checks that they came"
else
    bad "setup with apt-get: exit $status: $(cat "$work/out" "$work/asked")"
fi

# runner STEP-TEXT: plays tests/run on a tree of one step; its closing line goes to standard output.
runner() {
    rm -rf "$work/tree"
    mkdir -p "$work/tree/tests/steps"
    cp "$root/tests/run" "$work/tree/tests/run"
    printf '%s\n' "$1" >"$work/tree/tests/steps/50-one.sh"
    (cd "$work/tree" && sh tests/run >out 2>&1)
    echo "$? $(tail -n 1 "$work/tree/out")"
}
expect() {
    got=$(runner "$2")
    if [ "$got" = "$3" ]; then ok "the runner tells $1"; else bad "the runner on $1: $got"; fi
}
expect "a step that passes" 'echo "one: 3 passed, 0 failed"' "0 3 passed, 0 failed"
expect "a failure" 'echo "one: 3 passed, 2 failed"; exit 1' "1 3 passed, 2 failed"
expect "a step that dies" 'echo "one: begins"; exit 0' "1 0 passed, 1 failed"
expect "a status against the count" 'echo "one: 3 passed, 0 failed"; exit 1' "1 3 passed, 1 failed"
expect "a step in which nothing ran" 'echo "one: 0 passed, 0 failed"' "1 0 passed, 1 failed"
expect "that a skipped step is no success" \
    'echo "skipped: all of it"; echo "one: 0 passed, 0 failed"' "1 0 passed, 0 failed"

# Every byte of a script comes back out of the C file it was turned into.
printf 'set label "a\\b?\?/ %%s"\n\tplot x # \303\251\nno newline at the end' >"$work/odd.gp"
cat >"$work/main.c" <<'END'
#include "plot/scripts.h"
#include <stdio.h>
int main(void)
{
    return plot_script_count != 1 || fputs(plot_scripts[0].text, stdout) < 0;
}
END
sh plot/embed "$work/odd.gp" >"$work/odd.c" &&
    ${CC:-cc} -std=c17 -Wall -Wextra -Werror -I. "$work/odd.c" "$work/main.c" -o "$work/odd" &&
    "$work/odd" >"$work/back"
echo >>"$work/odd.gp"
if cmp "$work/odd.gp" "$work/back"; then
    ok "an embedded script keeps its bytes"
else
    bad "an embedded script changes"
fi
close setup
