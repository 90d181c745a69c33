# The scenario in run.json is text in JSON as everybody writes it.
cat >scenario.yaml <<'YAML'
orrery: 1
question: 'a "quoted" \ question'
nodes: {users: {kind: client, arrivals: constant(1/s), to: web}, web: {kind: service}}
run: {duration: 2s, replications: 1}
YAML
"$ORRERY" run -q scenario.yaml
grep '"scenario"' results/scenario/run.json
