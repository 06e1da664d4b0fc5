//! Keys and values that have another name by now: an old one is an error that says the new one.

/// The old name, the new one, and what else has to be changed with it.
///
/// Only a name that nothing has any more where it stands is looked for, so that a word may go on to mean something else elsewhere.
const RENAMED: &[(&str, &str, &str)] = &[
    // the model of a training
    ("layers", "num_layers", ""),
    ("heads", "num_heads", ""),
    ("key_heads", "num_kv_heads", ""),
    ("width", "hidden_size", ""),
    ("neurons", "intermediate_size", ""),
    ("context", "context_length", ""),
    ("band", "sliding_window", ""),
    ("tied", "tie_embeddings", ""),
    ("rotary_base", "rope_theta", ""),
    ("rotary_scaling", "rope_scaling", ""),
    ("original_context", "original_context_length", ""),
    ("norm_epsilon", "norm_eps", ""),
    // a training and its data
    ("rows", "batch_size", ""),
    ("accumulate", "gradient_accumulation", ""),
    ("clip", "max_grad_norm", ""),
    ("evaluate_rows", "evaluate_sequences", ""),
    ("across_documents", "document_masking", ", and means the opposite"),
    ("back", "rollback", ""),
    // a recipe
    ("fault_limit", "max_error_rate", ""),
    ("lost_limit", "max_lost_rate", ""),
    ("same_url", "url_dedup", ""),
    ("exact_duplicates", "exact_dedup", ""),
    ("normalized_duplicates", "normalized_dedup", ""),
    ("near_duplicates", "fuzzy_dedup", ""),
    ("repeats", "substring_dedup", ""),
    ("passage", "unit", ""),
    ("remains", "after_cuts", ""),
    ("passage_words", "chunk_words", ""),
    ("passages", "max_chunks", ""),
    ("penalty", "l2", ""),
    ("iterations", "max_iterations", ""),
    ("width", "dim", ""),
    ("rate", "lr", ""),
    ("word_run", "word_ngrams", ""),
    ("buckets", "bucket", ""),
    ("manner", "prompt_style", ""),
    ("manners", "prompt_styles", ""),
    ("turned_around", "inverted", ""),
    ("only", "filter", ""),
    ("draw_template", "sample_template", ""),
    ("at_most", "max_examples", ""),
    ("least", "min", ""),
    ("most", "max", ""),
    ("between", "separator", ""),
    ("longest", "max_ngram", ""),
    ("shortest", "min_ngram", ""),
    ("around", "context_chars", ""),
    ("max_top_runs", "max_top_ngrams", ""),
    ("max_repeated_runs", "max_repeated_ngrams", ""),
];

/// What to say of a refused name, if it is an old one.
///
/// - `refusal`: serde's words for an unknown field or variant, which name what is expected in its place
pub(crate) fn instead(refusal: &str) -> Option<String> {
    in_place_of(refusal, RENAMED)
}

fn in_place_of(refusal: &str, renamed: &[(&str, &str, &str)]) -> Option<String> {
    let mut names = refusal.strip_prefix("unknown ")?.split('`').skip(1).step_by(2);
    let found = names.next()?;
    let expected: Vec<&str> = names.collect();
    let (old, new, also) = renamed.iter().find(|(old, new, _)| *old == found && expected.contains(new))?;
    Some(format!("`{old}` is called `{new}` by now{also}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_name_says_the_new_one_where_that_is_expected() {
        let renamed = [("rows", "batch_size", ""), ("whole", "cut", ", and means the opposite")];
        let said = |refusal| in_place_of(refusal, &renamed);
        assert_eq!(
            said("unknown field `rows`, expected one of `steps`, `batch_size`").as_deref(),
            Some("`rows` is called `batch_size` by now")
        );
        assert_eq!(
            said("unknown variant `whole`, expected `cut`").as_deref(),
            Some("`whole` is called `cut` by now, and means the opposite")
        );
        assert_eq!(said("unknown field `rows`, expected `bands`"), None, "of another table");
        assert_eq!(said("unknown field `row`, expected `batch_size`"), None);
        assert_eq!(said("invalid type: string, expected `rows`"), None);
    }
}
