"""Images as tensors (n, channels, height, width) with labels: CIFAR-10 in its binary format, or
Fashion-MNIST; Keras' augmentation.
"""

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

# where the package dataset-fashion-mnist puts it
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
CIFAR = [f"data_batch_{k}.bin" for k in range(1, 6)], ["test_batch.bin"]
FASHION = "train", "t10k"


@dataclass
class Images:
    """A training and a test set, 32x32, less the mean training image; labels are integers."""

    name: str
    x: torch.Tensor
    y: torch.Tensor
    x_test: torch.Tensor
    y_test: torch.Tensor


def load(folder: Path | None, subset: int | None = None, test_subset: int | None = None) -> Images:
    """CIFAR-10 or Fashion-MNIST from a folder, by the files that are in it; Debian's Fashion-MNIST
    by default.

    `subset` and `test_subset` take the first images of each set; Fashion-MNIST is padded with zeros
    from 28x28 to 32x32.
    """
    folder = DEBIAN if folder is None else folder
    if (folder / CIFAR[1][0]).exists():
        name, sets = "CIFAR-10", [_cifar([folder / file for file in files]) for files in CIFAR]
    elif (folder / "train-images-idx3-ubyte.gz").exists():
        name, sets = "Fashion-MNIST", [_fashion(folder, which) for which in FASHION]
    else:
        raise FileNotFoundError(
            f"{folder} holds neither CIFAR-10 in its binary format (data_batch_1.bin ... "
            "test_batch.bin) nor Fashion-MNIST (train-images-idx3-ubyte.gz ...); install the "
            "Debian package dataset-fashion-mnist, or give --data FOLDER"
        )
    (x, y), (x_test, y_test) = (
        (x[:n].float() / 255, y[:n]) for (x, y), n in zip(sets, (subset, test_subset), strict=True)
    )
    mean = x.mean(0)
    return Images(name, _channels_last(x - mean), y, _channels_last(x_test - mean), y_test)


def augment(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Shift each image by up to a tenth of its size both ways, with edges repeated, and mirror half
    of them, as Keras' example.
    """
    theta = torch.zeros(len(x), 2, 3)
    theta[:, 0, 0] = 1 - 2.0 * torch.randint(2, (len(x),), generator=generator)
    theta[:, 1, 1] = 1
    # an image is 2 wide in these coordinates
    theta[:, :, 2] = 0.2 * (2 * torch.rand(len(x), 2, generator=generator) - 1)
    grid = torch.nn.functional.affine_grid(theta, list(x.shape), align_corners=False)
    return torch.nn.functional.grid_sample(x, grid, padding_mode="border", align_corners=False)


def _channels_last(x: torch.Tensor) -> torch.Tensor:
    return x.contiguous(memory_format=torch.channels_last)


def _cifar(files: list[Path]) -> tuple[torch.Tensor, torch.Tensor]:
    records = np.concatenate(
        [np.fromfile(file, dtype=np.uint8).reshape(-1, 3073) for file in files]
    )
    return torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32)), torch.from_numpy(
        records[:, 0].astype(np.int64)
    )


def _fashion(folder: Path, which: str) -> tuple[torch.Tensor, torch.Tensor]:
    images, labels = (
        gzip.decompress((folder / f"{which}-{kind}-ubyte.gz").read_bytes())
        for kind in ("images-idx3", "labels-idx1")
    )
    x = np.frombuffer(images, dtype=np.uint8, offset=16).reshape(-1, 1, 28, 28)
    y = np.frombuffer(labels, dtype=np.uint8, offset=8).astype(np.int64)
    return torch.from_numpy(np.pad(x, ((0, 0), (0, 0), (2, 2), (2, 2)))), torch.from_numpy(y)
