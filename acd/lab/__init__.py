"""The lab: a real Asterisk with callers and phones of SIPp, on one machine and without root."""
