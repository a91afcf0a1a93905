from __future__ import annotations

from dataclasses import replace

from qlora_ui.data.conversation import Conversation, Turn

ASK = Turn("user", "hi")
ANSWER = Turn("assistant", "ho", trained=True)


def test_fingerprints_tell_what_is_trained() -> None:
    one = Conversation((ASK, ANSWER), "a, line 1", 1)
    assert one.fingerprint == Conversation((ASK, ANSWER), "a, line 9", 9).fingerprint
    others = [
        Conversation((ASK, Turn("assistant", "ho"))),
        Conversation((Turn("user", "hi assistant True 2 ho"),)),
        Conversation((ASK, Turn("assistant", "ho ", trained=True))),
        Conversation((ASK, replace(ANSWER, calls="[]"))),
        replace(one, tools="[]"),
    ]
    assert len({one.fingerprint, *(other.fingerprint for other in others)}) == 6
