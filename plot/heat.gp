# heat.gp - p99 latency over two swept parameters: colour and number in each cell.
name = "heat"
load "style.gp"
set tics scale 0
unset grid
unset key
set border 0
set palette defined (0 "#440154", 0.13 "#482878", 0.25 "#3e4989", 0.38 "#31688e", 0.5 "#26828e", 0.63 "#1f9e89", 0.75 "#35b779", 0.88 "#6ece58", 0.95 "#b5de2b", 1 "#fde725")
columns = int(num("x_count")); rows = int(num("y_count"))
set xrange [-0.5:columns - 0.5]; set yrange [-0.5:rows - 0.5]
set xtics () nomirror; set ytics () nomirror
do for [i = 0:columns - 1:int(num("x_every"))] { set xtics add (say(sprintf("x_tick.%d", i)) i) }
do for [i = 0:rows - 1:int(num("y_every"))] { set ytics add (say(sprintf("y_tick.%d", i)) i) }
set xlabel say("x_title") textcolor rgb ink
set ylabel say("y_title") textcolor rgb ink
left = 0.075 + 0.0125*(num("y_letters") + 2)
set lmargin at screen left
if (columns*(num("x_letters") + 0.6)*7 > 100*w*(0.865 - left)) {
    set xtics rotate by 35 right
    set bmargin at screen px(62 + 4.6*num("x_letters"))
}
set rmargin at screen 0.865
set cbrange [num("c_low"):num("c_high")]
set cblabel "p99 latency (".unit.")" textcolor rgb ink offset 1.2,0
set colorbox noborder user origin screen 0.885, graph 0 size screen 0.018, graph 1
set cbtics scale 0 textcolor rgb muted
if (num("c_log") > 0) {
    set logscale cb 10
    set cbtics () scale 0
    do for [e = -6:9] { do for [m in steps(num("c_low"), num("c_high"))] {
        set cbtics add (plain(m*10.0**e) m*10.0**e)
    } }
}
# Dark ink on the light end of the palette, white on the rest.
where(v) = num("c_log") > 0 ? log(v/num("c_low"))/log(num("c_high")/num("c_low")) : (v - num("c_low"))/(num("c_high") - num("c_low"))
ink_on(v) = where(v) > 0.62 ? 0x1b1f24 : 0xffffff
print_of(v) = v < 9.95 ? sprintf("%.1f", v) : v < 9999.5 ? sprintf("%.0f", v) : sprintf("%.3g", v)
small = columns > 24 || rows > 20 ? 0 : columns > 14 || rows > 14 ? 7.5 : 9.5
plot data using "x":"y":(0.5):(0.5):(column("p99_ms")/per) with boxxyerror fc palette fs solid noborder, \
     data using (small > 0 ? column("x") : NaN):"y":(print_of(column("p99_ms")/per)):(ink_on(column("p99_ms")/per)) with labels font type(small > 0 ? small : 8) tc rgb variable
