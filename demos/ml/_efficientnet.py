"""EfficientNet-B0 (Tan, Le, arXiv 1905.11946): 5,288,548 parameters for 1,000 classes."""

import torch
from torch import nn

STAGES = (  # expansion, channels, blocks, stride, kernel
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
DROP_PATH, DROPOUT = 0.2, 0.2


def unit(
    inputs: int, outputs: int, size: int = 1, stride: int = 1, groups: int = 1, act: bool = True
) -> nn.Sequential:
    """Convolution, BatchNorm and swish."""
    conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out")
    return nn.Sequential(
        conv, nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01), nn.SiLU() if act else nn.Identity()
    )


class Squeeze(nn.Module):
    """Squeeze and excitation: each channel times a factor made from all their means."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.factors = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, squeezed, 1),
            nn.SiLU(),
            nn.Conv2d(squeezed, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.factors(x)


class MBConv(nn.Module):
    """Inverted bottleneck; its path is left out with probability `drop` for each image in
    training.
    """

    def __init__(
        self, inputs: int, outputs: int, expansion: int, stride: int, size: int, drop: float
    ) -> None:
        super().__init__()
        wide = inputs * expansion
        self.path = nn.Sequential(
            *([unit(inputs, wide)] if expansion > 1 else []),
            unit(wide, wide, size, stride, groups=wide),
            Squeeze(wide, max(1, inputs // 4)),
            unit(wide, outputs, act=False),
        )
        self.skip, self.drop = stride == 1 and inputs == outputs, drop

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.path(x)
        if not self.skip:
            return out
        if self.training and self.drop:
            keep = (torch.rand(len(x), 1, 1, 1, device=x.device) >= self.drop).to(x.dtype)
            out = out * keep / (1 - self.drop)
        return x + out


def efficientnet_b0(classes: int = 1000) -> nn.Sequential:
    """Logits (n, classes) of images (n, 3, size, size); 224 pixels in the paper."""
    layers: list[nn.Module] = [unit(3, 32, 3, 2)]
    inputs, total, block = 32, sum(stage[2] for stage in STAGES), 0
    for expansion, outputs, blocks, stride, size in STAGES:
        for k in range(blocks):
            layers.append(
                MBConv(
                    inputs,
                    outputs,
                    expansion,
                    stride if k == 0 else 1,
                    size,
                    DROP_PATH * block / total,
                )
            )
            inputs, block = outputs, block + 1
    head = nn.Linear(1280, classes)
    nn.init.uniform_(head.weight, -(classes**-0.5), classes**-0.5)
    nn.init.zeros_(head.bias)
    return nn.Sequential(
        *layers, unit(320, 1280), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(DROPOUT), head
    )
