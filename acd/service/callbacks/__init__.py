"""Callers who are called back: they keep their place in a queue without a line to us.

- ``entries``: what was promised, as it is kept.
- ``ledger``: all of it, with the bounds on how much may be promised; the file in the state folder.
- ``policy``: what the site has set.
- ``numbers``: which numbers may be called back, and how they are written.
- ``desk``: promises, waits for the right moment, and hands over to the agent's or the customer's side.
- ``agent_first``, ``customer_first``: the two ways of bringing agent and customer together.
"""
