from qlora_ui.data.checks.rows import look_at

__all__ = ["look_at"]
