# The unit tests and one whole scenario on two threads under ThreadSanitizer.
. tests/steps/lib
sanitized tsan -fsanitize=thread
close tsan
