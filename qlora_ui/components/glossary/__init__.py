"""The words of the field, each with the question that it answers and a plain sentence or two. No widget in here."""

from __future__ import annotations

from qlora_ui.components.glossary.data import DATA
from qlora_ui.components.glossary.models import MODELS
from qlora_ui.components.glossary.scores import SCORES
from qlora_ui.components.glossary.term import Term
from qlora_ui.components.glossary.training import TRAINING

__all__ = ["ADDRESS", "TERMS", "Term"]

ADDRESS = "/help/glossary"
"""The page that shows all terms; the key of a term is its anchor there."""

TERMS: dict[str, Term] = dict(sorted((MODELS | DATA | TRAINING | SCORES).items()))
"""Key → term, in the order of the English words. Where a key is used in code, KeyError tells of a misspelt one."""
