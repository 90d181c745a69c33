# Builds the program with warnings as errors.
. tests/steps/lib
if make -s -j"$JOBS" all; then ok "the program builds"; else bad "the program does not build"; fi
close build
