# A short fuzz of every target in tests/fuzz; `make fuzz` runs longer.
exec sh tests/fuzz/run 20
