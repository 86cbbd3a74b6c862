"""The paper's experiments in small: they run, resume to the bit, and show what they claim."""

import gzip
import json
import re
import struct
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra ml")
mpl.use("Agg")

from click.testing import CliRunner

FOLDER = Path(__file__).parents[2] / "demos" / "ml"


@pytest.fixture(autouse=True)
def on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))


@pytest.fixture(scope="module")
def fashion(tmp_path_factory):
    """A folder in the format of Fashion-MNIST: noise, brighter where the label says."""
    folder, generator = tmp_path_factory.mktemp("fashion"), np.random.default_rng(0)
    for which, count in (("train", 80), ("t10k", 20)):
        labels = np.arange(count, dtype=np.uint8) % 10
        images = generator.integers(0, 60, (count, 28, 28), dtype=np.uint8)
        images[np.arange(count), 2 * labels + 4] += 180
        for kind, array, magic in (("images-idx3", images, 2051), ("labels-idx1", labels, 2049)):
            header = struct.pack(f">{1 + array.ndim}i", magic, *array.shape)
            (folder / f"{which}-{kind}-ubyte.gz").write_bytes(
                gzip.compress(header + array.tobytes())
            )
    return folder


def invoke(module, *arguments):
    result = CliRunner().invoke(
        __import__(module).main, [str(a) for a in arguments], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result.output


def test_parameters_of_the_networks():
    from _efficientnet import efficientnet_b0
    from _resnet import resnet20

    # as Keras counts the trainable ones
    assert sum(p.numel() for p in resnet20(3).parameters()) == 273_066
    assert sum(p.numel() for p in resnet20(1).parameters()) == 272_778
    with torch.device("meta"):
        assert sum(p.numel() for p in efficientnet_b0().parameters()) == 5_288_548


def test_cifar_in_its_binary_format(tmp_path):
    from _data import load

    generator = np.random.default_rng(0)
    records = generator.integers(0, 256, (6, 2, 3073), dtype=np.uint8)
    records[..., 0] %= 10
    for k in range(5):
        records[k].tofile(tmp_path / f"data_batch_{k + 1}.bin")
    records[5].tofile(tmp_path / "test_batch.bin")
    images = load(tmp_path)
    assert (
        images.name == "CIFAR-10"
        and images.x.shape == (10, 3, 32, 32)
        and images.y.tolist() == records[:5, :, 0].ravel().tolist()
    )
    pixel = images.x_test[1, 2, 3, 4] + images.x.new_tensor(
        records[:5, :, 1 + 2 * 1024 + 3 * 32 + 4].mean() / 255
    )
    assert pixel.item() == pytest.approx(records[5, 1, 1 + 2 * 1024 + 3 * 32 + 4] / 255, abs=1e-6)


def test_missing_data_is_named(tmp_path):
    from _data import load

    with pytest.raises(FileNotFoundError, match="dataset-fashion-mnist"):
        load(tmp_path)


def test_augmentation_shifts_and_mirrors():
    from _data import augment

    x = torch.zeros(400, 1, 32, 32)
    x[:, :, :, 20:] = 1  # an edge between columns 19 and 20
    out = augment(x, torch.Generator().manual_seed(0))
    edge = out[:, 0, 16].sum(1)  # 12 bright columns on one side, more or less by the shift
    mirrored = out[:, 0, 16, 0] > 0.5
    assert 140 < mirrored.sum() < 260
    shift = edge - 12
    assert 2.5 < shift.abs().max() <= 3.2001 and abs(shift.mean()) < 0.5
    assert not torch.equal(out, augment(x, torch.Generator().manual_seed(1)))


def test_decay_at_the_paper_s_epochs():
    from _train import decay

    assert [decay(e, 200) for e in (0, 79, 80, 119, 120, 159, 160, 179, 180, 199)] == [
        1,
        1,
        0.1,
        0.1,
        0.01,
        0.01,
        0.001,
        0.001,
        0.0005,
        0.0005,
    ]


@pytest.mark.long
def test_fig1_and_an_interrupted_run_that_goes_on_to_the_same_bits(fashion, tmp_path):
    import _train
    from _data import load
    from _resnet import resnet20

    options = ("--data", fashion, "--epochs", 3, "--batch-size", 10, "--seeds", 1)
    output = invoke("fig1", *options, "--out", tmp_path / "whole")
    assert (
        re.search(r"CoolMomentum \(1 of 1 seeds\) \| \d", output)
        and (tmp_path / "whole" / "fig1.png").stat().st_size > 10_000
    )
    images, tmp = load(fashion), tmp_path / "parts"
    tmp.mkdir()

    class Stop(Exception):
        pass

    def stop(line):
        if "epoch 2/3" in line:
            raise Stop  # killed in its second epoch, before it is written

    for method in _train.PAPER:
        keywords = {"epochs": 3, "batch_size": 10}
        with pytest.raises(Stop):
            _train.train(method, 1, images, lambda: resnet20(1), tmp, say=stop, **keywords)
        _train.train(method, 1, images, lambda: resnet20(1), tmp, say=lambda line: None, **keywords)
        name = f"{method.name}-{method.lr:g}-{method.rho0:g}-seed1.pt"
        a, b = (torch.load(folder / name) for folder in (tmp_path / "whole", tmp))
        assert all(torch.equal(a["model"][key], b["model"][key]) for key in a["model"]), method
    with pytest.raises(ValueError, match="is of another plan"):
        _train.train(method, 1, images, lambda: resnet20(1), tmp, epochs=4, batch_size=10)


def test_table2_says_div_where_a_run_diverges(fashion, tmp_path):
    output = invoke(
        "table2",
        "--data",
        fashion,
        "--epochs",
        2,
        "--batch-size",
        20,
        "--subset",
        20,
        "--test-subset",
        20,
        "--rho0",
        0.5,
        "--lr",
        0.01,
        "--lr",
        1e30,
        "--out",
        tmp_path,
    )
    assert re.search(r"\| 0.5 \| 0\.\d{4} \| div \|", output), output
    assert json.loads((tmp_path / "CoolMomentum-1e+30-0.5-seed1.json").read_text())["diverged"]


def test_digits(tmp_path):
    pytest.importorskip("sklearn", reason="needs the extra ml")
    output = invoke("digits", "--seeds", 2, "--epochs", 5, "--figure", tmp_path / "digits.png")
    accuracy = {
        row[1]: float(row[3].split("%")[0])
        for row in (line.split("|") for line in output.splitlines()[-3:])
    }
    assert len(accuracy) == 3 and min(accuracy.values()) > 60


@pytest.mark.parametrize("problem", ["digits", "fashion"])
def test_study(problem, fashion, tmp_path):
    """Tables of all four, of the trial that was lowest, and the same again from the files alone."""
    pytest.importorskip("sklearn", reason="needs the extra ml")
    words = ["--problem", problem, "--data", fashion, "--epochs", 2, "--trials", 2]
    words += ["--tuning-seeds", 1, "--seeds", 2, "--grid-seeds", 1, "--out", tmp_path]
    output = invoke("study", *words, "--figure", tmp_path / "study.png")
    trials = re.findall(r"^(\w+): ([\d.e+-]+), ([\d.e+-]+)$", output, re.MULTILINE)
    told = {name: float(first) > float(later) for name, first, later in trials if first != later}
    rows = re.findall(r"^\| ([SMAC]\w+) \| ([\d.]+)", output, re.MULTILINE)
    assert len(trials) == len(rows) == 4
    second = {"SGD": 0.004, "Momentum": 0.001, "Adam": 0.0002, "CoolMomentum": 0.04}
    chosen = {name: float(lr) == second[name] for name, lr in rows}
    assert (told or problem == "fashion") and told.items() <= chosen.items()
    files = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*")}
    assert invoke("study", *words) == output
    assert files == {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*")}


@pytest.mark.filterwarnings("ignore:CoolMomentum has made all its total_steps")
@pytest.mark.parametrize("optimizer", ["coolmomentum", "rmsprop"])
def test_efficientnet_trains_and_resumes_on_generated_images(optimizer, tmp_path):
    from PIL import Image

    generator = np.random.default_rng(0)
    for part in ("train", "val"):
        for label in range(2):
            folder = tmp_path / part / f"class{label}"
            folder.mkdir(parents=True)
            for k in range(4):
                pixels = generator.integers(0, 100, (40, 48, 3), dtype=np.uint8) + np.uint8(
                    100 * label
                )
                Image.fromarray(pixels).save(folder / f"{k}.png")
    options = [
        "--data",
        tmp_path,
        "--optimizer",
        optimizer,
        "--batch-size",
        4,
        "--size",
        32,
        "--workers",
        0,
    ]
    first = invoke("efficientnet", *options, "--epochs", 2, "--out", tmp_path / "whole.pt")
    assert re.search(r"epoch 2/2  loss in training \d", first) and "nan" not in first
    saved = torch.load(tmp_path / "whole.pt")
    assert saved["epoch"] == 2
    invoke("efficientnet", *options, "--epochs", 1, "--out", tmp_path / "parts.pt")
    assert "epoch 1" not in invoke(
        "efficientnet", *options, "--epochs", 2, "--out", tmp_path / "parts.pt"
    )


def test_efficientnet_s_schedules():
    import efficientnet

    model = torch.nn.Linear(2, 2)
    cool, none = efficientnet.make_optimizer("coolmomentum", model, 2048, 350, 625)
    assert none is None and cool.param_groups[0]["lr"] == 0.6
    rho = [
        cool.rho(group | {"step": n}) for group in cool.param_groups[:1] for n in (0, 3124, 3125)
    ]
    assert rho[:2] == [0, 0] and rho[2] == pytest.approx(1 - 0.01 ** (1 - 3125 / (350 * 625)))
    rms, scheduler = efficientnet.make_optimizer("rmsprop", model, 2048, 350, 625)
    assert [rms.defaults[k] for k in ("alpha", "eps", "momentum")] == [0.9, 0.001, 0.9]
    rates = [scheduler.lr_lambdas[0](n) * 0.128 for n in (0, 3124, 3125, 3125 + 1499, 3125 + 1500)]
    assert rates == pytest.approx([0.128 / 3125, 0.128, 0.128, 0.128, 0.128 * 0.97])
