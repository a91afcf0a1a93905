"""What a person should know of a chat template before training with it: tried out on a conversation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from qlora_ui.contract.errors import DataError, ModelError
from qlora_ui.contract.inspection import Finding, Level, TemplateView
from qlora_ui.data.conversation import Conversation, Message, Turn
from qlora_ui.data.encoding.encoder import Encoder
from qlora_ui.data.templates.named import LIBRARY, adds_bos, apply_template, name_of
from qlora_ui.data.templates.render import Renderer, special_tokens, template_source
from qlora_ui.data.templates.sandbox import ChatTemplateError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SAMPLE = Conversation(
    (
        Turn("system", "You are a helpful assistant."),
        Turn("user", "What is the capital of France?"),
        Turn("assistant", "The capital of France is Paris.", trained=True),
        Turn("user", "And of Italy?"),
        Turn("assistant", "That is Rome.", trained=True),
    ),
    "the sample conversation",
)
"""For data of which nothing can be shown yet."""

_MARKER = re.compile(r"<\|[^|<>{}'\"\s]{1,40}\|>|<(?:start|end)_of_turn>|\[/?[A-Z][A-Z_]+\]|</?s>")
"""What control tokens look like in the text of a template."""


def describe(
    tokenizer: PreTrainedTokenizerBase, chat_template: str = "", sample: Conversation | None = None
) -> TemplateView:
    """The template that a recipe's `chat_template` stands for, with what is odd about it for this tokenizer.

    `sample` is a conversation of the data. A template with a mistake gets a finding of level `error` that names the
    line; nothing is raised.
    """
    try:
        used = apply_template(tokenizer, chat_template)
        encoder = Encoder(used)
    except ModelError as error:
        return TemplateView(
            name=_name(tokenizer, chat_template),
            source="This chat template cannot be used.",
            text=chat_template,
            findings=[_finding("broken", "error", error.message, error.hint)],
        )
    conversation = sample if sample is not None and not sample.is_text else SAMPLE
    return TemplateView(
        name=_name(tokenizer, chat_template),
        source=template_source(tokenizer, chat_template),
        text=encoder.renderer.template,
        findings=list(_findings(encoder, conversation)),
    )


def _name(tokenizer: PreTrainedTokenizerBase, chat_template: str) -> str:
    chosen = chat_template.strip()
    if chosen:
        return chosen.lower() if chosen.lower() in LIBRARY else "custom"
    own = tokenizer.chat_template
    return "plain" if not own or (isinstance(own, str) and name_of(own) == "plain") else "own"


def _findings(encoder: Encoder, conversation: Conversation) -> Iterator[Finding]:
    renderer = encoder.renderer
    try:
        _try_out(renderer)
        messages, tools = renderer.messages(conversation)
        text = renderer.render(messages, tools)
    except ChatTemplateError as problem:
        yield _not_rendered(problem)
        return
    yield from _dropped(text, conversation)
    yield from _answers(encoder, conversation)
    yield from _begin(renderer, text)
    yield from _cut_markers(renderer)
    yield from _prompt(renderer, messages, text)
    yield from _rewritten(renderer, conversation)


def _try_out(renderer: Renderer) -> None:
    """One question and its answer, before a template that never ends is asked for all that it knows."""
    try:
        renderer.render([turn.message for turn in SAMPLE.turns[1:3]])
    except ChatTemplateError as problem:
        if not problem.refused:
            raise


def _not_rendered(problem: ChatTemplateError) -> Finding:
    if problem.refused:
        message = f"The chat template refuses a conversation of this data: {problem.reason}."
        return _finding("refused", "error", message, "Change the turns to what it knows, or choose another template.")
    where = "" if problem.line is None else f" in line {problem.line}"
    message = f"The chat template breaks{where}: {problem.reason}."
    return _finding("broken", "error", message, "Mend the template there, or choose another one.")


def _dropped(text: str, conversation: Conversation) -> Iterator[Finding]:
    """What the template leaves out."""
    hint = "Choose a template that writes it, or change this one."
    first, last = conversation.turns[0], conversation.turns[-1]
    if first.role == "system" and first.content.strip() not in text:
        yield _finding("drops_system", "warning", "The chat template leaves out the system turn.", hint)
    # The thinking before an answer may be left out on purpose.
    if last.content.rpartition("</think>")[2].strip() not in text:
        yield _finding("drops_answer", "error", "The chat template leaves out the last answer.", hint)
    elif any(turn.content.rpartition("</think>")[2].strip() not in text for turn in conversation.turns[1:-1]):
        message = "The chat template leaves out a turn of the conversation, or changes its text."
        yield _finding("drops_turn", "warning", message, hint)


def _answers(encoder: Encoder, conversation: Conversation) -> Iterator[Finding]:
    try:
        encoded = encoder.encode(conversation)
    except DataError as error:
        message = error.message.removeprefix(f"{error.place}: ")
        yield _finding("hides_answers", "error", message[:1].upper() + message[1:], error.hint)
        return
    special = _special_ids(encoder.tokenizer)
    trained = encoded.trained.tolist()
    if not any(trained):
        return
    followed = [*trained[1:], False]
    edges = [index for index, is_trained in enumerate(trained) if is_trained and not followed[index]]
    if encoded.end_added:
        edges = edges[:-1]
    unended = [index for index in edges if int(encoded.ids[index]) not in special]
    if encoded.end_added:
        message = "The chat template ends an answer with no token; the model's end of sequence is put behind the last."
        yield _finding("end_added", "note", message)
    if unended:
        message = "The token that ends a turn would not be trained: the model would not learn when to stop."
        hint = "End each answer with a token of this model, such as its end of sequence, inside the generation block."
        yield _finding("end_not_trained", "warning", message, hint)


def _begin(renderer: Renderer, text: str) -> Iterator[Finding]:
    bos = renderer.tokenizer.bos_token
    if not bos or bos == renderer.tokenizer.eos_token:
        return
    if text.startswith((bos + bos, f"{bos} {bos}")):
        message = f"The chat template writes the begin of sequence ({bos}) twice."
        yield _finding("bos_doubled", "warning", message, "Take one of them out of the template.")
    elif text.startswith(bos) and adds_bos(renderer.tokenizer):
        message = f"The chat template writes the begin of sequence ({bos}), and the tokenizer adds it too."
        hint = "It is trained once. Programs that tokenise rendered text with special tokens would double it."
        yield _finding("bos_doubled", "note", message, hint)
    elif adds_bos(renderer.tokenizer):
        message = (
            f"The chat template does not write the begin of sequence ({bos}) that this tokenizer puts before text."
        )
        hint = "Most models want it: begin the template with {{ bos_token }}."
        yield _finding("bos_missing", "warning", message, hint)


def _cut_markers(renderer: Renderer) -> Iterator[Finding]:
    tokenizer = renderer.tokenizer
    try:  # some templates put their markers together from pieces
        written = renderer.render(*renderer.messages(SAMPLE))
    except ChatTemplateError:
        written = ""
    markers = list(dict.fromkeys(_MARKER.findall(renderer.template) + _MARKER.findall(written)))
    cut = [(marker, len(tokenizer(marker, add_special_tokens=False, verbose=False).input_ids)) for marker in markers]
    cut = [(marker, pieces) for marker, pieces in cut if pieces > 1 and marker not in special_tokens(tokenizer)]
    if not cut:
        return
    named = ", ".join(f"{marker} ({pieces} pieces)" for marker, pieces in cut[:6])
    more = f" and {len(cut) - 6} more" if len(cut) > 6 else ""
    message = f"The markers of the chat template are no tokens of this model and are cut into pieces: {named}{more}."
    hint = "It can be trained, but another template fits this model better."
    yield _finding("markers_cut", "warning", message, hint, count=len(cut))


def _prompt(renderer: Renderer, messages: list[Message], text: str) -> Iterator[Finding]:
    if not messages or messages[-1]["role"] != "assistant":
        return
    try:
        bare = renderer.render(messages[:-1])
        prompt = renderer.render(messages[:-1], prompt=True)
    except ChatTemplateError:
        return
    at = text.rfind(messages[-1]["content"].strip())
    if prompt == bare and text[len(bare) : at].strip():
        message = "The chat template writes no generation prompt, so that the model itself has to begin its turn."
        hint = "Write the head of an answer where add_generation_prompt is true."
        yield _finding("no_generation_prompt", "warning", message, hint)


def _rewritten(renderer: Renderer, conversation: Conversation) -> Iterator[Finding]:
    abilities = renderer.abilities
    if conversation.turns[0].role == "system" and not abilities.system:
        message = "The chat template knows no system turn, so its text is put at the head of the first user turn."
        yield _finding("system_folded", "note", message)
    if not abilities.calls and any(turn.calls or turn.role == "tool" for turn in conversation.turns):
        message = (
            "The chat template knows no calls of tools: they are written as JSON text, their results as user turns."
        )
        yield _finding("calls_as_text", "note", message)
    if conversation.tools and not abilities.tools:
        message = "The chat template does not list tools: they are put at the head of the system turn as JSON text."
        yield _finding("tools_as_text", "note", message)


def _special_ids(tokenizer: PreTrainedTokenizerBase) -> set[int]:
    return set(tokenizer.convert_tokens_to_ids(list(special_tokens(tokenizer))))


def _finding(kind: str, level: Level, message: str, hint: str = "", count: int = 0) -> Finding:
    return Finding(kind=kind, level=level, message=message, hint=hint, count=count)
