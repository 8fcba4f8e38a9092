//! The optimizers followed for 100 steps against PyTorch, in f64.

use plywood_nn::optimizer::{Adagrad, Adam, AdamW, Clip, Optimizer, RmsProp, Sgd, Update};
use plywood_testing::close::assert_close_named;
use plywood_testing::{Case, Golden};

/// How far a parameter may be off after any number of steps.
const TOLERANCE: f64 = 1e-9;

/// A number of the configuration, or what PyTorch takes where it is silent.
fn setting(case: &Case, key: &str, default: f64) -> f64 {
    case.config[key].as_f64().unwrap_or(default)
}

/// The parameters after every `every`th step of `optimizer`, updated in two parts as an engine might.
fn follow(optimizer: &impl Optimizer, start: &[f64], gradients: &[f64], every: usize) -> Vec<f64> {
    let len = start.len();
    let mut parameters = start.to_vec();
    let mut moments = [vec![0.0; len], vec![0.0; len]];
    let mut path = Vec::new();
    for (step, gradient) in gradients.chunks_exact(len).enumerate() {
        let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        let at = Update {
            step: step as u64 + 1,
            rate: optimizer.rate(),
            gradient_scale: optimizer.clip().map_or(1.0, |clip| clip.scale(norm)),
            decays: true,
        };
        let mut gradient = gradient.to_vec();
        for range in [0..len / 3, len / 3..len] {
            let [first, second] = &mut moments;
            let used = [first, second].map(|moment| &mut moment[range.clone()]);
            optimizer.update(
                at,
                &mut parameters[range.clone()],
                &mut gradient[range],
                used,
            );
        }
        if (step + 1).is_multiple_of(every) {
            path.extend_from_slice(&parameters);
        }
    }
    path
}

fn path_of(case: &Case, start: &[f64], gradients: &[f64]) -> Vec<f64> {
    let rate = case.number("lr");
    let epsilon = setting(case, "eps", 1e-8);
    let decay = setting(case, "weight_decay", 0.0);
    let momentum = setting(case, "momentum", 0.0);
    let beta = |i: usize| case.config["betas"][i].as_f64().expect("two betas");
    let clip = match (
        case.config["clip_norm"].as_f64(),
        case.config["clip_value"].as_f64(),
    ) {
        (Some(norm), _) => Some(Clip::Norm(norm)),
        (_, Some(value)) => Some(Clip::Value(value)),
        _ => None,
    };
    let every = case.size("every");
    let nesterov = case.config["nesterov"].as_bool().unwrap_or(false);
    match case.text("optimizer") {
        "SGD" => {
            let plain = Sgd::new(rate).weight_decay(decay);
            let sgd = if nesterov {
                plain.nesterov(momentum)
            } else {
                plain.momentum(momentum)
            };
            follow(&Sgd { clip, ..sgd }, start, gradients, every)
        }
        "Adam" => {
            let adam = Adam::new(rate)
                .betas(beta(0), beta(1))
                .epsilon(epsilon)
                .weight_decay(decay);
            follow(&Adam { clip, ..adam }, start, gradients, every)
        }
        "AdamW" => {
            let adam = AdamW::new(rate)
                .betas(beta(0), beta(1))
                .epsilon(epsilon)
                .weight_decay(decay);
            follow(&AdamW { clip, ..adam }, start, gradients, every)
        }
        "RMSprop" => {
            let keeps = case.number("alpha");
            let plain = RmsProp::new(rate)
                .decay(keeps)
                .epsilon(epsilon)
                .weight_decay(decay);
            follow(
                &RmsProp {
                    clip,
                    ..plain.momentum(momentum)
                },
                start,
                gradients,
                every,
            )
        }
        "Adagrad" => {
            let begin = setting(case, "initial_accumulator_value", 0.0);
            let plain = Adagrad::new(rate)
                .start(begin)
                .epsilon(epsilon)
                .weight_decay(decay);
            follow(&Adagrad { clip, ..plain }, start, gradients, every)
        }
        other => panic!("{}: no optimizer {other}", case.name),
    }
}

#[test]
fn every_optimizer_follows_pytorch() {
    let golden = Golden::open("pytorch/optimizer");
    let shared = golden.case("shared");
    let (start, gradients) = (shared.values("start"), shared.values("gradients"));
    assert_eq!(gradients.len(), 100 * start.len());
    let mut seen = std::collections::BTreeMap::new();
    for case in golden
        .cases
        .iter()
        .filter(|case| case.short_name() != "shared")
    {
        let path = path_of(case, start, gradients);
        assert_eq!(path.len(), 10 * start.len(), "{}", case.name);
        assert_close_named(&case.name, &path, case.values("parameters"), 0.0, TOLERANCE);
        *seen.entry(case.text("optimizer").to_owned()).or_insert(0) += 1;
    }
    let optimizers: Vec<_> = seen.keys().map(String::as_str).collect();
    assert_eq!(optimizers, ["Adagrad", "Adam", "AdamW", "RMSprop", "SGD"]);
}
