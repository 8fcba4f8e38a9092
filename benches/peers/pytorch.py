"""The networks in PyTorch: eager mode, Adam as one fused pass. Matrix products are those of the library under it, MKL.

Images lie in memory as PyTorch likes them best on the machine at hand: both layouts are tried before a work is timed, and the
faster one runs. Compiling (`torch.compile`) makes the training of these networks slower on a CPU.
"""

import copy
import time

import torch
from torch import nn

import worker

# Each layout is tried for so many seconds, and a step at least, behind a first step that does not count.
TRIAL = 0.15
LAYOUTS = {"channels last": torch.channels_last, "channels first": torch.contiguous_format}


class Tagger(nn.Module):
    """Embedding, GRU or LSTM with dropped inputs, two dense layers a step."""

    def __init__(self, cell):
        super().__init__()
        self.table = nn.Embedding(worker.VOCABULARY, 64)
        self.drop = nn.Dropout(0.1)
        self.cell = cell(64, 64, batch_first=True)
        self.head = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, worker.CLASSES))

    def forward(self, tokens, state=None):
        states, state = self.cell(self.drop(self.table(tokens)), state)
        return self.head(states), state


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10),
    )


def vgg():
    def block(channels, out):
        # The momentum and epsilon of Keras and Plywood.
        return [nn.Conv2d(channels, out, 3, padding=1), nn.BatchNorm2d(out, eps=1e-3, momentum=0.01), nn.ReLU()]

    return nn.Sequential(
        *block(3, 64), *block(64, 64), nn.MaxPool2d(2),
        *block(64, 128), *block(128, 128), nn.MaxPool2d(2),
        *block(128, 256), *block(256, 256), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(4096, 256), nn.ReLU(), nn.Linear(256, 10),
    )


def mlp():
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))


NETWORKS = {"cnn": cnn, "vgg": vgg, "mlp": mlp, "gru": lambda: Tagger(nn.GRU), "lstm": lambda: Tagger(nn.LSTM)}


def initialise(model):
    """Weights drawn as Keras and Plywood draw them, so that the losses can be compared."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            continue  # ones and zeros already
        for name, parameter in module.named_parameters(recurse=False):
            if isinstance(module, nn.Embedding):
                nn.init.uniform_(parameter, -0.05, 0.05)
            elif "weight_hh" in name:
                for gate in parameter.detach().split(64):
                    nn.init.orthogonal_(gate)
            elif "weight_ih" in name:
                # Glorot's bound of the matrix that has all gates side by side.
                nn.init.xavier_uniform_(parameter)
            elif parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
            else:
                nn.init.zeros_(parameter)
                if isinstance(module, nn.LSTM) and name == "bias_ih_l0":
                    parameter.detach()[64:128] = 1.0  # the forget gate


def training(work, model, draw):
    optimizer = torch.optim.Adam(model.parameters(), lr=work["rate"], eps=1e-7, fused=True)
    criterion = nn.CrossEntropyLoss()

    def step():
        x, y = draw()
        optimizer.zero_grad()
        output = model(x)
        output = output[0] if isinstance(output, tuple) else output
        loss = criterion(output.reshape(-1, worker.CLASSES), y.reshape(-1))
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def inference(work, model, draw):
    @torch.inference_mode()
    def step():
        model(draw()[0])

    return step


def stream(model, source):
    """A token at a time; the state of the last step goes into the next."""
    draw = worker.in_turn([x[:, at : at + 1] for x, _ in source for at in range(x.shape[1])])
    state = None

    @torch.inference_mode()
    def step():
        nonlocal state
        output, state = model(draw(), state)
        output.numpy()

    return step


def product(work):
    a, b = (torch.from_numpy(factor) for factor in worker.product(work))
    c = torch.empty(work["m"], work["n"])

    @torch.inference_mode()
    def step():
        torch.mm(a, b, out=c)

    return step


def seconds(step):
    """Of a step, after the first."""
    step()
    steps, start = 0, time.perf_counter()
    while steps == 0 or time.perf_counter() - start < TRIAL:
        step()
        steps += 1
    return (time.perf_counter() - start) / steps


def fastest_layout(work, model, source, mode):
    """Tries the layouts on copies of the model."""
    def laid(layout):
        return [(x.contiguous(memory_format=layout), y) for x, y in source]

    def trial(layout):
        return seconds(mode(work, copy.deepcopy(model).to(memory_format=layout), worker.in_turn(laid(layout)[:8])))

    name = min(LAYOUTS, key=lambda name: trial(LAYOUTS[name]))
    return name, model.to(memory_format=LAYOUTS[name]), laid(LAYOUTS[name])


def prepare(work):
    torch.set_num_threads(work["threads"])
    torch.manual_seed(0)
    if work["network"] == "product":
        return product(work), None
    model = NETWORKS[work["network"]]()
    initialise(model)
    model.train(work["mode"] == "training")
    source = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in worker.batches(work)]
    if work["mode"] == "stream":
        return stream(model, source), None
    mode = training if work["mode"] == "training" else inference
    variant = None
    if source[0][0].dim() == 4:
        source = [(x.permute(0, 3, 1, 2), y) for x, y in source]
        variant, model, source = fastest_layout(work, model, source, mode)
    return mode(work, model, worker.in_turn(source)), variant


if __name__ == "__main__":
    worker.serve("PyTorch", torch.__version__, prepare)
