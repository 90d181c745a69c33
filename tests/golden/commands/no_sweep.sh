# Without a `sweep` there is one point, and that is told; a zone of another point of the sweep is no
# mistake when the scenario is played as it stands.
cat >scenario.yaml <<'YAML'
orrery: 1
vars: {place: east}
nodes:
  users: {kind: client, arrivals: constant(10/s), to: web}
  web: {kind: service, zone: $place}
links: {users <-> east: {latency: 1ms}}
run: {duration: 1s, replications: 5}
YAML
"$ORRERY" sweep scenario.yaml --plan | grep -v "on disk"
sed -i 's/^links: .*/links: {users <-> east: {latency: 1ms}, users <-> west: {latency: 50ms}}/' \
    scenario.yaml
"$ORRERY" run scenario.yaml -q
echo "exit $?"
echo 'sweep: {place: [east, west]}' >>scenario.yaml
"$ORRERY" run scenario.yaml -q
grep users,all,latency,mean results/scenario/summary.csv
"$ORRERY" sweep scenario.yaml -q
grep users,all,latency,mean results/scenario/summary.csv
