"$ORRERY" --help
