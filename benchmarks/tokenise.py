"""How fast data become tokens, beside a plain `datasets.map` over the same tokenizer.

    python benchmarks/tokenise.py [--rows 120000] [--runs 3] [--json]

Rows of about 1 KB, each a question and an answer in JSON Lines, go through a byte-level BPE tokenizer with 32,000
tokens and a ChatML template. Every run starts from the file, without a cache, on all cores, and they take turns, each
time in the other order:

    plain      `load_dataset("json")`, then `map` with `apply_chat_template` and the tokenizer: ids only
    ours       everything that a training is given: labels, checks, duplicates and near duplicates, split, survey
    unchecked  the same without the checks of each row's text

A share is the median over the runs of plain's time through the contestant's, by the clock and by the time that the
processors worked. On a machine that does something else as well only the second means anything.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from qlora_ui.contract.recipe import DataQuery, HeldOut, Recipe, Source
from qlora_ui.data.prepare import prepare

VOCABULARY = 32_000
ROW_BYTES = 1_000
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


@dataclass(frozen=True)
class Run:
    """What one run of a contestant took."""

    tokens: int
    seconds: float
    processor_s: float
    """Of all processes together."""


def main() -> None:
    """Make the data, let the contestants take turns, and print tokens a second and the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=120_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=CONTESTANTS, help="run one of them only")
    parser.add_argument("--json", action="store_true", help="print one line of JSON in place of text")
    options = parser.parse_args()
    runs: dict[str, list[Run]] = {name: [] for name in CONTESTANTS if options.only in (None, name)}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.jsonl"
        write_rows(file, options.rows)
        tokenizer = make_tokenizer(file)
        for turn in range(options.runs):
            for name in list(runs)[:: -1 if turn % 2 else 1]:
                run = take_turn(name, file, tokenizer)
                runs[name].append(run)
                rate = f"{run.tokens / run.seconds:12,.0f} tokens/s"
                times = f"{run.seconds:6.1f} s ({run.processor_s:6.1f} s of processor)"
                print(f"run {turn + 1}: {name:9} {times} {rate}", file=sys.stderr, flush=True)
    report(runs, options.rows, as_json=options.json)


def take_turn(name: str, file: Path, tokenizer: Any) -> Run:
    """One contestant, in a folder of its own."""
    with tempfile.TemporaryDirectory(dir=file.parent) as scratch:
        began, worked = time.perf_counter(), processor_seconds()
        tokens = CONTESTANTS[name](file, tokenizer, Path(scratch))
        return Run(tokens, time.perf_counter() - began, processor_seconds() - worked)


def report(runs: dict[str, list[Run]], rows: int, *, as_json: bool) -> None:
    """Medians over the runs; a run is compared with plain's of the same turn."""
    figures: dict[str, float] = {}
    for name, taken in runs.items():
        figures[name] = statistics.median(run.tokens / run.seconds for run in taken)
        if "plain" in runs:
            pairs = list(zip(runs["plain"], taken, strict=True))
            figures[f"{name}_of_plain"] = statistics.median(one.seconds / run.seconds for one, run in pairs)
            figures[f"{name}_of_plain_by_processor"] = statistics.median(
                one.processor_s / run.processor_s for one, run in pairs
            )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if as_json:
        print(json.dumps({"rows": rows, "cores": cores(), "peak_mb": peak, **figures}))
        return
    count = len(next(iter(runs.values())))
    print(f"{rows:,} rows on {cores()} cores, median of {count} runs; {peak:,.0f} MB in this process")
    for name in runs:
        share = ""
        if "plain" in runs:
            by_clock, by_processor = figures[f"{name}_of_plain"], figures[f"{name}_of_plain_by_processor"]
            share = f"  {by_clock:.0%} of plain by the clock, {by_processor:.0%} by processor time"
        print(f"{name:9} {figures[name]:12,.0f} tokens/s{share}")


def plain(file: Path, tokenizer: Any, scratch: Path) -> int:
    """What a script does."""
    import datasets

    datasets.disable_progress_bars()
    rows = datasets.load_dataset("json", data_files=str(file), split="train", cache_dir=str(scratch))

    def tokens(batch: dict[str, list[Any]]) -> dict[str, Any]:
        texts = tokenizer.apply_chat_template(batch["messages"], tokenize=False)
        ids = tokenizer(texts, add_special_tokens=False).input_ids
        return {"input_ids": ids, "length": [len(one) for one in ids]}

    mapped = rows.map(tokens, batched=True, num_proc=cores(), remove_columns=rows.column_names)
    return sum(mapped["length"])


def ours(file: Path, tokenizer: Any, scratch: Path) -> int:
    """What a training does."""
    return _prepared(file, tokenizer, scratch, checks=True)


def unchecked(file: Path, tokenizer: Any, scratch: Path) -> int:
    """The same without checks."""
    return _prepared(file, tokenizer, scratch, checks=False)


CONTESTANTS: dict[str, Callable[[Path, Any, Path], int]] = {"plain": plain, "ours": ours, "unchecked": unchecked}


def _prepared(file: Path, tokenizer: Any, scratch: Path, *, checks: bool) -> int:
    recipe = Recipe(sources=(Source(path=str(file)),), max_length=4096)
    query = DataQuery(recipe=recipe, held_out=HeldOut(share=0.02))
    survey = prepare(query, tokenizer, cache=scratch, processes=cores(), checks=checks).survey
    assert survey.tokens is not None
    return survey.tokens


def write_rows(file: Path, rows: int) -> None:
    """Questions and answers of words that are as frequent as words are."""
    chance = random.Random(0)
    syllables = [a + b + c for a in "bdfgklmnprst" for b in "aeiou" for c in ("", "n", "r", "s", "l")]
    words = ["".join(chance.choices(syllables, k=chance.choice((1, 2, 2, 3, 3, 4)))) for _ in range(60_000)]
    shares = [1 / (rank + 3) for rank in range(len(words))]
    pool = chance.choices(words, shares, k=2_000_000)

    def text(size: int) -> str:
        start = chance.randrange(len(pool) - 400)
        return " ".join(pool[start : start + 400])[:size].capitalize() + "."

    with file.open("w", encoding="utf-8") as out:
        for _ in range(rows):
            asked, answered = (text(int(ROW_BYTES * part * chance.uniform(0.5, 1.5))) for part in (0.3, 0.62))
            messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
            out.write(json.dumps({"messages": messages}) + "\n")


def make_tokenizer(file: Path) -> Any:
    """A byte-level BPE trained on a part of the rows, as the tokenizers of today's models are made."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE())
    pattern = Regex(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+")
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(pattern, "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    with file.open(encoding="utf-8") as lines:
        texts = [turn["content"] for line in islice(lines, 20_000) for turn in json.loads(line)["messages"]]
    backend.train_from_iterator(texts, trainer)
    made = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    made.chat_template = CHATML
    return made


def processor_seconds() -> float:
    """Of this process and of those that it has waited for: on a busy machine it tells more than the clock."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def cores() -> int:
    return len(os.sched_getaffinity(0))


if __name__ == "__main__":
    main()
