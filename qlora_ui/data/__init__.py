"""From any file to the exact token ids and labels that are trained: the one path of inspector, training and evaluation.

    reference ─ sources ─▶ files ─ readers ─▶ rows ─ formats ─▶ conversations ─ steps ─▶ conversations
              ─ templates, encoding ─▶ token ids and labels ─ prepare ─▶ cache, from which the worker trains

Importing any module here loads neither torch nor transformers; what needs a tokenizer library imports it when called.
"""
