"""Where a caller is in menus and subtrees: the way back, and the way out.

`CallContext.menus` is the way down the menus, over subtrees; each `Frame` notes how long it was when its subtree was
entered. So `back` in the first menu of a subtree leads out of it, to the menu before, and the subtree is left by that.
"""

from __future__ import annotations

from collections.abc import Mapping

from ivr.context import CallContext, Frame
from ivr.outcome import NodeId
from ivr.tree import tree_of


def enter(call: CallContext, at: NodeId, params: Mapping[str, str]) -> None:
    """Note that the node `at` calls a subtree."""
    call.frames.append(Frame(at, params, len(call.menus)))


def leave(call: CallContext) -> NodeId:
    """Leave the innermost subtree, whose menus are on no way back; returns the node that called it."""
    frame = call.frames.pop()
    del call.menus[frame.menus :]
    return frame.caller


def leave_for(call: CallContext, at: NodeId, to: NodeId) -> None:
    """Leave the subtrees that a plain step from `at` to `to` leads out of.

    It does if it leads to another tree, and that one is further out: the tree of a node that called a subtree.
    """
    tree = tree_of(to)
    if not call.frames or tree == tree_of(at):
        return
    for depth in reversed(range(len(call.frames))):
        if tree_of(call.frames[depth].caller) == tree:
            del call.frames[depth:]
            first = call.frames[-1].menus if call.frames else 0
            # The menus of the subtrees stay on the way back, each of them once, as `note_menu` has it.
            call.menus[first:] = dict.fromkeys(call.menus[first:])
            return


def note_menu(call: CallContext, at: NodeId) -> None:
    """Note that the caller has come to a menu.

    Coming to it again, by whatever way, goes back to where it was first in this subtree: so the list has each menu
    once in each subtree and stays short.
    """
    first = call.frames[-1].menus if call.frames else 0
    if at in call.menus[first:]:
        del call.menus[call.menus.index(at, first) :]
    call.menus.append(at)


def back(call: CallContext, at: NodeId) -> NodeId:
    """The menu before this one; from the first menu: itself."""
    menus = call.menus
    first = call.frames[-1].menus if call.frames else 0
    length = menus.index(at, first) if at in menus[first:] else len(menus)
    return _to_menu(call, length - 1) if length else at


def top(call: CallContext, at: NodeId, to: NodeId | None = None) -> NodeId:
    """The node `to`, as it was come to first; the first menu that the caller heard, if there is none.

    What the caller has not been at before is outside of all subtrees.
    """
    if to is None:
        return _to_menu(call, 0) if call.menus else at
    if to in call.menus:
        return _to_menu(call, call.menus.index(to))
    call.frames.clear()
    call.menus.clear()
    return to


def _to_menu(call: CallContext, place: int) -> NodeId:
    to = call.menus[place]
    while call.frames and place < call.frames[-1].menus:
        call.frames.pop()
    del call.menus[place + 1 :]
    return to
