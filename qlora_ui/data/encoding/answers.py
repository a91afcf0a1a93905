"""Where the answers lie in a rendered conversation, for any chat template.

1. A template that marks its answers (`{% generation %}`) says it itself.
2. Otherwise the template is asked: it renders the messages before an answer with a generation prompt, which shows where
   the answer starts, and the conversation with a mark behind each answer, which shows where it ends. The marks find the
   end also where a template trims an answer or takes the thinking out of earlier ones. An answer that calls tools ends
   where the template closes it: there the conversation up to it is rendered.

Either way an answer reaches to the end of the special token that closes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from qlora_ui.data.conversation import Message
from qlora_ui.data.templates.render import Renderer, Tools, special_tokens
from qlora_ui.data.templates.sandbox import ChatTemplateError, Span

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_MARK = "\ue000\ue001\ue000"
"""Private characters, in no script and no vocabulary."""


class AnswerFinder:
    """Finds the answers in what one renderer renders."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._specials = special_tokens(renderer.tokenizer)

    def spans(self, messages: Sequence[Message], tools: Tools | None, text: str) -> list[Span] | None:
        """Of every assistant's message in `text`, which is the messages as rendered; each includes the token that ends
        the turn. None when the template hides where an answer lies."""
        answers = [index for index, message in enumerate(messages) if message["role"] == "assistant"]
        if self._renderer.marks_answers:
            marked, spans = self._renderer.render_marked(messages, tools)
            if marked == text and len(spans) == len(answers):
                return [self._closed(text, span, messages[i]) for i, span in zip(answers, spans, strict=True)]
        try:
            return self._asked(messages, tools, text, answers)
        except ChatTemplateError:
            return None

    def _asked(
        self, messages: Sequence[Message], tools: Tools | None, text: str, answers: list[int]
    ) -> list[Span] | None:
        starts = []
        for index in answers:
            start = self._start(messages, tools, text, index)
            if start is None:
                return None
            starts.append(start)
        plain = [index for index in answers if "tool_calls" not in messages[index]]
        ends = self._ends(messages, tools, text, plain)
        if ends is None:
            return None
        spans = []
        for index, start, limit in zip(answers, starts, [*starts[1:], len(text)], strict=True):
            found = ends.get(index)
            if found is None:
                found = self._end_of_calls(messages, tools, text, index, start, limit)
                if found is None:
                    return None
                spans.append((start, found))
            elif found < start:
                return None
            else:
                spans.append((start, self._after_closing(text, found)))
        return spans

    def _start(self, messages: Sequence[Message], tools: Tools | None, text: str, index: int) -> int | None:
        """Where the model begins to write the answer `index`."""
        prompt = self._renderer.render(messages[:index], tools, prompt=True)
        if text.startswith(prompt):
            return len(prompt)
        # What comes before is written differently while it is the last, or the prompt opens a thought that an answer
        # does not have. So only what lies between the message before and the answer is compared.
        for strip in (False, True):
            before, answer = dict(messages[index - 1]), dict(messages[index])
            before["content"] = (str(before["content"]).rstrip() if strip else str(before["content"])) + _MARK
            answer["content"] = _MARK
            marked: Any = [*messages[: index - 1], before, answer, *messages[index + 1 :]]
            parts = self._renderer.render(marked, tools).split(_MARK)
            asked = self._renderer.render(marked[:index], tools, prompt=True).split(_MARK)
            if len(parts) != 3 or len(asked) != 2 or not text.startswith(parts[0] + parts[1]):
                continue
            head, prompted = parts[1], asked[1]
            if prompted.startswith(head) or head.startswith(prompted):
                return len(parts[0]) + min(len(head), len(prompted))
        return None

    def _ends(
        self, messages: Sequence[Message], tools: Tools | None, text: str, plain: list[int]
    ) -> dict[int, int] | None:
        """Where the words of each plain answer end, told by a mark behind it; None when marks change more than that."""
        for strip in (False, True):  # where a template trims answers, the mark has to stand behind the trimmed one
            marked = list(messages)
            for index in plain:
                content = messages[index]["content"]
                marked[index] = {"role": "assistant", "content": (content.rstrip() if strip else content) + _MARK}
            parts = self._renderer.render(marked, tools).split(_MARK)
            if len(parts) == len(plain) + 1 and "".join(parts) == text:
                return {index: sum(map(len, parts[: number + 1])) for number, index in enumerate(plain)}
        return None

    def _end_of_calls(
        self, messages: Sequence[Message], tools: Tools | None, text: str, index: int, start: int, limit: int
    ) -> int | None:
        until = self._renderer.render(messages[: index + 1], tools)
        common = _common_length(until, text)
        following = messages[index + 1]["content"] if index + 1 < len(messages) else ""
        named = text.find(following, start, limit) if following else -1
        for edge in (common, named):
            found = text.find(self._closing, start, edge) if self._closing and edge > start else -1
            if found >= 0:
                return found + len(self._closing)
        if common <= start or not text.startswith(until.rstrip()):
            return None
        closings = [at + len(token) for token in self._specials if (at := text.rfind(token, start, common)) >= 0]
        return max(closings, default=self._after_closing(text, start + len(text[start:common].rstrip())))

    @cached_property
    def _closing(self) -> str:
        """The special token that ends an answer, found with one that is not the last; empty for none."""
        asked: Message = {"role": "user", "content": "ask"}
        try:
            text = self._renderer.render([asked, {"role": "assistant", "content": _MARK}, asked])
        except ChatTemplateError:
            return ""
        at = text.find(_MARK) + len(_MARK)
        return text[at : self._after_closing(text, at)].strip()

    def _closed(self, text: str, span: Span, message: Message) -> Span:
        """A span that a template marked, with the token that closes it if the template left that out."""
        start, end = span
        inside = text[start:end].rstrip()
        last = next((token for token in self._specials if inside.endswith(token)), "")
        if not last:
            return start, self._after_closing(text, end)
        content = message["content"].rstrip()
        is_of_answer = inside.endswith(content) and not inside.removesuffix(last).rstrip().endswith(content)
        if is_of_answer and "tool_calls" not in message:  # the answer itself ends with such a token
            return start, self._after_closing(text, end)
        return span

    def _after_closing(self, text: str, end: int) -> int:
        """The end of the special token that closes the answer; where none does, the end of the answer itself."""
        at = end
        while at < len(text) and text[at].isspace():
            at += 1
        first = self._special_at(text, at)
        if not first:
            return end
        closed = at = at + len(first)
        eos = self._renderer.tokenizer.eos_token
        special = first
        while special and special != eos:  # some close the answer first, and right behind it the turn
            special = self._special_at(text, at)
            at += len(special)
        return at if special else closed

    def _special_at(self, text: str, at: int) -> str:
        return next((token for token in self._specials if text.startswith(token, at)), "")


def ends_with_special(text: str, tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the last thing in the text, white space aside, is a special token."""
    return text.rstrip().endswith(special_tokens(tokenizer)) or text.endswith(special_tokens(tokenizer))


def _common_length(first: str, second: str) -> int:
    if second.startswith(first):
        return len(first)
    pairs = enumerate(zip(first, second, strict=False))
    return next((index for index, pair in pairs if pair[0] != pair[1]), min(len(first), len(second)))
