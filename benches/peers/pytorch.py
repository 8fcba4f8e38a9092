"""The chapter's two networks in PyTorch, images channels-last in memory, eager mode."""

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


def main():
    options = work.arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    is_cnn = options.work.startswith("cnn")
    model = cnn() if is_cnn else Tagger()
    optimizer = torch.optim.Adam(model.parameters(), eps=1e-7)
    criterion = nn.CrossEntropyLoss()

    def inputs(x):
        # N x H x W x C in memory is channels-last seen as N x C x H x W.
        return torch.from_numpy(x).permute(0, 3, 1, 2) if is_cnn else torch.from_numpy(x)

    def train(x, y):
        optimizer.zero_grad()
        output = model(inputs(x))
        loss = criterion(output.reshape(-1, work.CLASSES), torch.from_numpy(y).reshape(-1))
        loss.backward()
        optimizer.step()
        return loss.item()

    @torch.inference_mode()
    def infer(x, _):
        model(inputs(x))

    training = options.work.endswith("training")
    model.train(training)
    work.report("PyTorch", torch.__version__, options, train if training else infer)


if __name__ == "__main__":
    main()
