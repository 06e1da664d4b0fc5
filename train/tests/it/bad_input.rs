//! Bad input: each gets an error that names the thing and the place, a code, and leaves what was there.

use std::fs;

use crate::support::{Workshop, stderr, text, train};

#[test]
fn faults_of_configurations_are_shown_in_their_line() {
    let workshop = Workshop::new();
    let config = workshop.path().join("small.toml");
    let sound = fs::read_to_string(&config).expect("it was written");
    for (old, new, message) in [
        ("rows = 4", "rowz = 4", "small.toml:15:1: unknown field `rowz`"),
        ("heads = 2", "heads = 3", "3 heads cannot share a width of 16"),
        ("\"mixture\"", "\"nowhere\"", "small.toml:4:11: there is no folder"),
        ("\"tokenizer.json\"", "\"nothing.json\"", "small.toml:5:13: there is no file"),
    ] {
        fs::write(&config, sound.replace(old, new)).expect("it can be written");
        let output = workshop.pretrain("out", &[]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(message), "{}", stderr(&output));
        assert!(!workshop.path().join("out").exists());
    }
}

/// A checkpoint that was cut short is named, and so are its bytes; the ones before it stay.
#[test]
fn a_checkpoint_cut_short_is_named() {
    let workshop = Workshop::new();
    workshop.pretrain_well("out", &["--until", "20"]);
    let before = workshop.checkpoint("out", 10);
    let model = workshop.path().join("out/checkpoints/step-00000020/model.safetensors");
    let bytes = fs::read(&model).expect("it was saved");
    fs::write(&model, &bytes[..bytes.len() / 3]).expect("it can be cut");
    for output in [workshop.pretrain("out", &["--resume"]), train(&["generate", text(&workshop.path().join("out"))])] {
        assert_eq!(output.status.code(), Some(1));
        let error = stderr(&output);
        assert!(error.contains("step-00000020/model.safetensors is damaged: it has"), "{error}");
    }
    assert_eq!(before, workshop.checkpoint("out", 10));

    fs::remove_dir_all(workshop.path().join("out/checkpoints/step-00000020")).expect("it can be removed");
    workshop.pretrain_well("out", &["--resume", "--until", "20"]);
    assert_eq!(fs::read(&model).expect("it was saved again"), bytes);
}

/// A training is not written over, and not gone on with by another.
#[test]
fn a_training_goes_on_with_itself_alone() {
    let workshop = Workshop::new();
    let output = workshop.pretrain("out", &["--resume"]);
    assert!(stderr(&output).contains("holds no checkpoint"), "{}", stderr(&output));
    workshop.pretrain_well("out", &["--until", "10"]);
    let output = workshop.pretrain("out", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("holds a training already; go on with it by --resume"), "{}", stderr(&output));
    let output = workshop.pretrain("out", &["--resume", "--set", "learning_rate.peak=0.5"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("was made with the configuration"), "{}", stderr(&output));
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let workshop = Workshop::new();
    fs::write(workshop.path().join("file"), "no folder").expect("the file can be written");
    let output = workshop.pretrain("file/out", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("file/out"), "{}", stderr(&output));
}

#[test]
fn a_gpu_that_this_program_cannot_use_is_named() {
    if cfg!(feature = "cuda") {
        return;
    }
    let workshop = Workshop::new();
    let output = workshop.pretrain("out", &["--device", "cuda:0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("device `cuda:0`: this program was built without the feature `cuda`"));
    let output = workshop.pretrain("out", &["--device", "abacus"]);
    assert_eq!(output.status.code(), Some(2));
}
