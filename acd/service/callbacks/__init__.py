"""Callers who are called back: they keep their place in a queue without a line to us.

- ``entries``: what was promised, as it is kept.
- ``ledger``: all of it, with the bounds on how much may be promised; the file in the state folder.
- ``policy``: what the site has set.
- ``numbers``: which numbers may be called back, and how they are written.
- ``desk``: all callbacks, as the rest of the process sees them.
- ``runs``: what each is doing: waiting in its queue or until it may, and its end.
- ``agents_turn``, ``customers_turn``: the two ways of bringing agent and customer together; ``agent_first`` is what is
  said and dialled on the agent's line, ``customer_first`` how customers' phones are rung.
- ``expecting``, ``aside``: for how many customers there are agents; who lets others go first meanwhile.
"""
