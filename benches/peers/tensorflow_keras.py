"""The chapter's two networks in Keras over TensorFlow, as its listings stand but for the softmax inside the loss."""

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
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    training = options.work.endswith("training")
    function = model.make_train_function() if training else model.make_predict_function()

    def train(x, y):
        # One compiled step a call, without the progress and callbacks of `fit`.
        logs = function(iter([(tf.constant(x), tf.constant(y))]))
        return logs["loss"]

    def infer(x, _):
        function(iter([(tf.constant(x),)]))

    def step(x, y):
        if training:
            model.reset_metrics()
            return float(train(x, y))
        return infer(x, y)

    work.report("Keras", f"{keras.__version__}, TensorFlow {tf.__version__}", options, step)


if __name__ == "__main__":
    main()
