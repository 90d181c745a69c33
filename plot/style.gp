# style.gp - house style and common ground; every script sets `name` and loads this. Beside a script
# lie NAME.csv (numbers only) and NAME.txt (what is said and set, a key and a text a line): edit any
# of them and run `gnuplot NAME.gp` here to draw the picture again. To be set before, or left out:
#   out = 'latency.png' (its suffix picks the terminal)   w, h in inches   dark = 0|1   font
if (!exists("dark")) dark = 0
if (!exists("font")) font = "DejaVu Sans"
data = name.".csv"
words = name.".txt"
set encoding utf8

# NAME.txt. Names from scenarios come in here, as strings, and are never run nor marked up. The
# separator is a tab because strcol() would cut a quoted text at its first comma.
set datafile separator "\t"
set datafile columnheaders
stats words using (0) nooutput
array word_key[int(STATS_records)]
array word_text[int(STATS_records)]
stats words using (word_key[int($0) + 1] = strcol(1), word_text[int($0) + 1] = strcol(2), 0) nooutput
word_at(key) = int(sum [word_i = 1:|word_key|] (word_key[word_i] eq key ? word_i : 0))
say(key) = word_at(key) ? word_text[word_at(key)] : ""
num(key) = word_at(key) ? real(word_text[word_at(key)]) : 0
label(i) = say(sprintf("label.%d", i))
# Latencies stand in ms in NAME.csv; they are drawn in the unit that NAME.txt says.
per = num("unit_ms") > 0 ? num("unit_ms") : 1
unit = say("unit")
if (!exists("w")) w = num("width") > 0 ? num("width") : 6.4
if (!exists("h")) h = num("height") > 0 ? num("height") : 3.8
# NaN stands where there is no value: gnuplot would join a line across an empty field.
set datafile separator comma
set datafile commentschars ""
of(i) = column("line") == i ? 1 : NaN

ink   = dark ? "#e6e8eb" : "#1b1f24"
muted = dark ? "#9aa3ad" : "#5b6570"
grid  = dark ? "#3a414a" : "#e2e5e9"
paper = dark ? "#16191d" : "#ffffff"
fault = "#D55E00"
faint = dark ? "#22272d" : "#f1f3f5"
bar   = "#0072B2"
if (!exists("out")) out = name.".".say("format")
ext = out[strlen(out) - 2:]
# One logical size in every format: 100 px an inch, png doubled for sharp screens. `noenhanced`
# everywhere: no text is ever markup.
# A browser without the font takes the next one; `&#44;` is a comma that does not end the name here.
if (ext eq "svg") { font = font."&#44; Verdana&#44; sans-serif" }
if (ext eq "svg") { set terminal svg size 100*w,100*h dynamic butt noenhanced font font.",12" background paper }
if (ext eq "png") { set terminal pngcairo size 200*w,200*h fontscale 2 linewidth 2 pointscale 2 butt noenhanced font font.",9" background paper }
if (ext eq "pdf") { set terminal pdfcairo size w,h fontscale 0.72 linewidth 1.6 butt noenhanced font font.",12" background paper }
set output out
type(size) = sprintf("%s,%g", font, ext eq "png" ? size*0.75 : size)
# The svg terminal writes bold its own way.
bold(size) = ext eq "svg" ? sprintf("%s Bold,%g", font, size) : sprintf("%s:Bold,%g", font, ext eq "png" ? size*0.75 : size)

# Okabe-Ito order: told apart by colour-blind readers; dash and mark differ too, so grey print works.
set linetype 1 lc rgb "#0072B2" lw 1.8 dt 1          pt 7  ps 0.45
set linetype 2 lc rgb "#D55E00" lw 1.8 dt (12,4)     pt 5  ps 0.45
set linetype 3 lc rgb "#009E73" lw 1.8 dt (5,3)      pt 9  ps 0.55
set linetype 4 lc rgb "#CC79A7" lw 1.8 dt (12,4,3,4) pt 13 ps 0.6
set linetype 5 lc rgb "#E69F00" lw 1.8 dt (2,2)      pt 11 ps 0.55
set linetype 6 lc rgb "#56B4E9" lw 1.8 dt 1          pt 6  ps 0.5
set linetype 7 lc rgb ink       lw 1.8 dt 1          pt 4  ps 0.5
set linetype cycle 7
# The height of `pixels` (100 an inch) as a part of the picture.
px(pixels) = pixels/(100.0*h)
# Where the plot ends if the key stands at its right side, and how wide it is if it stands in a row.
beside = 0.97 - (7.6*num("letters") + 62)/(100*w)
in_a_row = num("lines")*(7.6*num("letters") + 48)/(100*w)

set border 3 lc rgb muted lw 0.8
set tics nomirror out scale 0.6,0.3 textcolor rgb muted
set grid ytics lt 1 lc rgb grid lw 0.8 dt solid
set key textcolor rgb ink samplen 2.2 spacing 1.15 width 0 noautotitle
set tmargin at screen 1 - px(74 + (strlen(say("note")) > 0 ? 16 : 0)); set rmargin 4; set bmargin 4.4; set lmargin 10

# Labels at 1, 2 and 5 on a logarithmic axis of a few decades, at the decades alone on a longer one.
steps(low, high) = high/low <= 1000 ? "1 2 5" : "1"
plain(x) = x >= 1e6 ? sprintf("%gM", x/1e6) : sprintf("%g", x)

# Title, subtitle and note at the left above, provenance at the foot. Drawn with the first plot.
set label 9001 say("title")    at screen 0.015, screen (1 - px(18)) left font bold(14.5) textcolor rgb ink
set label 9002 say("subtitle") at screen 0.015, screen (1 - px(41)) left font type(10.5) textcolor rgb muted
set label 9003 say("note")     at screen 0.015, screen (1 - px(58)) left font type(10.5) textcolor rgb muted
set label 9004 say("foot")     at screen 0.985, 0.022 right font type(8) textcolor rgb muted
