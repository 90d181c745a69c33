# Every mistake of a file at once; nothing is written.
cp "$TREE/tests/machine/mistake.yaml" .
"$ORRERY" run mistake.yaml -o never
status=$?
ls
exit $status
