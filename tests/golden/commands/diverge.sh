# A design that grows without bound: before the warm-up is over nothing is measured, later what was
# seen until then is told.
cat >scenario.yaml <<'YAML'
orrery: 1
vars: {warmup: 6s}
nodes:
  users: {kind: client, arrivals: constant(2k/s), to: web}
  web: {kind: service, time: 10ms}
run: {duration: 60s, warmup: $warmup, in_flight: 10k, replications: 2}
YAML
"$ORRERY" run scenario.yaml -o early
echo "exit $?"
"$ORRERY" run scenario.yaml -s warmup=1s -o late
