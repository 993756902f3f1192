"""Menu trees: the node types, the interpreter that walks them over a narrow `Line`, and the rules for saying numbers.

Standard library only, and no clock, socket or randomness of its own: the line brings the time with it, so the same
tree runs on a telephone channel, in a terminal and in a test in virtual time.

- `ivr.line` is what a tree may do to a call, `ivr.speech` what it may say.
- `ivr.tree` holds nodes, trees and the forest; `ivr.nodes` the node types, one file each, and their registry.
- `ivr.interpreter` walks a call through a forest; `ivr.outcome` is what it comes back with; `ivr.record` what it
  reports.
- `ivr.languages` turns digits and numbers into words.
"""
