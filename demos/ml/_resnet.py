"""ResNet-20 (He et al. 2016) as Keras' CIFAR-10 example has it, which the paper trained: 273,066
parameters for colour images.
"""

import torch
from torch import nn


def conv(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Conv2d:
    """A convolution with a bias, padded so that its output is 1/stride of its input, normal weights
    of variance 2/fan_in.
    """
    layer = nn.Conv2d(inputs, outputs, size, stride, padding=size // 2)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return layer


def norm(channels: int) -> nn.BatchNorm2d:
    """BatchNorm with Keras' defaults: statistics that remember 100 batches."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class Block(nn.Module):
    """Two convolutions and a shortcut, a 1x1 convolution where the size changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        first, second = conv(inputs, outputs, stride=stride), conv(outputs, outputs)
        self.path = nn.Sequential(first, norm(outputs), nn.ReLU(), second, norm(outputs))
        self.shortcut = (
            nn.Identity() if inputs == outputs else conv(inputs, outputs, size=1, stride=stride)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.path(x) + self.shortcut(x))


def resnet20(channels: int = 3, classes: int = 10) -> nn.Sequential:
    """Logits (n, classes) of images (n, channels, 32, 32)."""
    layers: list[nn.Module] = [conv(channels, 16), norm(16), nn.ReLU()]
    width = 16
    for outputs, stride in ((16, 1), (32, 2), (64, 2)):
        for block in range(3):
            layers.append(Block(width, outputs, stride if block == 0 else 1))
            width = outputs
    head = nn.Linear(64, classes)
    nn.init.kaiming_normal_(head.weight, nonlinearity="relu")
    nn.init.zeros_(head.bias)
    return nn.Sequential(*layers, nn.AvgPool2d(8), nn.Flatten(), head).to(
        memory_format=torch.channels_last
    )
