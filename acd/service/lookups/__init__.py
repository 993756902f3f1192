"""Look-ups: what other systems know of a caller, asked over HTTP while the caller hears music.

- ``guard`` says which addresses may be connected to, ``client`` sends requests within that, ``breaker`` spares hosts
  that do not answer.
- ``templates`` fills a caller's data into a request without letting them change it, ``answers`` takes from the answer
  what was asked for.
- ``desk`` puts these together: it carries out look-ups for menu nodes (implements ``ivr.lookups.LookUps``).
- ``customers`` tells who calls.
"""
