# A sweep over the number of instances: where there is one, `web.1` is the node; a metric at a fixed
# point is compared with a constant once for each case, not once for each point.
cat >scenario.yaml <<'YAML'
orrery: 1
nodes:
  users: {kind: client, arrivals: constant(100/s), to: balancer}
  balancer: {kind: load_balancer, to: web}
  web: {kind: service, time: 4ms}
run: {duration: 2s, warmup: 1s, replications: 5}
sweep:
  servers: {one: {nodes.web.count: 1}, two: {nodes.web.count: 2}}
  nodes.web.time: [4ms, 20ms]
expect:
  - web.1.latency.p99 < 5ms when nodes.web.time == 4ms
  - users.latency at servers=two < 1s
  - users.latency at servers=two <= users.latency at servers=one
YAML
"$ORRERY" sweep scenario.yaml
grep -E 'latency,mean' results/scenario/summary.csv
