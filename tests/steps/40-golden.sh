# Golden files: what the program says, byte by byte. A case is tests/golden/GROUP/NAME.yaml, a
# scenario given to `orrery validate` in its own folder, or tests/golden/GROUP/NAME.sh, a script that
# sh runs in an empty folder with ORRERY set to the program and TREE to the root of the tree. What it
# prints, both streams in that order, and its exit status stand in NAME.txt beside it.
# `BLESS=1` writes the present output there instead: `make bless`, then read the diff.
. tests/steps/lib
out=$PWD/build/golden
rm -rf "$out"
mkdir -p "$out"
if ! can_run release; then
    skip "all of it: the program does not play scenarios yet"
    close golden
fi
TREE=$PWD
: "${ORRERY:?is set by tests/run: make golden, make bless}"
ORRERY=$TREE/$ORRERY
export TREE ORRERY

for case in tests/golden/*/*.yaml tests/golden/*/*.sh; do
    [ -f "$case" ] || continue
    folder=${case%/*}
    name=${case##*/}
    case $name in
    *.yaml)
        (cd "$folder" && "$ORRERY" validate "$name" >"$out/stdout" 2>"$out/stderr" </dev/null)
        status=$?
        ;;
    *)
        rm -rf "$out/scratch"
        mkdir "$out/scratch"
        (cd "$out/scratch" && sh "$TREE/$case" >"$out/stdout" 2>"$out/stderr" </dev/null)
        status=$?
        ;;
    esac
    golden=${case%.*}.txt
    {
        cat "$out/stdout"
        if [ -s "$out/stderr" ]; then
            echo "--- stderr"
            cat "$out/stderr"
        fi
        echo "--- exit $status"
    } >"$out/now"
    if [ -n "${BLESS:-}" ]; then
        cmp -s "$out/now" "$golden" || { cp "$out/now" "$golden" && echo "blessed: $golden"; }
    fi
    if [ ! -f "$golden" ]; then
        bad "$case has no golden file (make bless writes it)"
    elif cmp -s "$out/now" "$golden"; then
        ok "$case"
    else
        bad "$case says something else"
        diff "$golden" "$out/now"
    fi
done
[ $((passed + failed)) -ne 0 ] || skip "there is no golden file"
close golden
