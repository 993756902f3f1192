"""Benchmarks: what decisions, protocols and calls cost, beside peers that do the same work."""
