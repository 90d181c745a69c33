# `warmup: auto`: found before the first run, the same as the number written by hand; a run that is
# too short for it, and one whose pilots diverge.
cat >scenario.yaml <<'YAML'
orrery: 1
nodes:
  users: {kind: client, arrivals: constant(100/s), to: box}
  box: {kind: service, slots: unlimited, time: $stay}
vars: {stay: 20s}
run: {warmup: auto, duration: 100s, replications: 5}
YAML
"$ORRERY" run scenario.yaml -o found | head -n 1
"$ORRERY" run scenario.yaml -q -s run.warmup=20s -o written
cmp found/summary.csv written/summary.csv && echo "the same as by hand"
grep warmup_s found/run.json
"$ORRERY" validate scenario.yaml | grep warmup
"$ORRERY" run scenario.yaml -q -s stay=60s -o short
grep -c warmup short/summary.csv
"$ORRERY" run scenario.yaml -s run.in_flight=1k -o never
echo "exit $?"
ls never
