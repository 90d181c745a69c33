# The unit tests that know threads (they see engine/experiment or pthread.h) and one whole scenario
# on two workers, under ThreadSanitizer.
. tests/steps/lib
sanitized tsan -fsanitize=thread $(grep -l -e 'engine/experiment/' -e 'pthread\.h' tests/unit/*.c)
close tsan
