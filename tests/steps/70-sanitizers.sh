# The unit tests and one whole scenario under AddressSanitizer and UndefinedBehaviorSanitizer.
. tests/steps/lib
sanitized asan -fsanitize=address,undefined tests/unit/*.c
close sanitizers
