"""The chapter's two networks in PyTorch: eager mode, images channels-last in memory, Adam as one fused pass.

Compiling (`torch.compile`) makes the training of these networks slower on a CPU.
"""

import torch
from torch import nn

import work


class Tagger(nn.Module):
    """Embedding, GRU with dropped inputs, two dense layers a step."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(work.VOCABULARY, 64)
        self.drop = nn.Dropout(0.1)
        self.gru = nn.GRU(64, 64, batch_first=True)
        self.head = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, work.CLASSES))

    def forward(self, tokens):
        return self.head(self.gru(self.drop(self.table(tokens)))[0])


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(576, 64), nn.ReLU(), nn.Linear(64, 10),
    ).to(memory_format=torch.channels_last)


def initialise(model):
    """Weights drawn as Keras and Plywood draw them, so that the losses can be compared."""
    for name, parameter in model.named_parameters():
        if "table" in name:
            nn.init.uniform_(parameter, -0.05, 0.05)
        elif "weight_hh" in name:
            nn.init.orthogonal_(parameter)
        elif parameter.dim() > 1:
            nn.init.xavier_uniform_(parameter)
        else:
            nn.init.zeros_(parameter)


def prepare(values):
    """A tensor; images of N x H x W x C in memory are channels-last seen as N x C x H x W."""
    tensor = torch.from_numpy(values)
    return tensor.permute(0, 3, 1, 2) if tensor.dim() == 4 else tensor


def main():
    options = work.arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    model = cnn() if options.work.startswith("cnn") else Tagger()
    initialise(model)
    optimizer = torch.optim.Adam(model.parameters(), eps=1e-7, fused=True)
    criterion = nn.CrossEntropyLoss()

    def train(x, y):
        optimizer.zero_grad()
        output = model(x)
        loss = criterion(output.reshape(-1, work.CLASSES), y.reshape(-1))
        loss.backward()
        optimizer.step()
        return loss.item()

    @torch.inference_mode()
    def infer(x, _):
        model(x)

    training = options.work.endswith("training")
    model.train(training)
    work.report("PyTorch", torch.__version__, options, prepare, train if training else infer)


if __name__ == "__main__":
    main()
