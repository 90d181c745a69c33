# Forbidden calls, long lines, two draws in one expression.
exec sh tests/style
