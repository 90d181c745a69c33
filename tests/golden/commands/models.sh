"$ORRERY" models
