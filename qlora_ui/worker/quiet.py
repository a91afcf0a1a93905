"""Keeps lines out of a run's log that look like trouble and are none. Each is named exactly; others still show."""

from __future__ import annotations

import logging
import warnings


def hush_known_noise() -> None:
    """Call it before the libraries are imported."""
    # bitsandbytes offers a faster kernel for processors from a package of its own; without it, it uses the usual one.
    logging.getLogger("bitsandbytes.backends.cpu.ops").addFilter(
        lambda line: not line.getMessage().startswith("Failed to load CPU gemm_4bit_forward from kernels-community")
    )
    # Its layers in 8 bits say at every call that they compute in float16, as they always do.
    logging.getLogger("bitsandbytes.autograd._functions").addFilter(
        lambda line: not line.getMessage().startswith("MatMul8bitLt: inputs will be cast from")
    )
    # peft still asks transformers by a name that a later version drops; the versions that are installed fit together.
    warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
