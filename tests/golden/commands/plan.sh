# The plan of a sweep: in full, only how many runs, and as JSON; nothing is written. (How much it
# would write grows with every metric there is; tests/steps/45-machine.sh judges that.)
some() { sed 's/^about [0-9.]* [KMG]*B on disk: parts [0-9.]* [KMG]*B, CSV files [0-9.]* [KMG]*B$/about so much on disk/'; }
"$ORRERY" sweep "$TREE/scenarios/quickstart.yaml" --plan -s 'sweep.rate=[300/s, 480/s]' | some
"$ORRERY" sweep "$TREE/scenarios/quickstart.yaml" --plan -q | some
"$ORRERY" sweep "$TREE/scenarios/quickstart.yaml" --plan --json -s 'sweep.rate=[300/s]'
"$ORRERY" sweep "$TREE/scenarios/quickstart.yaml" --plan --seed 99999999999999999999
ls
