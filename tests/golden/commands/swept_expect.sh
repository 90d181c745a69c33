# A swept parameter stands for its value at the point that is judged.
cat >s.yaml <<'END'
orrery: 1
run: {warmup: 5s, duration: 60s, replications: 4}
vars: {rate: 50/s, limit: 100ms}
nodes:
  users: {kind: client, arrivals: constant($rate), timeout: $limit, to: desk}
  desk: {kind: service, time: 10ms}
sweep: {rate: [20/s, 50/s], limit: [100ms, 200ms]}
expect:
  - users.throughput ~ rate +- 1/s
  - users.throughput > 0.9 * rate when limit == 100ms
  - users.latency.mean < limit - 95ms when limit == 100ms
  - limit + 10ms > users.latency.mean
END
"$ORRERY" sweep s.yaml -o out | sed -n '/^expected/,/^$/p'
"$ORRERY" run s.yaml -o out | sed -n '/^expected/,/^$/p'
sed 's/limit - 95ms/limit - 5/; s/limit + 10ms/rate/' s.yaml >wrong.yaml
"$ORRERY" validate -q wrong.yaml
