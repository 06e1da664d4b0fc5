//! Encoders' losses against PyTorch: `tests/figures/retrieval_figures.py` wrote down what it computes.

use train::{
    data::{PaddedSequences, RetrievalBatch},
    model::{DualEncoder, Encoders, Family, Gpt, Pooling, Similarity, Tokens, replace},
    objective::{Contrastive, Objective as _},
};

use crate::{
    devices::{everywhere, here, slack},
    figures::{CLOSE, FAMILIES, Figures, apart, hold, numbers},
};

/// As the script has them: questions, passages, each question's column, and a column that answers another, too.
const QUERIES: [&[u32]; 3] = [&[1, 2, 0], &[9, 0], &[3, 4, 5, 0]];
const PASSAGES: [&[u32]; 4] = [&[6, 0], &[7, 8, 0], &[2, 2, 10, 0], &[5, 1, 6, 0]];

fn batch() -> RetrievalBatch {
    RetrievalBatch {
        queries: PaddedSequences::new(QUERIES.into_iter(), 0),
        passages: PaddedSequences::new(PASSAGES.into_iter(), 0),
        positives: vec![1, 3, 1],
        excluded: vec![(2, 3)],
        found: None,
    }
}

fn encoder(family: Family, name: &str, encoders: Encoders) -> DualEncoder {
    let figures = Figures::of_models();
    let language: Gpt = figures.model(family, name);
    replace(language.architecture().zeros_dual_encoder(11, encoders, &here()), |parameter, _| {
        let (_, inner) = parameter.split_once('.').expect("it is of a model");
        figures.numbers(&format!("{name}/parameter/{inner}"))
    })
}

/// Vectors, losses and gradients, for one encoder and for two, however states are pooled and vectors compared.
#[test]
fn encoders_learn_as_they_do_there() {
    everywhere(|| {
        let figures = Figures::read(include_bytes!("../figures/retrieval.safetensors"));
        let batch = batch();
        for (family, name) in FAMILIES {
            for (shared, pooling, similarity, temperature, of) in [
                (true, Pooling::Last, Similarity::Dot, 1.0, "shared_last_dot"),
                (true, Pooling::Mean, Similarity::Cosine, 0.05, "shared_mean_cosine"),
                (false, Pooling::Last, Similarity::Dot, 2.0, "two_last_dot"),
            ] {
                let model = encoder(family, name, Encoders { shared, pooling, similarity });
                let what = format!("{name}/{of}");
                let of_texts = |texts: &PaddedSequences, are_passages: bool| {
                    let tokens = Tokens { ids: &texts.ids, batch_size: texts.lengths.len(), starts: None };
                    numbers(if are_passages {
                        model.passages(tokens, &texts.lengths, None)
                    } else {
                        model.queries(tokens, &texts.lengths, None)
                    })
                };
                for (texts, are_passages, kind) in
                    [(&batch.queries, false, "queries"), (&batch.passages, true, "passages")]
                {
                    let far = apart(&of_texts(texts, are_passages), &figures.numbers(&format!("{what}/{kind}")));
                    assert!(far < CLOSE * slack(), "{what}: {kind} are {far} off");
                }
                hold(&figures, &what, &model, &Contrastive { temperature }.loss(&model, &batch, &batch, 1));
            }
        }
    });
}
