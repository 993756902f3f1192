"""Pure routing policy: who may take a call, which agent first, which call first. No I/O, no clock."""
