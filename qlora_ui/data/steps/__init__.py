from qlora_ui.data.steps.apply import Applied, Steps, apply

__all__ = ["Applied", "Steps", "apply"]
