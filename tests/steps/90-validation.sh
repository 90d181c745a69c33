# Every model against theory and published results; the table of README (tests/validation/readme).
. tests/steps/lib
if make -s -j"$JOBS" validation-program; then
    run_program "$BUILD/tests/validation/run" -j "$JOBS"
else
    bad "the validation does not build"
fi
close validation
