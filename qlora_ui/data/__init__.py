"""From any file to the exact token ids and labels that are trained: the one path of inspector, training and evaluation.

    file ── readers ──▶ rows ── formats ──▶ conversations ── tokens ──▶ token ids and labels

Importing any module here loads neither torch nor transformers; what needs a tokenizer library imports it when called.
"""
