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
echo "exit $?"
# The place that is named is where requests are that wait for nobody else: before they are sent, for
# their session; on a line that is too thin; among the lost.
piles() {
    cat >scenario.yaml <<YAML
orrery: 1
nodes:
  users: {kind: client, arrivals: poisson(300/s), sizes: 10KB, $1, to: balancer}
  balancer: {kind: load_balancer, to: web}
  web: {kind: service, count: 3, time: $2}
links: {balancer -> web: {$3}}
run: {duration: 60s, in_flight: 2k, replications: 1}
YAML
    "$ORRERY" run scenario.yaml -q -o pile
}
piles "sessions: 2" 20ms "latency: 0s"
piles "operations: {write: 100%}" 2ms "bandwidth: 1Mbit/s"
piles "timeout: 100ms" 20ms "latency: 0s"
piles "sessions: 100k" 2ms "loss: 30%"
