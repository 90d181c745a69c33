# hits.gp - hit ratio of a cache against a swept number, band = 95 % interval; one line for each value
# of a second parameter.
name = "hits"

load "style.gp"
N = int(num("lines"))
x_low = num("x_low"); x_high = num("x_high")
set xrange [x_low:x_high]
set yrange [0:100]
set xlabel say("x_title") textcolor rgb ink
set ylabel "hit ratio (%)" textcolor rgb ink
if (num("x_log") > 0) { set logscale x 10 }
if (num("ticks") > 0) { set xtics () nomirror }
do for [i = 1:int(num("ticks"))] {
    set xtics add (say(sprintf("tick.%d", i)) num(sprintf("tick_at.%d", i)))
}
if (N > 1) {
    set rmargin at screen beside
    set key at screen beside, graph 1 left top vertical maxcols 1 maxrows 8 reverse Left title say("key") left
} else { unset key }
plot for [i = 1:N] data using (of(i)*column("x")):(column("percent_low")):(column("percent_high")) with filledcurves fs transparent solid 0.18 noborder lt i, \
     for [i = 1:N] data using (of(i)*column("x")):(column("percent")) with linespoints lt i title label(i)
