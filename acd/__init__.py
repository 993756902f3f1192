"""Call distribution for Asterisk: the deterministic core, the process around it, and the commands."""
