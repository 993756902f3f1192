"""What ``acd doctor`` looks at: an Asterisk and its set-up, seen with the rights of the engine's own AMI user."""
