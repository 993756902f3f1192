"""What connects the engine to Asterisk: AMI and AGI codecs without I/O, and the asyncio client and server on them."""
