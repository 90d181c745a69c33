# load.gp - the hockey stick: latency against a swept number, band = 95 % interval. One panel with
# p50 and p99, or with a second parameter a panel for each and one line a value.
name = "load"

load "style.gp"
N = int(num("lines"))
x_low = num("x_low"); x_high = num("x_high")
set xrange [x_low:x_high]
set yrange [num("y_low"):num("y_high")]
set xlabel say("x_title") textcolor rgb ink
if (num("x_log") > 0) { set logscale x 10 }
if (num("ticks") > 0) { set xtics () nomirror }
# On a logarithmic axis; a tick too near the one before has no text.
across = 100*w*(N == 0 ? 0.84 : 0.36)
before = 0.0
do for [i = 1:int(num("ticks"))] {
    told = say(sprintf("tick.%d", i)); place = num(sprintf("tick_at.%d", i))
    shown = before == 0 ? 1 : log(place/before)/log(x_high/x_low)*across > 8*strlen(told) + 4
    set xtics add ((shown ? told : "") place)
    if (shown) { before = place }
}
if (num("y_log") > 0) {
    set logscale y 10
    set ytics () nomirror
    do for [e = -6:9] { do for [m in steps(num("y_low"), num("y_high"))] {
        set ytics add (plain(m*10.0**e) m*10.0**e)
    } }
}
# An interval without an upper end goes on to the top of the picture.
low(what) = column(what."_low")/per
high(what) = strcol(what."_high") eq "NaN" ? (strcol(what."_low") eq "NaN" ? NaN : num("y_high")) : column(what."_high")/per
if (N == 0) {
    # Above the lines, which may lie anywhere below.
    set key at graph 1, screen (1 - px(74 + (strlen(say("note")) > 0 ? 16 : 0) - 14)) right center horizontal reverse Left samplen 2.2
    set ylabel "latency (".unit.")" textcolor rgb ink
    plot for [i = 1:2] data using (of(1)*column("x")):(low(word("p99 p50", i))):(high(word("p99 p50", i))) with filledcurves fs transparent solid 0.18 noborder lt i, \
         for [i = 1:2] data using (of(1)*column("x")):(column(word("p99 p50", i)."_ms")/per) with linespoints lt i title word("p99 p50", i)
} else {
    set key at screen beside, graph 1 left top vertical maxcols 1 maxrows 8 reverse Left title say("key") left
    wide = (beside - 0.02 - 0.085 - 0.095)/2
    set multiplot
    do for [panel = 1:2] {
        what = word("p50 p99", panel)
        from = panel == 1 ? 0.085 : 0.085 + wide + 0.095
        set lmargin at screen from; set rmargin at screen from + wide
        set ylabel what." latency (".unit.")" textcolor rgb ink
        if (panel == 2) { unset key; do for [k = 9001:9004] { unset label k } }
        plot for [i = 1:N] data using (of(i)*column("x")):(low(what)):(high(what)) with filledcurves fs transparent solid 0.18 noborder lt i, \
             for [i = 1:N] data using (of(i)*column("x")):(column(what."_ms")/per) with linespoints lt i title label(i)
    }
    unset multiplot
}
