# latency.gp - latency with the percentile axis stretched by nines (as HdrHistogram draws it): one
# line a node or point of a sweep. The axis ends where ten slower operations are left; latency.csv
# goes on to the slowest.
name = "latency"
load "style.gp"
N = int(num("lines"))
set logscale x 10
set xrange [1:num("x_high")]
set xtics ("0" 1, "90" 10, "99" 100, "99.9" 1e3, "99.99" 1e4, "99.999" 1e5, "99.9999" 1e6)
if (num("x_high") < 300) { set xtics add ("50" 2, "75" 4, "95" 20) }
set xlabel "percentile (%)" textcolor rgb ink
set ylabel "latency (".unit.")" textcolor rgb ink
set yrange [num("y_low"):num("y_high")]
if (num("y_log") > 0) {
    set logscale y 10
    set ytics () nomirror
    do for [e = -6:9] { do for [m in steps(num("y_low"), num("y_high"))] {
        set ytics add (plain(m*10.0**e) m*10.0**e)
    } }
}
set key bottom right reverse Left title say("key") left
if (N > 4) {
    set rmargin at screen beside
    set key at screen beside, graph 1 left top vertical maxcols 1 maxrows 8 reverse Left title say("key") left
}
plot for [i = 1:N] data using (of(i)*column("nines")):(column("latency_ms")/per) with lines lt i title label(i)
