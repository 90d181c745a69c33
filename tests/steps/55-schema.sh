# The JSON Schema of `orrery schema`, tried by a validator that is not ours: ajv reads the schema, the
# yaml package of npm reads the scenarios as an editor does. Both are installed below build; without
# npm or the network there is nothing to try them with. Whatever the loader takes the schema must
# take; of what the loader refuses, it must refuse what a schema can know.
. tests/steps/lib
work=$PWD/build/schema
mkdir -p "$work"
if ! can_run release; then
    skip "all of it: the program does not play scenarios yet"
    close schema
fi
if ! command -v npm >/dev/null || ! command -v node >/dev/null; then
    skip "the schema against ajv: npm is not installed"
    close schema
fi
if [ ! -d "$work/node_modules/ajv" ] || [ ! -d "$work/node_modules/yaml" ]; then
    # A folder with a manifest of its own, or npm would install into the nearest one above it.
    echo '{"private": true}' >"$work/package.json"
    if ! (cd "$work" && timeout 120 npm install --no-audit --no-fund --ignore-scripts \
        ajv@8 yaml@2 >"$work/npm.log" 2>&1); then
        skip "the schema against ajv: npm cannot install it ($(tail -n 1 "$work/npm.log"))"
        close schema
    fi
fi

"$ORRERY" schema >"$work/schema.json" || bad "orrery schema fails"
# said FILE: what the validator said of it, all files in one go.
NODE_PATH=$work/node_modules node --no-warnings tests/schema/check.js "$work/schema.json" \
    scenarios/*.yaml tests/golden/binding/*.yaml tests/determinism/*.yaml >"$work/said" ||
    bad "$(cat "$work/said")"
said() {
    grep -F " $1" "$work/said"
}

# What the loader takes.
for scenario in scenarios/*.yaml tests/golden/binding/*.yaml tests/determinism/*.yaml; do
    golden=${scenario%.yaml}.txt
    case $scenario in
    tests/golden/*) grep -q '^--- exit 0$' "$golden" || continue ;;
    esac
    case $(said "$scenario") in
    valid*) ok "$scenario is valid" ;;
    *) bad "the loader takes it, the schema does not: $(said "$scenario")" ;;
    esac
done

# What it refuses: these mistakes at least.
for name in unknown_key_top unknown_key_node unknown_kind missing_kind missing_unit foreign_unit \
    unknown_word unknown_distribution word_parameters not_one_value whole_node_key run_keys \
    share_at_service retry_record version_missing version_unknown no_nodes names links; do
    case $(said "tests/golden/binding/$name.yaml") in
    invalid*) ok "$name is refused" ;;
    *) bad "$name passes the schema" ;;
    esac
done
close schema
