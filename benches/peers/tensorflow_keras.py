"""The chapter's two networks in Keras over TensorFlow, as its listings stand but for the softmax inside the loss.

A step is one compiled graph over tensors that are ready, without the progress and callbacks of `fit` and `predict`. Compiling
with XLA makes these networks slower on a CPU.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras import layers  # noqa: E402

import work  # noqa: E402


def cnn():
    return keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"), layers.Flatten(),
        layers.Dense(64, activation="relu"), layers.Dense(10),
    ])


def tagger():
    return keras.Sequential([
        keras.Input((work.STEPS,), dtype="int64"),
        layers.Embedding(work.VOCABULARY, 64),
        layers.GRU(64, return_sequences=True, dropout=0.1),
        layers.Dense(64, activation="relu"), layers.Dense(work.CLASSES),
    ])


def main():
    options = work.arguments()
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    keras.utils.set_random_seed(0)
    model = cnn() if options.work.startswith("cnn") else tagger()
    criterion = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)

    @tf.function
    def train_graph(x, y):
        with tf.GradientTape() as tape:
            loss = criterion(y, model(x, training=True))
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    @tf.function
    def infer_graph(x):
        return model(x, training=False)

    def train(x, y):
        return float(train_graph(x, y))

    def infer(x, _):
        infer_graph(x).numpy()

    training = options.work.endswith("training")
    version = f"{keras.__version__} (TensorFlow {tf.__version__})"
    work.report("Keras", version, options, tf.constant, train if training else infer)


if __name__ == "__main__":
    main()
