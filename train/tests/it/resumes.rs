//! Going on with a configuration that differs: where that is the same training, it ends on the same bits.

use crate::support::{Workshop, stderr};

/// Without a decay, a training that has come to its end is gone on with by more steps, and ends as one of so many; with one, the steps
/// that were taken would have had other learning rates.
#[test]
fn more_steps_are_the_same_training_while_no_rate_changes() {
    let workshop = Workshop::new();
    for (shape, goes_on) in [("constant", true), ("cosine", false)] {
        let shape_set = format!("learning_rate.shape={shape}");
        let shape_set = ["--set", shape_set.as_str()];
        let (short, long) = (format!("{shape}/short"), format!("{shape}/long"));
        let steps = |steps: &'static str| ["--set", steps];
        workshop.pretrain_well(&short, &[&shape_set[..], &steps("training.steps=10")].concat());
        let more = [&shape_set[..], &steps("training.steps=20"), &["--resume"]].concat();
        let output = workshop.pretrain(&short, &more);
        assert_eq!(output.status.success(), goes_on, "{}", stderr(&output));
        if goes_on {
            workshop.pretrain_well(&long, &[&shape_set[..], &steps("training.steps=20")].concat());
            assert_eq!(workshop.checkpoint(&long, 20), workshop.checkpoint(&short, 20));
        } else {
            assert!(stderr(&output).contains("`training.steps` was 10, and is 20"), "{}", stderr(&output));
        }
    }
}
