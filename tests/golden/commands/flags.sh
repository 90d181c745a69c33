# The flags that no single row shows: a queue that grows throughout the window, and a law without a
# variance at one point of a sweep, which `validate` finds too. A wait has no interval below 0.
cat >scenario.yaml <<'YAML'
orrery: 1
vars: {rate: 80/s, work: exp(10ms)}
nodes:
  users: {kind: client, arrivals: poisson($rate), to: desk}
  desk: {kind: service, time: $work}
run: {duration: 20s, warmup: 4s, replications: 5}
sweep:
  case:
    steady: {vars.rate: 80/s}
    overload: {vars.rate: 140/s}
    heavy: {vars.rate: 20/s, vars.work: pareto(1ms 1.5)}
YAML
"$ORRERY" sweep -q scenario.yaml
grep -E 'desk,all,(latency|wait|in_system|utilization|throughput|lost),(mean|p50|rate|total)' \
    results/scenario/summary.csv | cut -d, -f2-3,5-6,13-
"$ORRERY" validate -q scenario.yaml
echo 'faults: [{mtbf: exp(1h), mttr: pareto(1s 1.5), pause: desk}]' >>scenario.yaml
"$ORRERY" validate -q scenario.yaml
"$ORRERY" run scenario.yaml -q -r 2 -s run.duration=4200ms -o short
grep -E 'desk,all,(queue_length|utilization),mean' short/summary.csv
