"""The web port: health, metrics and status. Reads snapshots and posts wishes; never reaches into the engine."""
