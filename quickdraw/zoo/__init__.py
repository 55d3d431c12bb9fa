"""The strong models and losses, such as `--model=ResNetModel` and `--label_loss=CenterLoss`.

They are found by the same flags as those of `quickdraw.models` and `quickdraw.losses`.
"""

from quickdraw.zoo.distillation import DistillationLoss
from quickdraw.zoo.margin_losses import AMSoftmaxLoss, CenterLoss, LargeMarginSoftmaxLoss
from quickdraw.zoo.mobilenet import MobileNetModel
from quickdraw.zoo.resnet import ResNetModel
from quickdraw.zoo.robust_losses import BootstrappedLoss, SymmetricCrossEntropyLoss
from quickdraw.zoo.strokes import FusionModel, StrokeRnnModel, StrokeTransformerModel

__all__ = [
    "AMSoftmaxLoss",
    "BootstrappedLoss",
    "CenterLoss",
    "DistillationLoss",
    "FusionModel",
    "LargeMarginSoftmaxLoss",
    "MobileNetModel",
    "ResNetModel",
    "StrokeRnnModel",
    "StrokeTransformerModel",
    "SymmetricCrossEntropyLoss",
]
