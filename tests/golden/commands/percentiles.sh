# Which percentiles the summary has: the standard ones of a node, of its instances only those that
# `output` or an expectation names; and `up` as a share of time.
cat >scenario.yaml <<'YAML'
orrery: 1
nodes:
  users: {kind: client, arrivals: constant(100/s), to: balancer}
  balancer: {kind: load_balancer, to: web}
  web: {kind: service, count: 2, time: 4ms}
run: {duration: 2s, warmup: 1s, replications: 5}
YAML
rows() { grep -E '^1,web(.1|.2)?,all,(latency|up),' results/scenario/summary.csv; }
"$ORRERY" run -q scenario.yaml && rows
echo "output:"
echo 'output: {percentiles: [p45]}' >>scenario.yaml
"$ORRERY" run -q scenario.yaml && rows
echo "expect:"
sed -i '$d' scenario.yaml
echo 'expect: [web.2.latency.p99 < 5ms]' >>scenario.yaml
"$ORRERY" run scenario.yaml && rows
