"""Import torchvision even where its compiled operators do not fit the installed torch.

open_clip and timm need torchvision's transforms, which are Python, and never its detection operators, which
are compiled against one exact build of torch. Where the two wheels come from different places (a CPU torch
beside torchvision from PyPI, which is built for CUDA), `import torchvision` stops with "operator
torchvision::nms does not exist", because it registers fake kernels for operators that did not load.
Declaring those two signatures is enough. Where torchvision imports by itself, this file does nothing.
"""

import sys

import torch

_declared: list[torch.library.Library] = []  # garbage collection of a Library would undo its declarations


def import_torchvision() -> None:
    """Make `import torchvision` work; an error with another cause is raised as it is."""
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _declared.append(library)
        import torchvision  # noqa: F401
