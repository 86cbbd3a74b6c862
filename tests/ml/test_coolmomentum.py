"""The torch optimizer: Table 1 to rounding, and what people do with optimizers."""

import copy
import math
import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra ml")

import langevin_sa as lsa
from langevin_sa.ml import CoolMomentum, Thermometer

WAYS = {"foreach": {}, "one by one": {"foreach": False}, "fused": {"fused": True}}


@pytest.fixture(params=WAYS)
def way(request):
    return WAYS[request.param]


def parameter(values, dtype=torch.float64):
    return torch.nn.Parameter(torch.tensor(values, dtype=dtype))


def descend(x, optimizer, steps, gradient=lambda x, n: x):
    """Steps along given gradients; positions after each."""
    path = []
    for n in range(steps):
        x.grad = torch.as_tensor(gradient(x.detach(), n)).clone()
        optimizer.step()
        path.append(x.detach().clone())
    return torch.stack(path).numpy()


def network(seed=0):
    torch.manual_seed(seed)
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 8), torch.nn.BatchNorm1d(8), torch.nn.Tanh(), torch.nn.Linear(8, 2)
    )
    return model.double()


def train(model, optimizer, steps, scheduler=None):
    for n in steps:
        generator = torch.Generator().manual_seed(n)
        optimizer.zero_grad()
        model(
            torch.randn(16, 3, generator=generator, dtype=torch.float64)
        ).square().mean().backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


# ------------------------------------------------------------------------------------------ Table 1


@pytest.mark.filterwarnings("ignore:CoolMomentum has made all its total_steps")
def test_the_published_numbers(way, fixture):
    x = parameter([1.0])
    np.testing.assert_allclose(
        descend(x, CoolMomentum([x], 0.1, 0.9, total_steps=5, **way), 6)[:, 0], fixture, atol=5e-10
    )


@pytest.mark.filterwarnings("ignore:CoolMomentum has made all its total_steps")
def test_table_1(way, reference):
    noise, stiffness = np.random.default_rng(0).normal(size=(300, 40)), np.linspace(0.1, 3, 40)
    x = parameter(np.linspace(-2, 2, 40))
    path = descend(
        x,
        CoolMomentum([x], 0.05, 0.99, total_steps=250, **way),
        300,
        lambda x, n: torch.tensor(stiffness) * x + torch.tensor(noise[n]),
    )
    exact = reference(
        np.linspace(-2, 2, 40), lambda x, n: stiffness * x + noise[n], 0.05, 0.99, 250, 300
    )
    np.testing.assert_allclose(path, exact, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("law", ["paper", "exponential", "linear"])
def test_every_law_is_the_core_s(law):
    x = parameter([1.0, -0.5])
    path = descend(x, CoolMomentum([x], 0.1, 0.9, total_steps=20, law=law), 20)
    run = lsa.simulate(
        lsa.potentials.harmonic(2),
        [1.0, -0.5],
        lsa.CoolMomentum(0.1, 0.9, law=law),
        20,
        record_every=1,
        rng=0,
    )
    np.testing.assert_allclose(
        path, [snapshot.state.x[0] for snapshot in run], rtol=1e-12, atol=1e-14
    )


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9, 0.99])
def test_constant_rho_is_sgd_with_momentum(way, momentum):
    ours, theirs = network(), network()
    train(
        ours,
        CoolMomentum(
            ours.parameters(), 0.1, momentum, total_steps=math.inf, weight_decay=0.01, **way
        ),
        range(50),
    )
    rate = 0.1 * (1 + momentum) / 2
    train(
        theirs,
        torch.optim.SGD(theirs.parameters(), rate, momentum=momentum, weight_decay=0.01),
        range(50),
    )
    assert (weights(ours) - weights(theirs)).abs().max() < 1e-12


@pytest.mark.filterwarnings("ignore:CoolMomentum has made all its total_steps")
def test_warmup_has_no_momentum_and_keeps_the_clock():
    x = parameter([1.0])
    optimizer = CoolMomentum([x], 0.1, 0.9, total_steps=10, warmup_steps=3)
    seen = []
    for _ in range(11):
        seen.append(optimizer.rho(optimizer.param_groups[0]))
        descend(x, optimizer, 1)
    want = [0, 0, 0, *(1 - 0.1 ** (1 - n / 10) for n in range(3, 10)), 0]
    np.testing.assert_allclose(seen, want, atol=1e-15)


# ------------------------------------------------------------------------------- what optimizers do


def test_weight_decay_is_a_penalty_or_a_shrinking(way):
    x, y = parameter([1.0, 2.0]), parameter([1.0, 2.0])
    a = descend(x, CoolMomentum([x], 0.1, 0.9, total_steps=9, weight_decay=0.3, **way), 9)
    b = descend(y, CoolMomentum([y], 0.1, 0.9, total_steps=9, **way), 9, lambda x, n: 1.3 * x)
    np.testing.assert_allclose(a, b, rtol=1e-13)
    z = parameter([2.0])
    optimizer = CoolMomentum(
        [z], 0.1, 0.9, total_steps=9, weight_decay=0.5, decoupled_weight_decay=True, **way
    )
    assert descend(z, optimizer, 2, lambda x, n: 0 * x)[:, 0].tolist() == pytest.approx(
        [2 * 0.95, 2 * 0.95**2]
    )


def test_maximize_goes_up(way):
    x, y = parameter([1.0, 2.0]), parameter([1.0, 2.0])
    up = descend(x, CoolMomentum([x], 0.1, 0.9, total_steps=9, maximize=True, **way), 9)
    down = descend(y, CoolMomentum([y], 0.1, 0.9, total_steps=9, **way), 9, lambda x, n: -x)
    np.testing.assert_array_equal(up, down)


def test_a_closure_is_called_once_with_gradients_on():
    x = parameter([1.0])
    optimizer = CoolMomentum([x], 0.1, total_steps=5)

    def closure():
        optimizer.zero_grad()
        loss = (x**2).sum() / 2
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 0.5
    assert x.item() == 1 - 0.1 * 1.99 / 2


def test_groups_have_their_own_numbers_and_a_later_one_cools_along():
    x, y, z, idle = (parameter([1.0]) for _ in range(4))
    optimizer = CoolMomentum(
        [{"params": [x]}, {"params": [y], "lr": 0.2, "rho0": 0.5}, {"params": [idle]}],
        0.1,
        0.9,
        total_steps=5,
    )
    for p in (x, y):
        p.grad = torch.ones_like(p)
    optimizer.step()
    assert (x.item(), y.item(), idle.item()) == pytest.approx((1 - 0.095, 1 - 0.15, 1))
    optimizer.add_param_group({"params": [z]})
    assert optimizer.param_groups[-1]["step"] == 1
    with pytest.raises(ValueError, match=r"rho0 must be in \[0, 1\), not 1.5"):
        optimizer.add_param_group({"params": [parameter([1.0])], "rho0": 1.5})
    assert len(optimizer.param_groups) == 4


def test_resume_gives_the_same_bits(way, tmp_path):
    whole, first, second = network(), network(), network(7)
    keywords = {"lr": 0.1, "rho0": 0.99, "total_steps": 40, "law": "exponential"} | way
    train(whole, CoolMomentum(whole.parameters(), **keywords), range(40))
    optimizer = CoolMomentum(first.parameters(), **keywords)
    train(first, optimizer, range(17))
    torch.save(
        {"model": first.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "saved.pt"
    )
    saved = torch.load(tmp_path / "saved.pt")  # weights_only: nothing but tensors and numbers
    second.load_state_dict(saved["model"])
    # loading brings the old numbers back
    optimizer = CoolMomentum(second.parameters(), lr=9.0, total_steps=3)
    optimizer.load_state_dict(saved["optimizer"])
    train(second, optimizer, range(17, 40))
    assert torch.equal(weights(whole), weights(second))


def test_copies_and_pickles_go_on_alike():
    model = network()
    optimizer = CoolMomentum(model.parameters(), 0.1, total_steps=20)
    train(model, optimizer, range(5))
    for again, twin in (
        copy.deepcopy((model, optimizer)),
        pickle.loads(pickle.dumps((model, optimizer))),
    ):
        train(again, twin, range(5, 20))
        assert twin.param_groups[0]["step"] == 20
        rest = copy.deepcopy((model, optimizer))
        train(*rest, range(5, 20))
        assert torch.equal(weights(again), weights(rest[0]))


@pytest.mark.parametrize("kind", ["warm-up from 0", "cosine to 0", "one cycle"])
def test_schedulers_change_the_base_rate(kind, reference):
    x = parameter([1.0])
    optimizer = CoolMomentum([x], 0.1, 0.9, total_steps=10)
    scheduler = {
        "warm-up from 0": lambda: torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda n: min(1, n / 4)
        ),
        "cosine to 0": lambda: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10),
        "one cycle": lambda: torch.optim.lr_scheduler.OneCycleLR(
            optimizer, 0.2, 12, cycle_momentum=False
        ),
    }[kind]()
    rates, path = [], []
    for _ in range(10):
        rates.append(scheduler.get_last_lr()[0])
        path.append(descend(x, optimizer, 1)[0])
        scheduler.step()
    exact = reference([1.0], lambda x, n: x * rates[n], 1.0, 0.9, 10, 10)
    np.testing.assert_allclose(path, exact, rtol=1e-12)


def test_a_scaler_unscales_and_a_skipped_step_does_not_cool():
    scaled, plain = parameter([1.0], torch.float32), parameter([1.0], torch.float32)
    ours, theirs = (CoolMomentum([p], 0.1, 0.9, total_steps=8) for p in (scaled, plain))
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    for n in range(9):
        ours.zero_grad()
        scaler.scale((scaled**2).sum() / 2 * (math.inf if n == 3 else 1)).backward()
        scaler.step(ours)
        scaler.update()
    descend(plain, theirs, 8)
    assert ours.param_groups[0]["step"] == 8
    assert torch.equal(scaled, plain)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_parameters(way, dtype):
    x, exact = parameter(np.linspace(-1, 1, 64), dtype), parameter(np.linspace(-1, 1, 64))
    optimizer = CoolMomentum([x], 0.1, 0.9, total_steps=20, **way)
    for _ in range(20):
        x.grad = x.detach().clone()
        optimizer.step()
    assert x.dtype == dtype
    fine = descend(exact, CoolMomentum([exact], 0.1, 0.9, total_steps=20), 20)[-1]
    np.testing.assert_allclose(x.detach().double(), fine, atol=20 * torch.finfo(dtype).eps)


def test_complex_parameters_are_pairs_of_real_ones():
    z, pair = torch.nn.Parameter(torch.tensor([1 + 2j])), parameter([1.0, 2.0], torch.float32)
    turn = descend(z, CoolMomentum([z], 0.1, total_steps=5), 5)
    np.testing.assert_allclose(
        np.stack([turn.real, turn.imag], -1)[:, 0],
        descend(pair, CoolMomentum([pair], 0.1, total_steps=5), 5),
        rtol=1e-6,
    )


def test_sparse_gradients_are_refused_before_anything_moves():
    layer, x = torch.nn.Embedding(5, 2, sparse=True), parameter([1.0])
    optimizer = CoolMomentum([x, layer.weight], 0.1, total_steps=5)
    x.grad = torch.ones_like(x)
    layer(torch.tensor([1])).sum().backward()
    with pytest.raises(
        RuntimeError, match=r"sparse gradient of a parameter of shape \(5, 2\).*sparse=False"
    ):
        optimizer.step()
    assert x.item() == 1.0


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"lr": -1}, "lr must be a positive number, not -1"),
        ({"rho0": 1}, r"rho0 must be in \[0, 1\), not 1"),
        (
            {"total_steps": 0},
            "total_steps must be a whole number of steps, at least 1, or math.inf for a constant "
            "rho, not 0",
        ),
        ({"total_steps": 2.5}, "not 2.5"),
        ({"total_steps": math.nan}, "not nan"),
        ({"warmup_steps": -1}, "warmup_steps must be a whole number of steps, at least 0, not -1"),
        ({"law": "expnential"}, "did you mean 'exponential'"),
        ({"weight_decay": -0.1}, "weight_decay must be a number >= 0, not -0.1"),
    ],
)
def test_bad_numbers(keywords, message):
    with pytest.raises(ValueError, match=message):
        CoolMomentum([parameter([1.0])], **({"lr": 0.1, "total_steps": 5} | keywords))


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"step": math.nan}, "step must be"),
        ({"step": -1}, "step must be"),
        ({"lr": math.nan}, "lr"),
        ({"rho0": 2.0}, "rho0"),
        ({"weight_decay": -1.0}, "weight_decay"),
    ],
)
def test_a_state_that_cannot_be_is_refused(wrong, match):
    optimizer = CoolMomentum([parameter([1.0])], 0.1, total_steps=10)
    before, saved = copy.deepcopy(optimizer.state_dict()), copy.deepcopy(optimizer.state_dict())
    saved["param_groups"][0] |= wrong
    with pytest.raises(ValueError, match=match):
        optimizer.load_state_dict(saved)
    assert optimizer.state_dict() == before
    other = torch.optim.SGD([parameter([1.0])], 0.1, momentum=0.9).state_dict()
    with pytest.raises(ValueError, match=r"has no .*law, rho0, step, total_steps"):
        optimizer.load_state_dict(other)


def test_steps_beyond_total_steps_are_told_once():
    x = parameter([1.0])
    optimizer = CoolMomentum([x], 0.1, 0.9, total_steps=5)
    descend(x, optimizer, 5)
    with pytest.warns(UserWarning, match="epochs\\*len\\(loader\\)") as told:
        descend(x, optimizer, 4)
    assert len(told) == 1
    rest = CoolMomentum([x], 0.1, 0.9, total_steps=math.inf)
    descend(x, rest, 9)


def test_a_group_may_have_a_rate_of_0(way):
    """It stays where it is, or runs out, and the thermometer reads the others."""
    x, still = parameter([1.0, 2.0]), parameter([3.0])
    groups = [{"params": [x]}, {"params": [still], "lr": 0.0}]
    optimizer = CoolMomentum(groups, 0.1, 0.9, total_steps=10, **way)
    alone = parameter([1.0, 2.0])
    with (
        Thermometer(optimizer) as all_,
        Thermometer(other := CoolMomentum([alone], 0.1, 0.9, total_steps=10, **way)) as one,
    ):
        still.grad = torch.ones_like(still)
        np.testing.assert_array_equal(descend(x, optimizer, 5), descend(alone, other, 5))
        mine, its = all_.read(), one.read()
    assert still.item() == 3.0
    assert mine.temperature == pytest.approx(its.temperature, rel=1e-12)
    assert mine.rescaled == pytest.approx(its.rescaled * 2 / 3, rel=1e-12)
