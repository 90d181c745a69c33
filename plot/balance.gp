# balance.gp - utilization of each instance as a bar, the most loaded first; whiskers are 95 %
# intervals, the line is the mean over the instances. One panel a node, or one a point of a sweep.
name = "balance"
load "style.gp"
N = int(num("panels"))
columns = int(num("columns"))
rows = (N + columns - 1)/columns
item(key, i) = num(sprintf("%s.%d", key, i))
one(i) = column("panel") == i ? column("rank") : NaN
set style fill solid 0.9 noborder
set boxwidth 0.72
# Room above the bars for what the line says.
set yrange [0:1.13*num("y_high")]
set xtics scale 0
set format x ""
top = 1 - px(54 + (strlen(say("note")) > 0 ? 16 : 0) + (N > 1 ? 30 : 12))
left = 0.11
foot = px(76)
across = (0.975 - left)/columns
high = (top - foot)/rows
set multiplot
do for [i = 1:N] {
    c = (i - 1) % columns; r = (i - 1)/columns; last = r == rows - 1
    set lmargin at screen left + across*c + (c > 0 ? 0.02 : 0); set rmargin at screen left + across*(c + 1)
    set tmargin at screen top - high*r - (r > 0 ? px(20) : 0); set bmargin at screen top - high*(r + 1) + (last ? 0 : px(24))
    set xrange [-0.6:item("bars", i) - 0.4]
    set format y (c == 0 ? "%g" : "")
    if (c == 0) { set ylabel "utilization" textcolor rgb ink } else { unset ylabel }
    set label 60 sprintf(item("mean", i) < 0.095 ? "mean %.2g" : "mean %.2f", item("mean", i)) at graph 0.985, graph 0.93 right textcolor rgb muted font type(9.5)
    if (N > 1) { set label 61 say(sprintf("panel.%d", i)) at graph 0, graph 1 left offset 0,0.8 textcolor rgb ink font type(10.5) }
    if (i == 1) { set label 62 "instance, the most loaded first" at screen left + across*columns/2, screen px(36) center textcolor rgb ink }
    mean = item("mean", i)
    fits = item("bars", i) <= 30/columns
    plot data using (one(i)):"utilization" with boxes lc rgb bar, \
         data using (one(i)):"low":(0):(column("high") - column("low")) with vectors heads size graph 0.012,90 lc rgb ink lw 1 dt 1, \
         data using (fits ? one(i) : NaN):(0):(sprintf("%d", column("instance"))) with labels offset 0,-0.9 textcolor rgb muted, \
         mean with lines lc rgb muted dt (6,4) lw 1
    do for [k = 9001:9004] { unset label k }
    unset label 62
}
unset multiplot
