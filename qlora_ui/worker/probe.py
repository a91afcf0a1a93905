"""What the libraries can do on this machine: `python -m qlora_ui.worker.probe` prints it as JSON.

A process of its own, because the others must not import torch.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def probe() -> dict[str, Any]:
    """torch's version, the CUDA devices it sees, and whether an NF4 layer computes on the best device."""
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # as the worker counts them
    import torch

    found: dict[str, Any] = {
        "torch": torch.__version__,
        "cuda_build": torch.version.cuda,
        "cuda_devices": [
            {
                "name": torch.cuda.get_device_name(index),
                "memory_bytes": torch.cuda.get_device_properties(index).total_memory,
                "capability": ".".join(map(str, torch.cuda.get_device_capability(index))),
            }
            for index in range(torch.cuda.device_count())
        ],
        "threads": torch.get_num_threads(),
    }
    device = "cuda:0" if found["cuda_devices"] else "cpu"
    try:
        found["nf4_error"] = round(_nf4_error(device), 4)
    except Exception as error:  # whatever the library raises is the finding
        found["nf4_failure"] = f"{type(error).__name__}: {error}"
    return found


def _nf4_error(device: str) -> float:
    """The mean relative error of a 64×64 product computed with NF4 weights: near 0.1 when all is well."""
    import bitsandbytes
    import torch

    torch.manual_seed(0)
    plain = torch.nn.Linear(64, 64, bias=False)
    layer = bitsandbytes.nn.Linear4bit(
        64, 64, bias=False, quant_type="nf4", compress_statistics=True, compute_dtype=torch.float32
    )
    layer.load_state_dict(plain.state_dict())
    layer = layer.to(device)
    x = torch.randn(16, 64)
    with torch.no_grad():
        exact, ours = plain(x), layer(x.to(device)).cpu().float()
    return float((exact - ours).abs().mean() / exact.abs().mean())


if __name__ == "__main__":
    sys.stdout.write(json.dumps(probe()) + "\n")
