# Who may include whom.
exec sh tests/layers
