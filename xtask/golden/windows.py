"""Windows that slide over images: how much padding `same` means, and between which axes PyTorch wants them."""


def around(padding, size, kernel, stride, dilation):
    """Rows and columns of padding (top, bottom, left, right) that `padding` means for an image of `size`.

    `padding` is "valid", "same" (TensorFlow's: what is odd goes to the bottom and the right) or the four numbers themselves.
    """
    if padding == "valid":
        return [0, 0, 0, 0]
    if padding != "same":
        return list(padding)
    sides = []
    for places, k, s, d in zip(size, kernel, stride, dilation):
        outputs = -(-places // s)
        total = max((outputs - 1) * s + (k - 1) * d + 1 - places, 0)
        sides += [total // 2, total - total // 2]
    return sides


def torch_sides(sides):
    """(top, bottom, left, right) in the order of `torch.nn.functional.pad`: last axis first."""
    top, bottom, left, right = sides
    return (left, right, top, bottom)


def to_nchw(x):
    return x.permute(0, 3, 1, 2)


def to_nhwc(x):
    return x.permute(0, 2, 3, 1)
