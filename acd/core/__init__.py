"""The deterministic core: events in, commands out, no I/O, no clock, no randomness of its own."""
