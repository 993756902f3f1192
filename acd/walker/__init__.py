"""Trying menus without a telephone: walking a tree in a terminal, and drawing it.

- `acd.walker.walk` runs the menus' own interpreter on a line whose caller sits at a keyboard or follows a script.
- `acd.walker.graph` makes the picture of a site's trees, `acd.walker.graph_layout` finds the places,
  `acd.walker.graph_svg` draws.
"""
