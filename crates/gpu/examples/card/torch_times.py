"""How long an update takes in PyTorch, eager and compiled: cases as JSON on the standard input, milliseconds as JSON on the output.

The update of requel's own measurement: values of the next observations by a target network, Huber's loss, Adam, the gradient clipped to
a norm of 10, observations brought to the device (images as bytes).
"""

import json
import statistics
import sys
import time

import torch
from torch import nn

SECONDS = 0.5


def network(case):
    layers, channels = [], 0
    if len(case["input"]) == 3:
        height, width, channels = case["input"]
        for outputs, kernel, stride in case["conv"]:
            layers += [nn.Conv2d(channels, outputs, kernel, stride), nn.ReLU()]
            height, width, channels = (height - kernel) // stride + 1, (width - kernel) // stride + 1, outputs
        layers.append(nn.Flatten())
    size = height * width * channels if channels else case["input"][0]
    for outputs in case["hidden"]:
        layers += [nn.Linear(size, outputs), nn.ReLU()]
        size = outputs
    return nn.Sequential(*layers, nn.Linear(size, case["outputs"]))


def observations(case, device):
    if len(case["input"]) == 3:
        height, width, channels = case["input"]
        host = torch.randint(0, 256, (case["rows"], channels, height, width), dtype=torch.uint8)
    else:
        host = torch.randn(case["rows"], *case["input"])
    return host.pin_memory() if device == "cuda" else host


def milliseconds(case, device, compiles):
    torch.manual_seed(0)
    online, target = network(case).to(device), network(case).to(device)
    optimizer = torch.optim.Adam(online.parameters(), lr=1e-4)
    seen, following = observations(case, device), observations(case, device)
    actions = torch.zeros(case["rows"], 1, dtype=torch.int64, device=device)
    rewards = torch.zeros(case["rows"], device=device)

    def scaled(batch):
        return batch.float() / 255 if batch.dtype == torch.uint8 else batch

    def loss_of(batch, next_batch):
        with torch.no_grad():
            targets = rewards + 0.99 * target(scaled(next_batch)).amax(1)
        return nn.functional.smooth_l1_loss(online(scaled(batch)).gather(1, actions).squeeze(1), targets)

    loss = torch.compile(loss_of) if compiles else loss_of

    def update():
        batch, next_batch = seen.to(device, non_blocking=True), following.to(device, non_blocking=True)
        optimizer.zero_grad()
        loss(batch, next_batch).backward()
        nn.utils.clip_grad_norm_(online.parameters(), 10.0)
        optimizer.step()
        if device == "cuda":
            torch.cuda.synchronize()

    for _ in range(3):
        update()
    times, begun = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begun < SECONDS:
        start = time.perf_counter()
        update()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def main():
    asked = json.load(sys.stdin)
    if asked["device"] == "cuda" and not torch.cuda.is_available():
        sys.exit("PyTorch has no CUDA device")
    measured = []
    for case in asked["cases"]:
        found = {"eager": milliseconds(case, asked["device"], False)}
        try:
            found["compiled"] = milliseconds(case, asked["device"], True)
        except Exception as error:  # Its compiler wants another one, which a machine may lack.
            print(f"not compiled: {error}".splitlines()[0], file=sys.stderr)
        measured.append(found)
    json.dump([*measured, torch.__version__], sys.stdout)


if __name__ == "__main__":
    main()
