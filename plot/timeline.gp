# timeline.gp - ok throughput and p99 latency by simulated time; warm-up and faults shaded.
name = "timeline"
h = 4.8
load "style.gp"
N = int(num("lines"))
B = num("bands") > 0 ? N : 0
# Lines that run together stay visible: the first is the widest, the last lies on top.
width(i) = N > 3 ? 1.5 : 1.6 + 1.1*(N - i)
item(key, i) = num(sprintf("%s.%d", key, i))
set xrange [0:num("x_high")]
if (num("warmup_s") > 0) {
    set object 90 rect from first 0, graph 0 to first num("warmup_s"), graph 1 fc rgb faint fs solid noborder behind
    set label 90 "warm-up" at first 0, graph 0.06 left offset character 0.5,0 font type(9.5) textcolor rgb muted
}
# Faults that overlap show darker.
do for [k = 1:int(num("faults"))] {
    set object 100+k rect from first item("fault_start", k), graph 0 to first item("fault_end", k), graph 1 fc rgb fault fs transparent solid 0.16 noborder behind
    set label 100+k say(sprintf("fault.%d", k)) at first item("fault_start", k), graph (0.94 - 0.1*item("fault_row", k)) left offset character 0.5,0 font type(9.5) textcolor rgb muted
}
row = N > 1 && strlen(say("key")) == 0 && in_a_row < 0.9
noted = strlen(say("note")) > 0
top = 1 - px(54 + (noted ? 16 : 0) + (row ? 24 : 12))
middle = (top + px(68))/2
set multiplot
set lmargin at screen 0.115; set rmargin at screen (N < 2 || row ? 0.97 : beside)
set tmargin at screen top; set bmargin at screen middle + px(12)
set format x ""
set ylabel "ok (requests/s)" textcolor rgb ink; set yrange [0:*]
if (row) {
    set key at screen 0.975, screen (top + px(14)) right center horizontal reverse Left samplen 1.6 title ""
} else {
    set key at screen beside, graph 1 left top vertical maxcols 1 maxrows 8 reverse Left title say("key") left
    # The svg terminal takes letters for half as high again; seven lines would not fit beside a panel.
    if (N > 4 && ext eq "svg") { set key spacing 0.85 }
}
if (N < 2) { unset key }
plot for [i = 1:B] data using (of(i)*column("mid_s")):"ok_per_s_low":"ok_per_s_high" with filledcurves fs transparent solid 0.16 noborder lt i, \
     for [i = 1:N] data using (of(i)*column("time_s")):"ok_per_s" with steps lt i dt 1 lw width(i) title label(i)
do for [k = 1:int(num("faults"))] { unset label 100+k }
unset label 90
do for [k = 9001:9004] { unset label k }
set tmargin at screen middle - px(12); set bmargin at screen px(68)
set format x "%g"; set xlabel "simulated time (s)" textcolor rgb ink
set ylabel "p99 latency (".unit.")" textcolor rgb ink
set yrange [num("y_low"):num("y_high")]
unset key
if (num("y_log") > 0) {
    set logscale y 10
    set ytics () nomirror
    do for [e = -6:9] { do for [m in steps(num("y_low"), num("y_high"))] {
        set ytics add (plain(m*10.0**e) m*10.0**e)
    } }
}
plot for [i = 1:B] data using (of(i)*column("mid_s")):(column("p99_ms_low")/per):(column("p99_ms_high")/per) with filledcurves fs transparent solid 0.16 noborder lt i, \
     for [i = 1:N] data using (of(i)*column("mid_s")):(column("p99_ms")/per) with lines lt i dt 1 lw width(i)
unset multiplot
