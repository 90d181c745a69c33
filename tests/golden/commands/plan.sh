# The plan of a sweep: in full, only how many runs, and as JSON; nothing is written.
"$ORRERY" sweep "$TREE/scenarios/quickstart.yaml" --plan -s 'sweep.rate=[300/s, 480/s]'
"$ORRERY" sweep "$TREE/scenarios/quickstart.yaml" --plan -q
"$ORRERY" sweep "$TREE/scenarios/quickstart.yaml" --plan --json -s 'sweep.rate=[300/s]'
"$ORRERY" sweep "$TREE/scenarios/quickstart.yaml" --plan --seed 99999999999999999999
ls
