"""The networks in Keras over TensorFlow, as the chapter's listings stand but for the softmax inside the loss.

A step is one compiled graph over tensors that are ready, without the progress and callbacks of `fit` and `predict`. Compiling
with XLA makes these networks slower on a CPU; oneDNN is on, as TensorFlow has it.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras import layers  # noqa: E402

import worker  # noqa: E402


def cnn():
    return keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"), layers.Flatten(),
        layers.Dense(64, activation="relu"), layers.Dense(10),
    ])


def vgg():
    def block(out):
        return [layers.Conv2D(out, 3, padding="same"), layers.BatchNormalization(), layers.ReLU()]

    return keras.Sequential([
        keras.Input((32, 32, 3)),
        *block(64), *block(64), layers.MaxPooling2D(2),
        *block(128), *block(128), layers.MaxPooling2D(2),
        *block(256), *block(256), layers.MaxPooling2D(2),
        layers.Flatten(), layers.Dense(256, activation="relu"), layers.Dense(10),
    ])


def mlp():
    return keras.Sequential([
        keras.Input((784,)),
        layers.Dense(512, activation="relu"), layers.Dense(512, activation="relu"), layers.Dense(10),
    ])


def tagger(cell, work):
    stream = work["mode"] == "stream"
    size = {"batch_shape": (work["batch"], 1)} if stream else {"shape": (work["steps"],)}
    return keras.Sequential([
        keras.Input(**size, dtype="int64"),
        layers.Embedding(worker.VOCABULARY, 64),
        cell(64, return_sequences=True, dropout=0.1, stateful=stream),
        layers.Dense(64, activation="relu"), layers.Dense(worker.CLASSES),
    ])


NETWORKS = {
    "cnn": lambda work: cnn(),
    "vgg": lambda work: vgg(),
    "mlp": lambda work: mlp(),
    "gru": lambda work: tagger(layers.GRU, work),
    "lstm": lambda work: tagger(layers.LSTM, work),
}


def training(work, model, draw):
    criterion = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam(work["rate"])
    optimizer.build(model.trainable_variables)

    @tf.function
    def graph(x, y):
        with tf.GradientTape() as tape:
            loss = criterion(y, model(x, training=True))
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    return lambda: float(graph(*draw()))


def inference(model, draw):
    @tf.function
    def graph(x):
        return model(x, training=False)

    def step():
        graph(draw()).numpy()

    return step


def prepare(work):
    if work["network"] == "product":
        raise worker.Unsupported("TensorFlow is no contestant in matrix products")
    fix_threads(work["threads"])
    keras.utils.set_random_seed(0)
    model = NETWORKS[work["network"]](work)
    source = [(tf.constant(x), tf.constant(y)) for x, y in worker.batches(work)]
    if work["mode"] == "training":
        return training(work, model, worker.in_turn(source)), None
    if work["mode"] == "stream":
        inputs = [x[:, at : at + 1] for x, _ in source for at in range(x.shape[1])]
    else:
        inputs = [x for x, _ in source]
    return inference(model, worker.in_turn(inputs)), None


def fix_threads(threads):
    """TensorFlow takes a number of threads before its first operation, and never again."""
    if tf.config.threading.get_intra_op_parallelism_threads() == threads:
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError as error:
        raise worker.Unsupported("TensorFlow cannot change its threads any more") from error


if __name__ == "__main__":
    worker.serve("Keras", f"{keras.__version__} (TensorFlow {tf.__version__})", prepare)
