# backlog.gp - messages waiting in queues by simulated time; warm-up and faults shaded.
name = "backlog"
load "style.gp"
N = int(num("lines"))
B = num("bands") > 0 ? N : 0
width(i) = N > 3 ? 1.5 : 1.6 + 0.9*(N - i)
set xrange [0:num("x_high")]
set yrange [0:*]
set xlabel "simulated time (s)" textcolor rgb ink
set ylabel "waiting (messages)" textcolor rgb ink
if (num("warmup_s") > 0) {
    set object 90 rect from first 0, graph 0 to first num("warmup_s"), graph 1 fc rgb faint fs solid noborder behind
    set label 90 "warm-up" at first 0, graph 0.96 left offset character 0.5,0 font type(9.5) textcolor rgb muted
}
item(key, i) = num(sprintf("%s.%d", key, i))
# Faults that overlap show darker.
do for [k = 1:int(num("faults"))] {
    set object 100+k rect from first item("fault_start", k), graph 0 to first item("fault_end", k), graph 1 fc rgb fault fs transparent solid 0.16 noborder behind
    set label 100+k say(sprintf("fault.%d", k)) at first item("fault_start", k), graph (0.96 - 0.07*item("fault_row", k)) left offset character 0.5,0 font type(9.5) textcolor rgb muted
}
if (N > 1) {
    set rmargin at screen beside
    set key at screen beside, graph 1 left top vertical maxcols 1 maxrows 8 reverse Left title say("key") left
} else { unset key }
plot for [i = 1:B] data using (of(i)*column("mid_s")):"depth_low":"depth_high" with filledcurves fs transparent solid 0.16 noborder lt i, \
     for [i = 1:N] data using (of(i)*column("time_s")):"depth" with steps lt i dt 1 lw width(i) title label(i)
