# Runs every unit test program and adds up their closing lines.
. tests/steps/lib
make -s -j"$JOBS" unit-programs || bad "the unit tests do not build"
[ "$failed" -ne 0 ] || run_programs release
close unit
