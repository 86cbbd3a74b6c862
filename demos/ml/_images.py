"""A folder of images, one subfolder a class, as batches: random crops and mirrors for training, the
middle for testing.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

MEAN, SPREAD = (
    torch.tensor([0.485, 0.456, 0.406]).reshape(3, 1, 1),
    torch.tensor([0.229, 0.224, 0.225]).reshape(3, 1, 1),
)
KINDS = {".jpeg", ".jpg", ".png"}


class ImageFolder(Dataset):
    """Images (3, size, size) and class numbers."""

    def __init__(self, folder: Path, size: int, augment: bool) -> None:
        self.classes = sorted(p.name for p in folder.iterdir() if p.is_dir())
        self.files = [
            (p, k)
            for k, name in enumerate(self.classes)
            for p in sorted((folder / name).iterdir())
            if p.suffix.lower() in KINDS
        ]
        if not self.files:
            raise FileNotFoundError(
                f"{folder} must hold one folder a class with .jpg or .png images, and holds none"
            )
        self.size, self.augment = size, augment

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        path, label = self.files[index]
        with Image.open(path) as file:
            image = file.convert("RGB")
        box = self._crop(*image.size) if self.augment else _middle(*image.size, self.size)
        pixels = np.array(
            image.resize((self.size, self.size), Image.Resampling.BICUBIC, box=box),
            dtype=np.float32,
        )
        x = (torch.from_numpy(pixels).permute(2, 0, 1) / 255 - MEAN) / SPREAD
        return (x.flip(2) if self.augment and torch.rand(()) < 0.5 else x), label

    @staticmethod
    def _crop(width: int, height: int) -> tuple[float, float, float, float]:
        """A box of 8 to 100 % of the area, sides 3:4 to 4:3; the whole image if ten tries do not
        fit.
        """
        for _ in range(10):
            share, shape, left, top = torch.rand(4).tolist()
            area, ratio = width * height * (0.08 + 0.92 * share), (4 / 3) ** (2 * shape - 1)
            w, h = (area * ratio) ** 0.5, (area / ratio) ** 0.5
            if w <= width and h <= height:
                x, y = left * (width - w), top * (height - h)
                return x, y, x + w, y + h
        return 0, 0, width, height


def _middle(width: int, height: int, size: int) -> tuple[float, float, float, float]:
    side = min(width, height) * size / (size + 32)
    x, y = (width - side) / 2, (height - side) / 2
    return x, y, x + side, y + side


def batches(images: ImageFolder, batch_size: int, workers: int, seed: int | None) -> DataLoader:
    """Shuffled by a seed, whole batches only; or in order, all of them, for None."""
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    train = seed is not None
    return DataLoader(
        images,
        batch_size,
        shuffle=train,
        drop_last=train,
        num_workers=workers,
        generator=generator,
        pin_memory=torch.cuda.is_available(),
    )
