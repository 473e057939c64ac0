"""PyTorch, as a careful user writes it: the data in one tensor, a plain loop over shuffled batches, inference mode.

No DataLoader, which would cost more than the network; no reading back of the loss within an epoch.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

from common import Arrays, parser, report
from workloads import Variant, Workload

VALIDATION_ROWS = 2000


def network(workload: Workload, variant: Variant, nn: Any) -> Any:
    """A variant's network with Keras's initial weights."""

    def after(units: int, rate: float, normal: Any) -> list[Any]:
        return ([normal(units)] if variant.batch_norm else []) + ([nn.Dropout(rate)] if rate else [])

    rates = workload.dropout_of(variant)
    result: list[Any] = []
    if workload.hidden:
        widths = (64 if workload.data == "digits" else 784, *workload.hidden)
        for (before, units), rate in zip(pairwise(widths), rates, strict=True):
            result += [nn.Linear(before, units), nn.ReLU(), *after(units, rate, nn.BatchNorm1d)]
        result.append(nn.Linear(widths[-1], 10))
    elif workload.filters:
        for before, units in pairwise((1, *workload.filters)):
            block = [nn.Conv2d(before, units, 3, padding=1), nn.BatchNorm2d(units), nn.ReLU()]
            result += [*block, nn.MaxPool2d(2)]
        result[-1:] = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), *([nn.Dropout(rates[0])] if rates[0] else [])]
        result.append(nn.Linear(workload.filters[-1], 10))
    else:
        first, second, dense = rates
        result = [
            *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), *after(6, first, nn.BatchNorm2d), nn.MaxPool2d(2)),
            *(nn.Conv2d(6, 16, 5), nn.ReLU(), *after(16, second, nn.BatchNorm2d), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 120, 5), nn.ReLU(), *after(120, 0.0, nn.BatchNorm2d), nn.Flatten()),
            *(nn.Linear(120, 84), nn.ReLU(), *after(84, dense, nn.BatchNorm1d)),
            nn.Linear(84, 10),
        ]
    for layer in result:
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*result)


def optimizer_for(workload: Workload, variant: Variant, kernels: list[Any], others: list[Any], torch: Any) -> Any:
    """Keras's optimizer; in PyTorch ``weight_decay`` of all but AdamW is the L2 penalty's gradient."""
    groups = [{"params": kernels, "weight_decay": 2 * variant.l2}, {"params": others}]
    name = workload.optimizer_of(variant)
    if name == "adam":
        return torch.optim.Adam(groups, lr=1e-3, eps=1e-7)
    if name == "rmsprop":
        return torch.optim.RMSprop(groups, lr=1e-3, alpha=0.9, eps=1e-7)
    if name == "adagrad":
        return torch.optim.Adagrad(groups, lr=1e-3, initial_accumulator_value=0.1, eps=1e-7)
    return torch.optim.SGD(groups, lr=1e-2, momentum=0.9 if name == "momentum" else 0.0)


def train(
    arrays: Arrays,
    workload: Workload,
    variant: Variant,
    epochs: int,
    end_of_epoch: Callable[[], None],
    *,
    torch: Any,
    options: argparse.Namespace,
) -> float:
    """Train one network."""
    layout = torch.channels_last if options.channels_last else torch.contiguous_format

    def images(x: Any) -> Any:
        return torch.from_numpy(x if workload.hidden else x[:, None])

    device = torch.device(options.device)
    x, y = images(arrays.x_train).to(device), torch.from_numpy(arrays.y_train).long().to(device)
    x_validation, y_validation = images(arrays.x_validation), torch.from_numpy(arrays.y_validation).long()
    x_validation, y_validation = x_validation.to(device), y_validation.to(device)
    model = network(workload, variant, torch.nn).to(device, memory_format=layout)
    kernels = [layer.weight for layer in model if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d)][:-1]
    others = [p for p in model.parameters() if all(p is not kernel for kernel in kernels)]
    optimizer = optimizer_for(workload, variant, kernels, others, torch)
    run = torch.compile(model, dynamic=False) if options.compile else model
    cross_entropy = torch.nn.functional.cross_entropy
    accuracy = 0.0
    for _ in range(epochs):
        model.train()
        running = torch.zeros((), device=device)
        for rows in torch.randperm(len(x), device=device).split(workload.batch_size):
            batch = x[rows].contiguous(memory_format=layout)
            loss = cross_entropy(run(batch), y[rows])
            if variant.l1:
                loss = loss + variant.l1 * sum(kernel.abs().sum() for kernel in kernels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            running += loss.detach() * len(rows)
        model.eval()
        with torch.inference_mode():
            parts = [run(part.contiguous(memory_format=layout)) for part in x_validation.split(VALIDATION_ROWS)]
            logits = torch.cat(parts)  # (v, 10)
            accuracy = (logits.argmax(1) == y_validation).float().mean().item()
            validation_loss = cross_entropy(logits, y_validation).item()
        if not (running.item() / len(x) < 10 and validation_loss < 10):
            raise RuntimeError("it does not learn")
        end_of_epoch()
    return accuracy


def main() -> None:
    """Parse, import PyTorch, measure."""
    arguments = parser(__doc__)
    arguments.add_argument("--variants", required=True)
    arguments.add_argument("--channels-last", action="store_true")
    arguments.add_argument("--compile", action="store_true")
    arguments.add_argument("--threads", type=int, default=0, help="0: as many as PyTorch chooses")
    arguments.add_argument("--device", default="cpu", help="cpu, or cuda")
    options = arguments.parse_args()
    import torch

    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    report(options, partial(train, torch=torch, options=options), "torch")


if __name__ == "__main__":
    main()
