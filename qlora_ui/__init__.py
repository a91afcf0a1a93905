"""qlora-ui: fine-tune an open language model on your own GPU, from your data to a verified model."""

__version__ = "0.1.0"
