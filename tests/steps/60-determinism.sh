# The same scenario and seed give the same bytes: across compilers and optimisation, worker counts,
# repeated runs, and with the processor's FMA hidden from libm. Every file of a result folder but
# run.json (it carries wall time) is compared, and the fingerprint that run.json carries.
. tests/steps/lib
out=build/determinism
scenarios="scenarios/quickstart.yaml $(echo tests/determinism/*.yaml)"
rm -rf $out
mkdir -p $out

# play LABEL COMMAND...: runs every scenario by that command into folders of that label.
play() {
    label=$1
    shift
    for scenario in $scenarios; do
        stem=${scenario##*/}
        stem=${stem%.yaml}
        "$@" run "$scenario" -r 3 -q -o "$out/$label/$stem" >"$out/said" 2>&1
        status=$?
        # An `expect` that fails is a result like another; anything above is not.
        if [ $status -gt 1 ]; then
            bad "$label: $scenario ends with status $status: $(tail -n 5 "$out/said")"
        fi
    done
}

# inventory FOLDER: its files, and the fingerprints of its runs.
inventory() {
    (cd "$1" && find . -type f ! -name run.json | sort)
    sed -n 's/.*\("fingerprint": *"[^"]*"\).*/\1/p' "$1/run.json"
}

# same LABEL: every file of that label equals that of the reference.
same() {
    for folder in $out/reference/*; do
        stem=${folder##*/}
        other=$out/$1/$stem
        inventory "$folder" >$out/left
        inventory "$other" >$out/right
        if ! cmp -s $out/left $out/right; then
            bad "$1: $stem has other files or another fingerprint"
            diff $out/left $out/right
            continue
        fi
        if ! grep -q summary.csv $out/left || ! grep -q fingerprint $out/left; then
            bad "$1: $stem wrote no summary.csv or no fingerprint"
            continue
        fi
        differ=
        for file in $(grep '^\./' $out/left); do
            cmp "$folder/$file" "$other/$file" || differ="$differ $file"
        done
        if [ -z "$differ" ]; then ok "$1: $stem"; else bad "$1: $stem differs in$differ"; fi
    done
    rm -rf "${out:?}/$1"
}

# flavour NAME COMPILER OPTIMIZE: builds the program so and compares what it writes.
flavour() {
    if ! command -v "$2" >/dev/null 2>&1; then
        skip "$1: $2 is not installed"
    elif make -s -j"$JOBS" FLAVOUR="$1" CC="$2" OPTIMIZE="$3" all >$out/built 2>&1; then
        play "$1" build/"$1"/orrery -j "$JOBS"
        same "$1"
    else
        bad "$1 does not build: $(tail -n 5 $out/built)"
    fi
}

if ! can_run release; then
    skip "all of it: the program does not play scenarios yet"
    close determinism
fi
play reference build/release/orrery -j 1
[ "$failed" -eq 0 ] || close determinism

play repeated build/release/orrery -j 1
same repeated
play two-workers build/release/orrery -j 2
same two-workers

# That hiding FMA hides anything is seen by libm's own last bits.
cat >$out/libm.c <<'END'
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
int main(void)
{
    uint64_t sum = 0, x = 1;
    for (int i = 0; i < 100000; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        double r = pow((double)(x >> 11) / 9007199254740992.0, 1.7);
        uint64_t bits;
        memcpy(&bits, &r, sizeof bits);
        sum = sum * 31 + bits;
    }
    printf("%llx\n", (unsigned long long)sum);
    return 0;
}
END
mask=glibc.cpu.hwcaps=-FMA,-AVX2
if ! ${CC:-cc} -O1 -fno-builtin $out/libm.c -o $out/libm -lm; then
    bad "the probe of libm does not build"
elif [ "$($out/libm)" = "$(GLIBC_TUNABLES=$mask $out/libm)" ]; then
    skip "without FMA: this libm gives the same bits with and without it"
else
    play without-fma env GLIBC_TUNABLES=$mask build/release/orrery -j 1
    same without-fma
fi

flavour gcc-O0 gcc -O0
flavour gcc-O3 gcc -O3
flavour clang-O2 clang -O2

# The comparison itself can fail: another seed gives other bytes. Counted in a shell of its own.
if (play seeded build/release/orrery --seed 2 && same seeded && [ "$failed" -gt 0 ]) >/dev/null; then
    ok "another seed is seen"
else
    bad "another seed goes unseen"
fi
close determinism
