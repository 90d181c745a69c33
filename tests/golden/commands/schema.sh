# The schema that editors load; tests/steps/55-schema.sh has it tried by a validator.
"$ORRERY" schema
