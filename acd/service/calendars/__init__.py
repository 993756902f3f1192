"""Calendars in the running process: compiled from calendars.yaml, opened and closed by hand, asked by everybody."""
