# Operations and leaders, written down where they are asked for; the history is judged again.
cat >s.yaml <<'END'
orrery: 1
run: {warmup: 0s, duration: 20s, replications: 2}
nodes:
  app: {kind: client, arrivals: poisson(1/s), operations: {read: 50%, update: 50%}, keys: uniform(3), sessions: 2, timeout: 1s, to: store}
  store: {kind: replicated, members: n, failover: {heartbeat: 500ms, timeout: 2s}}
  n: {kind: database, count: 2, read: 1ms, write: 2ms}
links: {default: {latency: 5ms}}
faults: [{at: 8s, for: 6s, crash: store.leader}]
output: {leaders: true}
END
"$ORRERY" run s.yaml --history -q -o out >/dev/null
cat out/leaders.csv
head -n 12 out/history.csv
"$ORRERY" check -q out/history.csv
echo "exit $?"
"$ORRERY" run s.yaml -q -o out >/dev/null
ls out
