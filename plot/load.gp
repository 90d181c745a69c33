# load.gp - the hockey stick: latency against a swept number, band = 95 % interval. One panel with
# p50 and p99, or with a second parameter a panel for each and one line a value.
name = "load"

load "style.gp"
N = int(num("lines"))
set xrange [num("x_low"):num("x_high")]
set yrange [num("y_low"):num("y_high")]
set xlabel say("x_title") textcolor rgb ink
if (num("x_log") > 0) { set logscale x 10 }
if (num("ticks") > 0) { set xtics () nomirror }
do for [i = 1:int(num("ticks"))] { set xtics add (say(sprintf("tick.%d", i)) num(sprintf("tick_at.%d", i))) }
if (num("y_log") > 0) {
    set logscale y 10
    set ytics () nomirror
    do for [e = -6:9] { do for [m in steps(num("y_low"), num("y_high"))] {
        set ytics add (plain(m*10.0**e) m*10.0**e)
    } }
}
set key top left reverse Left
if (N == 0) {
    set ylabel "latency (ms)" textcolor rgb ink
    plot for [i = 1:2] data using (of(1)*column("x")):(column(word("p99 p50", i)."_low")):(column(word("p99 p50", i)."_high")) with filledcurves fs transparent solid 0.18 noborder lt i, \
         for [i = 1:2] data using (of(1)*column("x")):(column(word("p99 p50", i)."_ms")) with linespoints lt i title word("p99 p50", i)
} else {
    set multiplot
    do for [panel = 1:2] {
        what = word("p50 p99", panel)
        set lmargin at screen (panel == 1 ? 0.085 : 0.58); set rmargin at screen (panel == 1 ? 0.48 : 0.975)
        set ylabel what." latency (ms)" textcolor rgb ink
        set key title say("key") left
        if (panel == 2) { unset key; do for [k = 9001:9004] { unset label k } }
        plot for [i = 1:N] data using (of(i)*column("x")):(column(what."_low")):(column(what."_high")) with filledcurves fs transparent solid 0.18 noborder lt i, \
             for [i = 1:N] data using (of(i)*column("x")):(column(what."_ms")) with linespoints lt i title label(i)
    }
    unset multiplot
}
