"""Voicemail: boxes with messages that callers leave, and what becomes of them.

A message is a pair of files, ``BOX/ID.wav`` and ``BOX/ID.json``, below ``voicemail`` in the state folder; it exists
from the moment the second one does. While it is being recorded there is a draft instead (see ``drafts``), so that
neither a hang-up in the middle of a word nor the end of the process loses what was said.
"""
