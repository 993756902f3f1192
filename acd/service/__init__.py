"""The running process: executes the engine's commands on Asterisk and tells the engine what happens there."""
