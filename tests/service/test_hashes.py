"""Secrets against real argon2 hashes, and hashes that ask for too much or are none."""

from __future__ import annotations

import asyncio

import pytest
from argon2 import PasswordHasher, Type

from acd.service.hashes import Argon2Hashes

CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


async def test_only_the_right_secret_matches() -> None:
    hashes = Argon2Hashes()
    hashed = CHEAP.hash("4711")

    assert await hashes.matches(hashed, "4711") is True
    assert await hashes.matches(hashed, "4712") is False
    assert await hashes.matches(hashed, "") is False


@pytest.mark.parametrize("kind", list(Type))
async def test_each_kind_of_argon2_is_known(kind: Type) -> None:
    hashed = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1, type=kind).hash("4711")

    assert await Argon2Hashes().matches(hashed, "4711") is True


@pytest.mark.parametrize(
    "hashed",
    [
        "",
        "4711",
        "$argon2id$v=19$m=64,t=1,p=1$nosalt",
        "$argon2id$v=19$m=64,t=1,p=1$!!!!$!!!!",
        "$2b$12$abcdefghijklmnopqrstuv",
        "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$hash",
        "$argon2id$v=19$m=64,t=4000000000,p=1$c29tZXNhbHQ$hash",
        "$argon2id$v=19$m=64000,t=1,p=4000$c29tZXNhbHQ$hash",
    ],
)
async def test_what_is_no_usable_hash_matches_nothing(hashed: str) -> None:
    async with asyncio.timeout(5):
        assert await Argon2Hashes().matches(hashed, "4711") is None


async def test_the_loop_goes_on_meanwhile_and_only_so_many_are_compared_at_once() -> None:
    hashes = Argon2Hashes(at_once=1)
    hashed = PasswordHasher().hash("4711")
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    turning = asyncio.create_task(turn())
    results = await asyncio.gather(*(hashes.matches(hashed, secret) for secret in ("4711", "1", "4711")))
    turning.cancel()

    assert results == [True, False, True]
    assert turns > 10
