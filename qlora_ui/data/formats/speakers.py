"""Who speaks in the messages of some data, and under which keys they do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from qlora_ui.data.formats.detected import Detected
from qlora_ui.data.formats.messages import READ, REASONING, ROLES
from qlora_ui.data.formats.sample import Sample
from qlora_ui.data.formats.shapes import CONTENT_KEYS, KEY_PARTS, KINDS, ROLE_KEYS
from qlora_ui.data.formats.values import listed

_NAMES_SHOWN = 50
_LONGEST_NAME = 80
"""Characters: a speaker's name is not longer, unless what was taken for names is none."""

_MEDIA = ("image", "images", "video", "videos", "audio", "audios")


def with_speakers(found: Detected, sample: Sample, mapping: Mapping[str, str], roles: Mapping[str, str]) -> Detected:
    """What was found of the columns, with what is found in their messages: keys, speakers, and what is not used."""
    chats = [column for part, column in found.mapping.items() if KINDS.get(part) in ("chat", "side")]
    messages = sample.messages(dict.fromkeys(chats))
    notes = [found.seen, *_media(found, sample)]
    role, content = mapping.get("role_key", ""), mapping.get("content_key", "")
    keys = sample.keys_of(chats)
    default = ("from", "value") if found.format == "sharegpt" else ("role", "content")
    role, content = role or (keys or default)[0], content or (keys or default)[1]
    if not messages:
        return replace(found, seen=_joined(notes), roles=dict(roles))
    if not mapping.keys() & set(KEY_PARTS) and (role not in ROLE_KEYS or content not in CONTENT_KEYS):
        notes.append(f"Speakers are taken from the key {role} and what they say from {content}.")
        found = replace(found, sureness="unsure")
    spoken = _speakers(messages, role, roles)
    if strange := [name for name, known in spoken.items() if not known]:
        notes.append(f"Not known as speakers: {listed(strange[:5])}.")
        found = replace(found, sureness="likely") if found.sureness == "certain" else found
    notes += _unused(messages, role, content)
    return replace(
        found,
        mapping={**found.mapping, "role_key": role, "content_key": content},
        roles=spoken,
        seen=_joined(notes),
        message_keys=tuple(dict.fromkeys(str(key) for message in messages for key in message)),
    )


def _speakers(messages: list[dict[str, Any]], role_key: str, roles: Mapping[str, str]) -> dict[str, str]:
    """The speakers' names → the roles they are taken as, as a person says or as it is known; empty for neither."""
    said = {name.strip().lower(): role for name, role in roles.items() if role}
    spoken = dict.fromkeys(message[role_key] for message in messages if isinstance(message.get(role_key), str))
    names = [name for name in spoken if len(name) <= _LONGEST_NAME][:_NAMES_SHOWN]
    known: dict[str, str] = {**ROLES, **said}
    return {**roles, **{name: known.get(name.strip().lower(), "") for name in names}}


def _unused(messages: list[dict[str, Any]], role_key: str, content_key: str) -> Iterable[str]:
    keys = dict.fromkeys(str(key) for message in messages for key, value in message.items() if value is not None)
    if thoughts := [key for key in REASONING if key in keys]:
        yield f"What the key {thoughts[0]} holds stands before the answer, between <think> and </think>."
    if unused := [key for key in keys if key not in READ and key not in (role_key, content_key)]:
        yield f"These keys of messages are not used: {', '.join(unused[:8])}."


def _media(found: Detected, sample: Sample) -> Iterable[str]:
    used = found.mapping.values()
    columns = [sample.column((name,)) for name in _MEDIA]
    if media := [column for column in columns if column and column not in used and any(sample.values(column))]:
        yield f"Only text is trained; not used: {listed(media)}."


def _joined(notes: Iterable[str]) -> str:
    return " ".join(note for note in notes if note)
