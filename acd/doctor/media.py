"""Checks of what callers hear: codecs, sounds, music, prompts."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from acd.doctor.conf_files import Sections, setting
from acd.doctor.findings import Findings, ok, some, unchecked, warning
from acd.doctor.site import Site

__all__ = ["check_codecs", "check_music", "check_prompts", "check_sounds"]

# Modules that turn a codec into plain samples; without one, sounds can't be played to a phone that has no other codec.
TRANSLATORS: Final[Mapping[str, tuple[str, ...]]] = {
    "ulaw": ("codec_ulaw",),
    "alaw": ("codec_alaw",),
    "gsm": ("codec_gsm",),
    "g722": ("codec_g722",),
    "opus": ("codec_opus", "codec_opus_open_source"),
    "g729": ("codec_g729", "codec_g729a"),
    "g726": ("codec_g726",),
    "ilbc": ("codec_ilbc",),
    "speex": ("codec_speex",),
    "speex16": ("codec_speex",),
    "speex32": ("codec_speex",),
    "g726aal2": ("codec_g726",),
    "adpcm": ("codec_adpcm",),
    "lpc10": ("codec_lpc10",),
    "codec2": ("codec_codec2",),
    "g723": ("codec_g723",),
    "silk8": ("codec_silk",),
    "silk12": ("codec_silk",),
    "silk16": ("codec_silk",),
    "silk24": ("codec_silk",),
    "siren7": ("codec_siren7",),
    "siren14": ("codec_siren14",),
}
# Pictures and text (codec_builtin.c), which Asterisk passes on and never translates.
NO_SOUND: Final = frozenset(
    {"jpeg", "png", "h261", "h263", "h263p", "h264", "h265", "mpeg4", "vp8", "vp9", "av1", "red", "t140"}
)
CLOSED_SOUNDS: Final = ("im-sorry", "please-try-call-later", "please-try-again")


def check_codecs(site: Site) -> Findings:
    """Can Asterisk translate each codec that an agent's phone or the trunk for calls outside may choose?"""
    allowed = {who: codecs for who, endpoint in _endpoints(site) if (codecs := _allowed(site, endpoint))}
    codecs = sorted({codec for each in allowed.values() for codec in each})
    lacking = [codec for codec in codecs if not _translates(site, codec)]
    mute = [who for who, each in allowed.items() if set(each) <= set(lacking)]
    if mute:
        named = [f"{who} ({', '.join(allowed[who])})" for who in mute]
        yield warning(
            "codecs",
            f"Asterisk can't translate any codec of the phones of {some(named)}",
            "allow ulaw or alaw for these endpoints in pjsip.conf, or install the codec's module",
        )
    for codec in lacking:
        users = [who for who, each in allowed.items() if codec in each and who not in mute]
        if users:
            yield warning(
                "codecs",
                f"Asterisk can't translate {codec}, which {some(users)} may choose: such a call would be without sound",
                f"take {codec} out of 'allow' of these endpoints in pjsip.conf, or install the codec's module",
            )
    if not codecs:
        yield unchecked("codecs", "no codecs of agents' phones could be read", "asterisk -rx 'core show translation'")
    elif not lacking:
        yield ok("codecs", f"the phones use {', '.join(codecs)}, and Asterisk can translate")


def _endpoints(site: Site) -> Iterator[tuple[str, str]]:
    """Yield whose each PJSIP endpoint is, and its name: behind the @ when a number stands before it."""
    devices = [(name, agent.phone) for name, agent in site.config.agents.items()]
    trunk = site.config.routing.outbound.trunk
    for who, device in [*devices, ("the trunk", trunk)] if trunk else devices:
        technology, _slash, address = device.partition("/")
        if technology == "PJSIP":
            yield who, address.partition("@")[2] or address.partition("/")[0]


def _allowed(site: Site, endpoint: str) -> list[str]:
    return [codec for codec in _names(site.ami.value(f"PJSIP_ENDPOINT({endpoint},allow)")) if codec not in NO_SOUND]


def _translates(site: Site, codec: str) -> bool:
    return codec.startswith("slin") or any(map(site.ami.is_module_loaded, TRANSLATORS.get(codec, ())))


def _names(value: str) -> list[str]:
    return [name.partition("@")[0] for name in value.strip("()").replace(",", "|").split("|") if name]


def check_sounds(site: Site) -> Findings:
    """Are the sounds of the dialplan's own messages there?"""
    if site.data_dir is None:
        yield unchecked(
            "sounds",
            f"Asterisk's files are not to be seen from here; sounds needed there: {', '.join(CLOSED_SOUNDS)}",
            "asterisk -rx 'core show sounds' and look into /var/lib/asterisk/sounds",
        )
        return
    chosen = site.ami.value("ACD_CLOSED_PROMPT")
    wanted = sorted({*CLOSED_SOUNDS, *(chosen.split("&") if chosen else ())})
    folders = [site.data_dir / "sounds", *(site.data_dir / "sounds").glob("[a-z][a-z]*")]
    missing = [sound for sound in wanted if not _has_sound(sound, folders)]
    if missing:
        yield warning(
            "sounds",
            f"in {site.data_dir / 'sounds'} there is no {', no '.join(missing)}: callers hear nothing instead",
            "install Asterisk's core sounds (Debian: asterisk-core-sounds-en-gsm), or set ACD_CLOSED_PROMPT",
        )
    else:
        yield ok("sounds", f"the {len(wanted)} sounds of the dialplan's own messages are there")


def _has_sound(sound: str, folders: list[Path]) -> bool:
    if sound.startswith("/"):
        return any(Path(sound).parent.glob(Path(sound).name + ".*"))
    return any(any((folder / sound).parent.glob((folder / sound).name + ".*")) for folder in folders)


def check_music(site: Site) -> Findings:
    """Does every queue's music exist, with something to play?"""
    classes = {queue.music for queue in site.config.routing.queues.values()}
    classes.add(site.ami.value("ACD_MUSIC") or "default")
    sections = site.conf("musiconhold.conf")
    if sections is None or site.data_dir is None:
        yield unchecked(
            "music",
            f"musiconhold.conf can't be read from here; classes in use: {', '.join(sorted(classes))}",
            "asterisk -rx 'moh show classes' must list them, and 'moh show files' something to play for each",
        )
        return
    troubles = {name: trouble for name in sorted(classes) if (trouble := _music_trouble(sections, name, site.data_dir))}
    for name, trouble in troubles.items():
        yield warning(
            "music",
            f"music class {name!r} {trouble}: callers would wait in silence",
            "mend musiconhold.conf (Debian's music: asterisk-moh-opsound-gsm), then: moh reload",
        )
    if not troubles:
        yield ok("music", f"music for waiting callers: {', '.join(sorted(classes))}")


def _music_trouble(sections: Sections, name: str, data_dir: Path) -> str:
    if name not in sections:
        return "is not in musiconhold.conf"
    if setting(sections, name, "mode") != "files":
        return ""  # streams, playlists and realtime are the site's own affair
    folder = data_dir / (setting(sections, name, "directory") or "moh")
    try:
        return "" if any(path.is_file() for path in folder.iterdir()) else f"has no file in {folder}"
    except OSError as error:
        return f"can't use {folder} ({error.strerror})"


def check_prompts(site: Site) -> Findings:
    """Can Asterisk's user read the prompts that the engine puts into its cache?"""
    folder = site.config.acd.cache_dir / "prompts"
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if site.etc_dir is None:
        yield unchecked(
            "prompts",
            f"Asterisk's files are not to be seen from here; it must see the folder {folder} under the same path",
            "share it (NFS, a common volume), read-only for Asterisk",
        )
        return
    user = site.ami.action("CoreSettings").get("CoreRunUser", "")
    try:
        closed = next((path for path in (existing, *existing.parents) if not _may_enter(path, user)), None)
    except OSError as error:
        yield unchecked("prompts", f"{existing}: {error.strerror}", "run this as the engine's user")
        return
    if closed is not None:
        yield warning(
            "prompts",
            f"Asterisk's user {user!r} may not enter {closed}, so it can't play the prompts in {folder}",
            f"chmod o+x {closed}, or set cache_dir to a folder that it can read",
        )
    else:
        yield ok("prompts", f"Asterisk can read {folder}")


def _may_enter(folder: Path, user: str) -> bool:
    """Whether a user may enter a folder; with no user known (Asterisk runs as root, or as whoever started it) yes."""
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        return True
    state = folder.stat()
    if account.pw_uid in (0, state.st_uid):
        return account.pw_uid == 0 or bool(state.st_mode & 0o100)
    if state.st_gid in os.getgrouplist(user, account.pw_gid):
        return bool(state.st_mode & 0o010)
    return bool(state.st_mode & 0o001)
