"""Training that can be stopped and goes on where it was: one run of one optimizer and one seed,
written to disk after every epoch.
"""

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from _data import Images, augment
from torch import nn
from torch.nn.functional import cross_entropy

from langevin_sa.ml import CoolMomentum, Thermometer

# of the epochs; the paper's 80, 120, 160 and 180 of 200
DECAY = ((0.4, 0.1), (0.6, 0.01), (0.8, 0.001), (0.9, 0.0005))

MOMENTUM = {"SGD": 0.0, "Momentum": 0.9}


@dataclass(frozen=True)
class Method:
    """An optimizer by name, its learning rate, and for CoolMomentum rho0."""

    name: str
    lr: float
    rho0: float = 0.99


# the hyperparameters of Fig. 1
PAPER = (Method("Adam", 0.001), Method("Momentum", 0.01), Method("CoolMomentum", 0.01))


def make_optimizer(
    method: Method, model: nn.Module, total_steps: int, l2: float
) -> torch.optim.Optimizer:
    """The method's optimizer; kernels of convolutions have the penalty l2*|w|^2, as in Keras."""
    kernels = [m.weight for m in model.modules() if isinstance(m, nn.Conv2d)]
    others = [p for p in model.parameters() if all(p is not k for k in kernels)]
    groups = [{"params": kernels, "weight_decay": 2 * l2}, {"params": others}]
    if method.name == "Adam":
        return torch.optim.Adam(groups, method.lr, betas=(0.9, 0.999))
    if method.name in MOMENTUM:
        return torch.optim.SGD(groups, method.lr, momentum=MOMENTUM[method.name])
    return CoolMomentum(groups, method.lr, method.rho0, total_steps=total_steps)


def decay(epoch: int, epochs: int) -> float:
    """What multiplies the learning rate of Adam and Momentum in this epoch."""
    return next((factor for start, factor in reversed(DECAY) if epoch >= start * epochs), 1.0)


@torch.no_grad()
def evaluate(
    model: nn.Module, x: torch.Tensor, y: torch.Tensor, batch: int = 500
) -> tuple[float, float]:
    """Mean cross-entropy and accuracy on images as they are, with the running statistics of
    BatchNorm.
    """
    model.eval()
    loss = right = 0.0
    for xb, yb in zip(x.split(batch), y.split(batch), strict=True):
        out = model(xb)
        loss += float(cross_entropy(out, yb, reduction="sum"))
        right += float((out.argmax(1) == yb).sum())
    return loss / len(x), right / len(x)


def train(
    method: Method,
    seed: int,
    data: Images,
    make_model: Callable[[], nn.Module],
    folder: Path,
    *,
    epochs: int,
    batch_size: int = 32,
    l2: float = 1e-4,
    augmented: bool = True,
    say: Callable[[str], None] = print,
) -> dict:
    """Train, or go on from the run's checkpoint in `folder`; returns what is in its json file.

    The order of images and their augmentation depend on seed and epoch alone, so a run that was
    interrupted gives the same bits. A run whose loss stops being finite ends there, and its history
    says ``"diverged"``.
    """
    torch.manual_seed(seed)
    model = make_model()
    steps = len(data.x) // batch_size  # an epoch; Keras too leaves out the last part of a batch
    optimizer = make_optimizer(method, model, epochs * steps, l2)
    annealed = isinstance(optimizer, CoolMomentum)
    schedule = (
        None
        if annealed
        else torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: decay(epoch, epochs))
    )
    plan = {
        "method": asdict(method),
        "seed": seed,
        "data": data.name,
        "images": len(data.x),
        "test_images": len(data.x_test),
        "epochs": epochs,
        "batch_size": batch_size,
        "l2": l2,
    } | ({} if augmented else {"augmented": False})
    run = {"plan": plan, "diverged": False, "history": []}
    name = f"{method.name}-{method.lr:g}-{method.rho0:g}-seed{seed}"
    record, checkpoint = folder / f"{name}.json", folder / f"{name}.pt"
    if record.exists():
        run = json.loads(record.read_text())
        if run["plan"] != plan:
            raise ValueError(
                f"{record} is of another plan, {run['plan']}, not {plan}; give another --out"
            )
    if run["diverged"] or len(run["history"]) == epochs:
        return run
    if run["history"]:
        saved = torch.load(checkpoint)
        run = saved["run"]
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        if schedule is not None:
            schedule.load_state_dict(saved["schedule"])
    with Thermometer(optimizer) as thermometer:
        for epoch in range(len(run["history"]), epochs):
            started = time.perf_counter()
            generator = torch.Generator().manual_seed(1_000_003 * seed + epoch)
            model.train()
            for batch in torch.randperm(len(data.x), generator=generator)[
                : steps * batch_size
            ].split(batch_size):
                optimizer.zero_grad()
                x = data.x[batch]
                x = augment(x, generator) if augmented else x
                cross_entropy(model(x), data.y[batch]).backward()
                optimizer.step()
            heat = thermometer.read()
            if schedule is not None:
                schedule.step()
            (loss, accuracy), (_, test_accuracy) = (
                evaluate(model, data.x, data.y),
                evaluate(model, data.x_test, data.y_test),
            )
            run["history"].append(
                {
                    "epoch": epoch + 1,
                    "loss": loss,
                    "accuracy": accuracy,
                    "test_accuracy": test_accuracy,
                    "rescaled": heat.rescaled,
                    "seconds": time.perf_counter() - started,
                }
            )
            run["diverged"] = not math.isfinite(heat.rescaled)
            say(
                f"{name}  epoch {epoch + 1}/{epochs}  loss {loss:.4f}  test accuracy "
                f"{test_accuracy:.4f}  T dt^2 {heat.rescaled:.3g}  "
                f"{run['history'][-1]['seconds']:.0f} s"
            )
            whole = {"run": run, "model": model.state_dict(), "optimizer": optimizer.state_dict()}
            whole |= {} if schedule is None else {"schedule": schedule.state_dict()}
            _replace(checkpoint, lambda path, whole=whole: torch.save(whole, path))
            _replace(record, lambda path: path.write_text(json.dumps(run, indent=1)))
            if run["diverged"]:
                break
    return run


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file whole or not at all."""
    new = path.with_name(path.name + ".new")
    write(new)
    os.replace(new, path)
