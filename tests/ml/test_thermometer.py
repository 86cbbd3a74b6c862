"""The thermometer: Eq. (22) of what really moved, whatever moved it; Eq. (19) from the noise of
gradients.
"""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra ml")

from langevin_sa.ml import CoolMomentum, Thermometer

OPTIMIZERS = {
    "CoolMomentum": lambda p: CoolMomentum(p, 0.1, total_steps=20),
    "Adam": lambda p: torch.optim.Adam(p, 0.01),
    "RMSprop": lambda p: torch.optim.RMSprop(p, 0.01, momentum=0.9),
    "SGD": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9),
    "LBFGS": lambda p: torch.optim.LBFGS(p, max_iter=2),
}


def model_of(seed=0):
    torch.manual_seed(seed)
    return torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.ReLU(), torch.nn.Linear(8, 3)
    ).double()


def step(model, optimizer, n):
    x = torch.randn(32, 4, generator=torch.Generator().manual_seed(n), dtype=torch.float64)

    def closure():
        optimizer.zero_grad()
        loss = (model(x) - x[:, :3]).square().mean()
        loss.backward()
        return loss

    optimizer.step(closure)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_mean_square_update_from_the_first_step_on(name):
    model = model_of()
    optimizer = OPTIMIZERS[name](model.parameters())
    squares = []
    with Thermometer(optimizer) as thermometer:
        for n in range(6):
            before = torch.cat([p.detach().flatten() for p in model.parameters()])
            step(model, optimizer, n)
            squares.append(
                (torch.cat([p.detach().flatten() for p in model.parameters()]) - before)
                .square()
                .mean()
                .item()
            )
            if n == 3:
                first = thermometer.read()
        second = thermometer.read()
    assert first.rescaled == pytest.approx(np.mean(squares[:4]), rel=1e-12) and first.steps == 4
    assert second.rescaled == pytest.approx(np.mean(squares[4:]), rel=1e-12) and second.steps == 2
    step(model, optimizer, 9)
    assert thermometer.read().steps == 0 and math.isnan(thermometer.read().rescaled)  # closed


def test_only_trainable_parameters_count():
    model = model_of()
    model[0].weight.requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    with Thermometer(optimizer) as thermometer:
        step(model, optimizer, 0)
    moved = [
        (p.detach() - before[name]).flatten()
        for name, p in model.named_parameters()
        if name != "0.weight"
    ]
    # statistics moved and are not counted
    assert not torch.equal(model[1].running_mean, torch.zeros(8))
    assert thermometer.read().rescaled == pytest.approx(
        torch.cat(moved).square().mean().item(), rel=1e-12
    )


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_temperature_needs_the_time_step(momentum):
    x, y = (torch.nn.Parameter(torch.zeros(1, dtype=torch.float64)) for _ in range(2))
    cool = CoolMomentum(
        [{"params": [x]}, {"params": [y], "lr": 0.4}], 0.1, momentum, total_steps=math.inf
    )
    sgd = torch.optim.SGD([x], 0.05 * (1 + momentum), momentum=momentum)
    x.grad, y.grad = torch.ones_like(x), torch.ones_like(y)
    with Thermometer(cool) as thermometer:
        cool.step()
        assert thermometer.read().temperature == pytest.approx(
            ((1 + momentum) / 2) ** 2 * (0.1 + 0.4) / 2
        )
    with Thermometer(sgd) as thermometer:
        sgd.step()
        assert thermometer.read().temperature == pytest.approx(((1 + momentum) / 2) ** 2 * 0.1)
    with Thermometer(torch.optim.Adam([x])) as thermometer:
        thermometer.optimizer.step()
        assert math.isnan(thermometer.read().temperature)


def test_half_precision_updates_have_a_square():
    x = torch.nn.Parameter(torch.zeros(10, dtype=torch.float16))
    x.grad = torch.linspace(0.5e-3, 2e-3, 10).half()
    optimizer = torch.optim.SGD([x], 0.01)
    with Thermometer(optimizer) as thermometer:
        optimizer.step()
        # 0 in float16
        assert thermometer.read().rescaled == pytest.approx(
            x.detach().double().square().mean().item(), rel=1e-6
        )


@pytest.mark.parametrize("rho", [0.5, 0.9])
def test_white_noise_of_known_variance_gives_the_temperature_of_eq_19(rho):
    """Harmonic modes under white force noise: <dx^2>/dt^2 is T of Eq. (19) times 1/(1 - a/4)
    (PHYSICS: BBK), for any stable dt.
    """
    modes, dt2, sigma, steps = 4000, 0.2, 3.0, 1500
    k = 2.0
    x = torch.nn.Parameter(torch.zeros(modes, dtype=torch.float64))
    optimizer = CoolMomentum([x], dt2, rho, total_steps=math.inf)
    generator = torch.Generator().manual_seed(1)
    with Thermometer(optimizer) as thermometer:
        for n in range(steps):
            x.grad = k * x.detach() + sigma * torch.randn(
                modes, generator=generator, dtype=torch.float64
            )
            optimizer.step()
            if n == 300:
                thermometer.read()
        measured = thermometer.read().temperature
    exact = sigma**2 * dt2 * (1 + rho) / (4 * (1 - rho)) / (1 - k * dt2 / 4)
    # 5 sigma for 4000 modes whose dx decorrelate within 20 steps
    assert measured == pytest.approx(exact, rel=0.008)


def test_noise_is_the_variance_between_batches():
    data = torch.randn(1000, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
    idle = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
    optimizer = CoolMomentum(
        [{"params": [x]}, {"params": [idle], "lr": 0.4}], 0.1, 0.9, total_steps=math.inf
    )
    thermometer = Thermometer(optimizer)
    batches = data.split(50)
    noise = thermometer.noise(((x - batch) ** 2).sum(1).mean() / 2 for batch in batches)
    per_component = np.var([batch.mean(0).numpy() for batch in batches], axis=0, ddof=1)
    assert noise.variance == pytest.approx(per_component.sum() / 4, rel=1e-12)
    assert noise.temperature == pytest.approx(
        per_component.sum() / 4 * 0.1 * 1.9 / (4 * 0.1), rel=1e-12
    )
    assert x.grad is None
    with pytest.raises(ValueError, match="two mini-batches or more, not 1"):
        thermometer.noise([(x**2).sum()])


def test_wants_an_optimizer():
    with pytest.raises(TypeError, match="goes on a torch optimizer, not list"):
        Thermometer([1])
