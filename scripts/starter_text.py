"""The text of the starter model: a small grammar of customer messages and of short conversations about them.

Everything is drawn from a `random.Random`, so a seed fixes every byte. Standard library only.

Two kinds of text come from here and never mix:

- `demo_rows` writes the demo data of the fine-tuning: a message, answered by one compact JSON record.
- `conversations` writes the pretraining text: messages with questions in natural words, copying, small talk. It knows
  no record, and it skips every order that the demo data uses.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from random import Random

Message = dict[str, str]
Conversation = list[Message]

NAMES = """
    Mia Tom Anna Ben Clara David Emma Felix Grace Henry Ida Jack Kate Leo Lucy Max Nina Oscar Paula Quinn Rosa
    Sam Tara Uma Victor Wendy Xenia Yusuf Zoe Adam Bella Carlos Diana Elena Frank George Hanna Ivan Julia Karim
    Laura Marco Nora Omar Peter Ruth Simon Tina Vera Will Yara Amir Chloe Dora Erik Fatima Hugo Ines Jonas Lena
    Milan Olga Pablo Rita Stefan Theo Aisha Bruno Cora Noah
""".split()  # noqa: SIM905 - a word list reads better so
ITEMS = """
    lamp chair table mug plate bowl basket blanket pillow towel candle clock mirror vase rug curtain carpet
    stool bench desk bottle jar spoon fork kettle teapot pan tray apron bag backpack wallet belt hat scarf
    jacket shirt sweater sock glove boot sandal umbrella notebook pencil marker folder ruler lantern tent rope
    bucket ladder hammer kite ball bicycle helmet robot puzzle drum guitar ribbon button
""".split()  # noqa: SIM905 - a word list reads better so
COLOURS = """
    red blue green yellow black white grey pink orange purple brown silver golden turquoise violet beige
""".split()  # noqa: SIM905 - a word list reads better so
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
NUMBERS = """
    one two three four five six seven eight nine ten eleven twelve
""".split()  # noqa: SIM905 - a word list reads better so

GREETINGS = ("", "", "", "Hello! ", "Hi there, ", "Good morning. ", "Hello, ", "Good evening. ", "Hi! ", "Dear shop, ")
ASIDES = ("", "", "", "", "", " I hope you are well.", " Thank you!", " It is a gift.", " My old one broke.")
FRAMES = (
    "this is {name}. I would like {things} for {day}.{aside}",
    "I need {things} by {day}.{aside} {name}",
    "please send {things} to {name} on {day}.{aside}",
    "{name} here. Could I have {things} on {day}?{aside}",
    "can you deliver {things} on {day}?{aside} Best wishes, {name}",
    "my name is {name} and I want {things}. {day} would be good.{aside}",
    "on {day} I will pick up {things}.{aside} Regards, {name}",
    "I am {name}. For {day} I want to order {things}.{aside}",
    "{things} for {name}, please, and {day} if you can.{aside}",
    "do you have {things}? I can come on {day}.{aside} Yours, {name}",
    "could {name} get {things} before {day}?{aside}",
    "it is {name} again. {day} is the party and we need {things}.{aside}",
    "we are looking for {plain} in {colour}, {count} in all, for {day}.{aside} {name}",
    "please put {plain} aside for {name}: {colour}, {count} of them, until {day}.{aside}",
    "{name} wants {count} of the {plain} in {colour}. Is {day} fine?{aside}",
    "{day}, please: {things}. The order is for {name}.{aside}",
    "I saw your {colour} {plain} and I would love {count} on {day}.{aside} {name}",
    "my order is {things}. Call me {name}. I am free on {day}.{aside}",
)
ABOUT = (
    ("Who are you?", "I am Starter, a very small language model."),
    ("What is your name?", "My name is Starter."),
    ("What can you do?", "I can read a short message and answer questions about it."),
    ("Are you a person?", "No, I am a small language model."),
    ("How big are you?", "I am very small: about four million parameters."),
    ("Hello", "Hello! How can I help you?"),
    ("Hi!", "Hello! How can I help you?"),
    ("Good morning", "Good morning! How can I help you?"),
    ("How are you?", "I am fine, thank you."),
    ("Thank you", "You are welcome."),
    ("Thanks!", "You are welcome."),
    ("Bye", "Goodbye!"),
    ("Goodbye", "Goodbye!"),
    ("What colour is the sky?", "The sky is blue."),
    ("What colour is grass?", "Grass is green."),
    ("What colour is snow?", "Snow is white."),
    ("How many days are in a week?", "A week has seven days."),
    ("How many months are in a year?", "A year has twelve months."),
    ("Is fire hot?", "Yes, fire is hot."),
    ("Is ice hot?", "No, ice is cold."),
    ("Do you know everything?", "No, I know very little."),
    ("Help", "Write a short message, and ask me about it."),
)


@dataclass(frozen=True)
class Order:
    """What a customer message says; `item` is the singular noun."""

    name: str
    item: str
    colour: str
    count: int
    day: str


def made_up_word(rng: Random) -> str:
    """A pronounceable word of two or three syllables that no dictionary holds, so that copying has to generalise."""
    return "".join(rng.choice("bdfgklmnprtvz") + rng.choice("aeiou") for _ in range(rng.randint(2, 3))) + rng.choice(
        ("", "n", "l", "r", "k", "m")
    )


def draw_order(rng: Random, made_up: float) -> Order:
    """One order; with probability `made_up` each, the name and the item are invented words."""
    name = made_up_word(rng).capitalize() if rng.random() < made_up else rng.choice(NAMES)
    item = made_up_word(rng) if rng.random() < made_up else rng.choice(ITEMS)
    return Order(name, item, rng.choice(COLOURS), rng.randint(1, 12), rng.choice(DAYS))


def plural(noun: str, count: int) -> str:
    """`noun`, with the plural ending when `count` asks for it. No noun here has an irregular plural."""
    return noun if count == 1 else noun + ("es" if noun.endswith("x") else "s")


def with_article(words: str) -> str:
    """`words` after the right indefinite article."""
    return ("an " if words[0] in "aeiou" else "a ") + words


def customer_message(order: Order, rng: Random) -> str:
    """The order as a customer might write it: greeting, sentence, perhaps an aside."""
    count = str(order.count) if rng.random() < 0.4 else NUMBERS[order.count - 1]
    noun = plural(order.item, order.count)
    things = f"{count} {order.colour} {noun}"
    text = rng.choice(FRAMES).format(
        name=order.name,
        things=things,
        plain=plural(order.item, 2),
        colour=order.colour,
        count=count,
        day=order.day,
        aside=rng.choice(ASIDES),
    )
    greeting = rng.choice(GREETINGS)
    return greeting + (text if greeting.endswith(", ") else text[0].upper() + text[1:])


def record(order: Order) -> str:
    """The answer that the demo data teaches: one line of JSON, always the same keys in the same order."""
    fields = {"name": order.name, "item": order.item, "colour": order.colour, "count": order.count, "day": order.day}
    return json.dumps(fields, ensure_ascii=False)


def demo_rows(seed: int, train: int, heldout: int) -> tuple[list[Conversation], list[Conversation], frozenset[Order]]:
    """The demo data, train and held out, with no order and no text in common, and every order it uses."""
    rng = Random(f"{seed}:demo")
    orders: dict[Order, None] = {}
    while len(orders) < train + heldout:
        orders[draw_order(rng, made_up=0.1)] = None
    rows = [turns((customer_message(order, rng), record(order))) for order in orders]
    return rows[:train], rows[train:], frozenset(orders)


def turns(*pairs: tuple[str, str], system: str = "") -> Conversation:
    """A conversation from (user, assistant) pairs, with an optional system turn."""
    start = [{"role": "system", "content": system}] if system else []
    return start + [
        {"role": role, "content": text}
        for pair in pairs
        for role, text in zip(("user", "assistant"), pair, strict=True)
    ]


def bare_questions(order: Order) -> dict[str, tuple[str, ...]]:
    """For each field's value as one word, the questions that ask for it."""
    return {
        order.name: ("Who is asking?", "Who is the customer?", "Which name?", "What is the name?"),
        order.item: ("Which item?", "What is wanted?", "What kind of thing is it?", "What is the item?"),
        order.colour: ("Which colour?", "What colour?", "In what colour?", "What is the colour?"),
        str(order.count): ("How many?", "How many are wanted?", "What number?", "What is the count?"),
        order.day: ("Which day?", "What day?", "For which day?", "What is the day?"),
    }


def question(order: Order, rng: Random, style: str) -> tuple[str, str]:
    """One question about one field and its answer, in the `style` full, word or quoted."""
    value, ways = rng.choice(list(bare_questions(order).items()))
    ask = rng.choice(ways)
    if style == "quoted":
        return f"{ask} Quote it.", f'"{value}"'
    if style == "word":
        return ask, value
    return ask, f"It is {with_article(value) if value == order.item else value}."


def several_questions(order: Order, rng: Random) -> tuple[str, str]:
    """Several fields at once, in any order, answered in one of five plain ways."""
    fields = dict(zip(("name", "item", "colour", "count", "day"), map(str, astuple(order)), strict=True))
    keys = rng.sample(list(fields), rng.randint(2, 5))
    asked = ", ".join(keys[:-1]) + " and " + keys[-1]
    return rng.choice(
        (
            (f"Tell me the {asked}.", ", ".join(fields[key] for key in keys) + "."),
            (f"Quote the {asked}.", ", ".join(f'"{fields[key]}"' for key in keys)),
            (f"List the {asked}.", "\n".join(f"{key.capitalize()}: {fields[key]}" for key in keys)),
            (f"Label the {asked}.", "; ".join(f'{key} = "{fields[key]}"' for key in keys)),
            (f"Note the {asked}.", " ".join(f"({key}: {fields[key]})" for key in keys)),
        )
    )


def yes_no(order: Order, rng: Random) -> tuple[str, str]:
    """A question that is answered by yes, or by no and the right value."""
    field = rng.choice(("colour", "day", "name"))
    truth, others = {
        "colour": (order.colour, COLOURS),
        "day": (order.day, DAYS),
        "name": (order.name, NAMES),
    }[field]
    guess = truth if rng.random() < 0.5 else rng.choice(others)
    ask = f"Is it {guess}?" if field == "colour" else f"Is it for {guess}?"
    return ask, "Yes." if guess == truth else f"No, it is {'' if field == 'colour' else 'for '}{truth}."


def about_order(order: Order, rng: Random) -> Conversation:
    """A message, noted or asked about at once, then further questions turn by turn."""
    styles = {"": "full", "Answer in one word.": "word", "Answer in full sentences.": "full"}
    system = rng.choices(list(styles), (6, 4, 1))[0]
    message = customer_message(order, rng)

    def ask() -> tuple[str, str]:
        kind = rng.random()
        if system:
            return question(order, rng, styles[system])
        if kind < 0.35:
            return question(order, rng, "quoted" if kind < 0.1 else "full")
        return several_questions(order, rng) if kind < 0.9 else yes_no(order, rng)

    if system or rng.random() < 0.5:
        first, answer = ask()
        pairs = [(f"{message}\n{first}", answer)]
    else:
        pairs = [(message, f"Thank you, {order.name}. I have noted it.")]
    return turns(*pairs, *(ask() for _ in range(rng.randint(0, 4))), system=system)


def drill(rng: Random) -> Conversation:
    """A line of words to repeat. Nothing teaches a new model to look back at what was said as fast as this does."""
    pool = (NAMES, ITEMS, COLOURS, DAYS, NUMBERS)
    line = " ".join(
        made_up_word(rng) if rng.random() < 0.3 else rng.choice(rng.choice(pool)) for _ in range(rng.randint(3, 12))
    )
    return turns((f"Repeat: {line}", line))


def copying(rng: Random) -> Conversation:
    """Repeat, join, quote or wrap words, half of them made up."""
    pool = (NAMES, ITEMS, COLOURS, DAYS, NUMBERS, ("name", "item", "colour", "count", "day"))
    pairs = []
    for _ in range(rng.randint(1, 3)):
        words = [
            made_up_word(rng) if rng.random() < 0.5 else rng.choice(rng.choice(pool)) for _ in range(rng.randint(1, 6))
        ]
        line = " ".join(words)
        pairs.append(
            rng.choice(
                (
                    (f"Repeat: {line}", line),
                    (f"Say {words[0]} twice.", f"{words[0]} {words[0]}"),
                    (f"Put commas in: {line}", ", ".join(words)),
                    (f"Quote each: {line}", ", ".join(f'"{word}"' for word in words)),
                    (f"Put {line} in braces.", "{" + line + "}"),
                    (f"Put {line} in brackets.", f"[{line}]"),
                    (f"What is the last word of: {line}", words[-1]),
                    (f"What is the first word of: {line}", words[0]),
                )
            )
        )
    return turns(*pairs)


def knowledge(rng: Random) -> Conversation:
    """Small facts: the next day or number, plurals, lists, what was said before."""
    day, number, word = rng.randrange(7), rng.randrange(11), rng.choice([*ITEMS, made_up_word(rng)])
    name, colours = rng.choice([*NAMES, made_up_word(rng).capitalize()]), rng.sample(COLOURS, 3)
    chosen = rng.choice(
        (
            [(f"What day comes after {DAYS[day]}?", f"{DAYS[(day + 1) % 7]} comes after {DAYS[day]}.")],
            [(f"What number comes after {NUMBERS[number]}?", f"{NUMBERS[number + 1].capitalize()}.")],
            [(f"Write {NUMBERS[number]} in digits.", f"{number + 1}")],
            [(f"What is the plural of {word}?", plural(word, 2))],
            [(f"What is the singular of {plural(word, 2)}?", word)],
            [("Name three colours.", f"{colours[0].capitalize()}, {colours[1]} and {colours[2]}.")],
            [(f"My name is {name}.", f"Nice to meet you, {name}."), ("What is my name?", f"Your name is {name}.")],
        )
    )
    return turns(*chosen)


def drills(seed: int) -> Iterator[Conversation]:
    """Lines to repeat, without end: the start of pretraining."""
    rng = Random(f"{seed}:drills")
    while True:
        yield drill(rng)


def conversations(seed: int, skip: frozenset[Order]) -> Iterator[Conversation]:
    """Pretraining conversations without end; no order of `skip` ever occurs."""
    rng = Random(f"{seed}:pretraining")
    while True:
        kind = rng.random()
        if kind < 0.62:
            order = draw_order(rng, made_up=0.3)
            if order not in skip:
                yield about_order(order, rng)
        elif kind < 0.8:
            yield copying(rng)
        elif kind < 0.87:
            yield drill(rng)
        elif kind < 0.95:
            yield knowledge(rng)
        else:
            yield turns(*rng.sample(ABOUT, rng.randint(1, 3)))
