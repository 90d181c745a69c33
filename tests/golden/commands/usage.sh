# Mistyped commands, options and kinds are told with the nearest word.
for words in rnu swep xyzzy "run --replicatons 5 x" "run --replicatons=5 x" "sweep --reusme x" \
    "run -x y" "run --frobnicate x" "models clint" "models xyzzy"; do
    "$ORRERY" $words
    echo "$words: exit $?"
done
