# What validate tells of faults: whom each means, and when it strikes first.
cat >scenario.yaml <<'YAML'
orrery: 1
run: {duration: 60s}
zones: {a: [n.1], b: [n.2, n.3]}
nodes:
  users: {kind: client, arrivals: poisson(80/s), to: n}
  n: {kind: service, count: 12, slots: 9, time: exp(10ms)}
faults:
  - {at: 10s, for: 5s, crash: n.1, crash_answer: reset}
  - {at: 20s, slow: zone b, by: x4}
  - {every: 25s, for: 5s, partition: zone a | b, clients: with n.1}
  - {every: 25s, for: 5s, loss: users -> n, by: 20%, name: noise}
  - {every: 100s, for: 5s, pause: one of n}
  - {at: 200s, load: users, by: x3}
YAML
"$ORRERY" validate scenario.yaml | sed -n '/^faults/,/^predicted/p'
